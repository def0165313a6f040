-- name: standing
-- How some adjudicated incidents stood: whether they were disclosed, and from where on they wait, if they do.
-- Unqualified: the runner sets the schema.
SELECT a.incident, a.disclosed, i.since
FROM adjudicated a LEFT JOIN intervals i ON i.incident = a.incident AND i.until IS NULL
WHERE a.incident = ANY ($1::uuid[]);

-- name: release
-- A release considered every change: those of disclosed incidents that it did not disclose again changed nothing public.
-- $2 are those that the batch decides on itself.
UPDATE intervals SET until = $1
FROM adjudicated
WHERE intervals.incident = adjudicated.incident AND adjudicated.disclosed AND intervals.until IS NULL
    AND intervals.incident <> ALL ($2::uuid[]);

-- name: adjudicate
-- An incident is adjudicated from its first POSSIBLE or better on.
INSERT INTO adjudicated (incident, disclosed) SELECT * FROM unnest($1::uuid[], $2::boolean[])
ON CONFLICT (incident) DO UPDATE SET disclosed = excluded.disclosed;

-- name: wait
-- New intervals, and ends of those that were open. In order: of one incident, only one may be open at a time.
INSERT INTO intervals (incident, since, until) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])
ON CONFLICT (incident, since) DO UPDATE SET until = excluded.until;

-- name: reports
-- How some reports stood.
SELECT report, since, out_of_scope FROM reports WHERE report = ANY ($1::uuid[]);

-- name: put
INSERT INTO reports (report, since, out_of_scope) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::boolean[])
ON CONFLICT (report) DO UPDATE SET since = excluded.since, out_of_scope = excluded.out_of_scope;

-- name: queue
-- A page of the reports that wait, the longest first.
SELECT report, since FROM waiting.reports WHERE since >= $1 ORDER BY since LIMIT $2;

-- name: queued
SELECT count(*) FROM waiting.reports WHERE since IS NOT NULL;
