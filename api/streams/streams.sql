-- name: published_size
-- How much of the log everybody may read: nothing beyond the last published checkpoint.
SELECT coalesce(max(size), 0) FROM checkpoints;
