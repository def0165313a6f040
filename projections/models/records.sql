-- name: store
-- The first event of a stream says whose it is; later ones only date it. Unqualified: the runner sets the schema.
INSERT INTO streams (stream_id, noun, institution, created, updated, updated_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (stream_id) DO UPDATE SET updated = excluded.updated, updated_at = excluded.updated_at;

-- name: page
-- A page of records of one kind, of one institution or ($2 null) of all.
SELECT stream_id, created
FROM records.streams
WHERE noun = $1
  AND ($2::uuid IS NULL OR institution = $2)
  AND ($3::timestamptz IS NULL OR updated_at > $3)
  AND created >= $4
ORDER BY created
LIMIT $5;
