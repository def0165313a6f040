-- name: store
-- The first event of a stream says whose it is; later ones only date it. Unqualified: the runner sets the schema.
INSERT INTO streams (stream_id, noun, institution, created, updated, updated_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (stream_id) DO UPDATE SET updated = excluded.updated, updated_at = excluded.updated_at;

-- name: owners
-- Every institution's: this is how it becomes known whose an event is.
SELECT stream_id, institution FROM streams WHERE stream_id = ANY ($1::uuid[]) AND institution IS NOT NULL;

-- name: store_visible
INSERT INTO visible (institution, position) SELECT * FROM unnest($1::uuid[], $2::bigint[]);

-- name: visible
-- How far the log is known here, and of the positions from $2 on and before $3 the first $4 that an institution sees: its
-- own, and everybody's ($5).
SELECT p.position AS reached, ARRAY(
    SELECT v.position FROM (
        (SELECT position FROM records.visible
         WHERE institution = $1 AND position >= $2 AND position < $3 ORDER BY position LIMIT $4)
        UNION ALL
        (SELECT position FROM records.visible
         WHERE institution = $5 AND position >= $2 AND position < $3 ORDER BY position LIMIT $4)
    ) AS v
    ORDER BY v.position LIMIT $4
) AS positions
FROM projections.positions p WHERE p.name = 'records';

-- name: last_visible
-- How far the log is known here, and the last position that an institution sees, its own or everybody's ($2).
SELECT p.position AS reached, GREATEST(
    (SELECT max(position) FROM records.visible WHERE institution = $1),
    (SELECT max(position) FROM records.visible WHERE institution = $2)
) AS last
FROM projections.positions p WHERE p.name = 'records';

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
