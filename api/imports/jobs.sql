-- name: add
INSERT INTO import_jobs
    (id, institution, key, scopes, records, mode, on_change, format, headings, status, idempotency_key, body_hmac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'RECEIVING', $10, $11)
ON CONFLICT (key, idempotency_key) DO NOTHING
RETURNING id;

-- name: by_idempotency_key
-- Every institution's: a key belongs to one.
SELECT id, body_hmac FROM import_jobs WHERE key = $1 AND idempotency_key = $2 AND status <> 'RECEIVING';

-- name: forget_unfinished
-- Every institution's: a key belongs to one.
-- An upload of the same key that broke off, in the way of its repetition. An hour is longer than any upload.
DELETE FROM import_jobs
WHERE key = $1 AND idempotency_key = $2 AND status = 'RECEIVING' AND created < now() - interval '1 hour';

-- name: add_batch
INSERT INTO import_batches (job, number, first_row, row_count, content) VALUES ($1, $2, $3, $4, $5);

-- name: received
-- Every institution's: by whoever has just made it.
UPDATE import_jobs SET status = 'WAITING', rows = $2 WHERE id = $1 AND status = 'RECEIVING';

-- name: job
-- Every institution's: the worker carries all of them out; who answers a request compares the owner (job_router).
SELECT j.id, j.institution, j.key, j.scopes, j.records, j.mode, j.on_change, j.format, j.headings, j.status,
       j.rows, j.created, j.ended,
       COALESCE(sum(b.row_count) FILTER (WHERE b.outcomes IS NOT NULL), 0)::int AS done,
       COALESCE(sum(b.created), 0)::int AS made, COALESCE(sum(b.amended), 0)::int AS amended,
       COALESCE(sum(b.unchanged), 0)::int AS unchanged, COALESCE(sum(b.failed), 0)::int AS failed,
       COALESCE(sum(b.skipped), 0)::int AS skipped
FROM import_jobs j LEFT JOIN import_batches b ON b.job = j.id
WHERE j.id = $1
GROUP BY j.id;

-- name: under_way
-- Every institution's: the worker carries all of them out.
SELECT id FROM import_jobs WHERE status IN ('WAITING', 'RUNNING') ORDER BY created;

-- name: lock
-- Held by the connection, so that the kernel lets go at any death. Two who work on one job only do it twice: rows are
-- stored once, and the first outcome stays.
SELECT pg_try_advisory_lock(hashtextextended('import ' || $1::text, 0));

-- name: unlock
SELECT pg_advisory_unlock(hashtextextended('import ' || $1::text, 0));

-- name: begin
-- Every institution's: the worker carries all of them out.
UPDATE import_jobs SET status = 'RUNNING' WHERE id = $1 AND status IN ('WAITING', 'RUNNING') RETURNING id;

-- name: permitted
-- Every institution's: the worker carries all of them out. As at the door (api.auth.keys), days in UTC.
SELECT EXISTS (
    SELECT FROM api_keys
    WHERE id = $1 AND revoked_at IS NULL
      AND (expires_on IS NULL OR expires_on >= (now() AT TIME ZONE 'UTC')::date)
);

-- name: next_batch
SELECT number, first_row, content, tried_at FROM import_batches
WHERE job = $1 AND outcomes IS NULL ORDER BY number LIMIT 1;

-- name: batches
-- From a row on, at most so many.
SELECT number, first_row, row_count, content, outcomes FROM import_batches
WHERE job = $1 AND first_row + row_count > $2 ORDER BY number LIMIT $3;

-- name: try
-- The first time that the rows are tried stays.
UPDATE import_batches SET tried_at = $3 WHERE job = $1 AND number = $2 AND tried_at IS NULL;

-- name: claim
-- Which row has each name; those that nobody had are had by the rows in $3 from now on.
INSERT INTO import_names (job, name, row)
SELECT $1, new.name, new.row FROM unnest($2::bytea[], $3::int[]) AS new (name, row)
ON CONFLICT (job, name) DO UPDATE SET row = import_names.row
RETURNING name, row;

-- name: done
UPDATE import_batches
SET outcomes = $3, created = $4, amended = $5, unchanged = $6, failed = $7, skipped = $8
WHERE job = $1 AND number = $2 AND outcomes IS NULL;

-- name: end
-- Every institution's: the worker carries all of them out.
UPDATE import_jobs SET status = $2, ended = now() WHERE id = $1 AND status IN ('WAITING', 'RUNNING');

-- name: cancel
-- Every institution's: after the owner was compared (job_router).
UPDATE import_jobs SET status = 'CANCELLED', ended = now()
WHERE id = $1 AND status IN ('WAITING', 'RUNNING') RETURNING id;

-- name: remove
-- Every institution's: after the owner was compared (job_router), or when its time is over.
DELETE FROM import_jobs WHERE id = $1;

-- name: expired
-- Every institution's: they expire alike.
-- Ended so many seconds ago, or broken off while they came in.
SELECT id FROM import_jobs
WHERE ended < now() - make_interval(secs => $1)
   OR (status = 'RECEIVING' AND created < now() - interval '1 hour');
