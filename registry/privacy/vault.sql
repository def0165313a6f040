-- name: data_keys
-- The wrapped data keys of some subjects.
SELECT subject, wrapped FROM vault.data_keys WHERE subject = ANY ($1::text[]);

-- name: add_data_keys
-- New data keys; the first one made for a subject stays.
INSERT INTO vault.data_keys (subject, wrapped)
SELECT * FROM unnest($1::text[], $2::bytea[])
ON CONFLICT (subject) DO NOTHING;
