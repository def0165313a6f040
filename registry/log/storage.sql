-- What the publisher writes and readers serve. Tiles only ever grow: a write that would change a stored byte does
-- nothing, so that a slower publisher, or one with another history, cannot harm.

-- name: count_events
-- The tree's size if everything accepted were in it.
SELECT coalesce(max(position) + 1, 0) FROM events;

-- name: read_events
-- The leaves from position $1 on, at most $2.
SELECT position, leaf, leaf_hash FROM events WHERE position >= $1 ORDER BY position LIMIT $2;

-- name: read_entries
-- The leaves at the positions $1 to $2, both included, without anything else.
SELECT leaf FROM events WHERE position BETWEEN $1 AND $2 ORDER BY position;

-- name: read_tiles
-- These tiles, in no order.
SELECT tile.level, tile.index, tile.data
FROM log_tiles AS tile
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, index) USING (level, index);

-- name: last_tile
-- Where the stored tree ends.
SELECT index, width FROM log_tiles WHERE level = 0 ORDER BY index DESC LIMIT 1;

-- name: extend_tiles
-- Insert tiles, or lengthen those that are a prefix of what is written.
INSERT INTO log_tiles AS stored (level, index, width, data)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::bytea[])
ON CONFLICT (level, index) DO UPDATE SET width = excluded.width, data = excluded.data
WHERE stored.width < excluded.width AND substring(excluded.data FOR octet_length(stored.data)) = stored.data;

-- name: publish
-- Show a checkpoint, or the newer note of one that is shown already, and tell who listens. No row when its size has
-- another root.
WITH shown AS (
    INSERT INTO checkpoints AS stored (size, root, note) VALUES ($1, $2, $3)
    ON CONFLICT (size) DO UPDATE SET note = excluded.note, refreshed_at = excluded.refreshed_at
    WHERE stored.root = excluded.root
    RETURNING size, root, note, published_at, refreshed_at
)
SELECT shown.* FROM shown CROSS JOIN LATERAL pg_notify('constancia_checkpoints', '');

-- name: latest_checkpoint
-- What readers see.
SELECT size, root, note, published_at, refreshed_at FROM checkpoints ORDER BY size DESC LIMIT 1;

-- name: lock
-- Wait until no other publisher is at work; the lock ends with the session at the latest.
SELECT pg_advisory_lock($1);

-- name: unlock
SELECT pg_advisory_unlock($1);
