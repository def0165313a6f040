-- name: latest
-- The snapshot of a stream; none if the stream does not reach as far (restored from an older backup, say).
SELECT s.stream_id, s.version, s.topic, s.shape, s.state, s.digest
FROM snapshots s
JOIN events e USING (stream_id, version)
WHERE s.stream_id = $1;

-- name: save
-- In place of the one before, whichever that is: an older snapshot is only a longer way.
INSERT INTO snapshots (stream_id, version, topic, shape, state, digest)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (stream_id) DO UPDATE
SET version = excluded.version, topic = excluded.topic, shape = excluded.shape, state = excluded.state,
    digest = excluded.digest;
