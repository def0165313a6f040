-- name: published_size
-- How much of the log everybody may read: nothing beyond the last published checkpoint.
SELECT coalesce(max(size), 0) FROM checkpoints;

-- name: public_page
-- A page of what everybody may see: the leaves from $1 on and before $2, at most $4, and none after those that come to
-- $5 bytes. $3 are the types that are wanted, of open leaves only: to choose entries by their type would tell it.
-- Bounded as in registry/store/queries.sql (following), for the reason given there.
SELECT position, event_id, stream_id, type, leaf, leaf_hash
FROM (
    SELECT e.*, sum(octet_length(leaf)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS bytes_before
    FROM (
        SELECT position, event_id, stream_id, type, leaf, leaf_hash FROM events
        WHERE position >= $1 AND (position, 0) < ($2, 0) AND (cardinality($3::text[]) = 0 OR type = ANY ($3))
        ORDER BY position
        LIMIT $4
    ) AS e
) AS page
WHERE COALESCE(bytes_before, 0) < $5::bigint
ORDER BY position;

-- name: public_page_of_streams
-- The same of some streams ($6), of the open types in $3.
SELECT position, event_id, stream_id, type, leaf, leaf_hash
FROM (
    SELECT e.*, sum(octet_length(leaf)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS bytes_before
    FROM (
        SELECT position, event_id, stream_id, type, leaf, leaf_hash FROM events
        WHERE stream_id = ANY ($6::uuid[]) AND position >= $1 AND position < $2 AND type = ANY ($3)
        ORDER BY position
        LIMIT $4
    ) AS e
) AS page
WHERE COALESCE(bytes_before, 0) < $5::bigint
ORDER BY position;
