-- name: latest
SELECT size, root, note, published_at FROM checkpoints ORDER BY size DESC LIMIT 1;

-- name: at_size
SELECT size, root, note, published_at FROM checkpoints WHERE size = $1;

-- name: nearest_below
SELECT max(size) FROM checkpoints WHERE size < $1;

-- name: at_time
-- The one that readers saw at that time.
SELECT size, root, note, published_at FROM checkpoints WHERE published_at <= $1 ORDER BY size DESC LIMIT 1;

-- name: page
-- Newest first, below a size.
SELECT size, root, note, published_at FROM checkpoints WHERE size < $1 ORDER BY size DESC LIMIT $2;
