-- name: standing
-- What an answer as of size $1 (null: the latest checkpoint) needs beside the count: the checkpoint of that size, how far
-- the read models are, if they are of the versions $2 and $3, the definition in force, and how many incidents wait for a
-- release.
WITH asked AS MATERIALIZED (
    SELECT coalesce($1::bigint, (SELECT max(size) FROM checkpoints)) AS size
)
SELECT asked.size, root, note, published_at, reached, ours, stopped,
    (SELECT id || ' ' || sha256 FROM public_count.adoptions
     WHERE type = 'definition.adopted' AND position < asked.size ORDER BY position DESC LIMIT 1) AS definition,
    (SELECT count(*) FROM waiting.intervals WHERE int8range(since, until) @> asked.size - 1) AS waiting
FROM asked
CROSS JOIN (
    SELECT min(position) AS reached, min(name) FILTER (WHERE failed IS NOT NULL) AS stopped,
        count(*) FILTER (WHERE version = CASE name WHEN 'waiting' THEN $3::integer ELSE $2::integer END) AS ours
    FROM projections.positions
    WHERE name IN ('public_count', 'waiting')
) AS read
LEFT JOIN checkpoints ON checkpoints.size = (SELECT size FROM asked)

-- name: told
-- The same, of a table “standing” with its row, as JSON: a first line beside lines of another form.
SELECT json_build_object(
    'size', size, 'root', encode(root, 'base64'), 'note', note,
    'published_at', (extract(epoch FROM published_at) * 1000000)::bigint, 'reached', reached, 'ours', ours,
    'stopped', stopped, 'definition', definition, 'waiting', waiting
)::text
FROM standing
