-- name: register
-- Tables that are filled for the first time begin at the beginning.
INSERT INTO projections.positions (name, version) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: retry
-- Starting a process is the operator's word that the cause of a stop was looked at: try that event again.
UPDATE projections.positions SET failed = NULL WHERE name = $1 RETURNING version;

-- name: lock_if_free
-- The lock that makes the caller the only one to advance these tables; no row while another process has it.
SELECT version, position, failed FROM projections.positions WHERE name = $1 FOR UPDATE SKIP LOCKED;

-- name: lock
-- The same lock, waited for.
SELECT version, position, failed FROM projections.positions WHERE name = $1 FOR UPDATE;

-- name: page
-- The next events, in the order of the log.
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM events
WHERE position >= $1
ORDER BY position
LIMIT $2;

-- name: advance
UPDATE projections.positions SET position = $2 WHERE name = $1;

-- name: stop
UPDATE projections.positions SET failed = $2 WHERE name = $1;
