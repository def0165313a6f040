-- name: mention
-- Unqualified: the runner sets the schema.
INSERT INTO records (subject, record, noun) SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT DO NOTHING;

-- name: of
-- The records that ever mentioned some subjects.
SELECT DISTINCT record, noun FROM mentions.records WHERE subject = ANY ($1::text[]) ORDER BY record;
