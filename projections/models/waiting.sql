-- name: adjudicate
-- An incident is adjudicated from its first POSSIBLE or better on. Unqualified: the runner sets the schema.
INSERT INTO adjudicated (incident) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: wait
-- A change of an adjudicated incident waits for a release, unless it waits already.
INSERT INTO intervals (incident, since)
SELECT incident, $2 FROM adjudicated
WHERE incident = $1 AND NOT EXISTS (SELECT FROM intervals WHERE intervals.incident = $1 AND until IS NULL);

-- name: disclose
UPDATE adjudicated SET disclosed = true WHERE incident = $1;

-- name: end
UPDATE intervals SET until = $2 WHERE incident = $1 AND until IS NULL;

-- name: release
-- A release considered every change: those of disclosed incidents that it did not disclose again changed nothing public.
UPDATE intervals SET until = $1
FROM adjudicated
WHERE intervals.incident = adjudicated.incident AND adjudicated.disclosed AND intervals.until IS NULL;
