-- name: published_size
-- How much of the log everybody may read: nothing beyond the last published checkpoint.
SELECT coalesce(max(size), 0) FROM checkpoints;

-- name: public_page
-- A page of what everybody may see: the leaves from $1 on and before $2, at most $4, and none after those that come to
-- $5 bytes. $3 are the types that are wanted, of open leaves only: to choose entries by their type would tell it.
-- Bounded as in registry/store/queries.sql (following), for the reason given there. known is how much of the log this
-- database has, which may be a replica; without any leaf it comes alone.
SELECT page.position, event_id, stream_id, type, leaf, leaf_hash, head.size AS known
FROM head LEFT JOIN (
    SELECT e.*, sum(octet_length(leaf)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS bytes_before
    FROM (
        SELECT position, event_id, stream_id, type, leaf, leaf_hash FROM events
        WHERE position >= $1 AND (position, 0) < ($2, 0) AND (cardinality($3::text[]) = 0 OR type = ANY ($3))
        ORDER BY position
        LIMIT $4
    ) AS e
) AS page ON COALESCE(bytes_before, 0) < $5::bigint
ORDER BY page.position;

-- name: public_page_of_streams
-- The same of some streams ($6), of the open types in $3. These are found by their stream: the sums keep the planner,
-- which cannot know how far the bounds are apart, from looking through all positions in between.
SELECT page.position, event_id, stream_id, type, leaf, leaf_hash, head.size AS known
FROM head LEFT JOIN (
    SELECT e.*, sum(octet_length(leaf)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS bytes_before
    FROM (
        SELECT position, event_id, stream_id, type, leaf, leaf_hash FROM events
        WHERE stream_id = ANY ($6::uuid[]) AND position + 0 >= $1 AND position + 0 < $2 AND type = ANY ($3)
        ORDER BY position
        LIMIT $4
    ) AS e
) AS page ON COALESCE(bytes_before, 0) < $5::bigint
ORDER BY page.position;

-- name: first_events
-- What some streams ($1) are, and whose: their first events say.
SELECT stream_id, type, state FROM events WHERE stream_id = ANY ($1::uuid[]) AND version = 1;

-- name: whose
-- Which streams the events from $1 on and before $2 are of; of a new stream, with what it begins.
SELECT position, stream_id, type, CASE WHEN version = 1 THEN state END AS state
FROM events WHERE position >= $1 AND (position, 0) < ($2, 0) ORDER BY position;

-- name: positions_of_streams
-- The first $4 positions from $1 on and before $2 of some streams ($3), and of others ($5) those of some types ($6).
-- With sums for the same reason.
SELECT position FROM events
WHERE stream_id = ANY ($3::uuid[] || $5::uuid[]) AND position + 0 >= $1 AND position + 0 < $2
    AND (stream_id = ANY ($3) OR type = ANY ($6::text[]))
ORDER BY position LIMIT $4;

-- name: by_positions
-- Some events ($1), none after those that come to $2 bytes.
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM (
    SELECT e.*, sum(octet_length(state) + octet_length(leaf))
                OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM events e WHERE position = ANY ($1::bigint[])
) AS page
WHERE COALESCE(bytes_before, 0) < $2::bigint
ORDER BY position;
