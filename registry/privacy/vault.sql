-- name: data_keys
-- The wrapped data keys of some subjects. Looked up one by one (OFFSET 0): as a join, a plan made while the table was
-- small would go on reading all of it.
SELECT known.subject, known.wrapped
FROM unnest($1::text[]) AS asked (subject)
CROSS JOIN LATERAL (
    SELECT k.subject, k.wrapped FROM vault.data_keys k WHERE k.subject = asked.subject OFFSET 0
) AS known;

-- name: ensure_data_keys
-- The data keys of some subjects, with new ones ($2) for those that have none; the first one made for a subject stays.
-- A subject whose key another transaction is just making may be missing from the answer: ask again.
WITH asked AS (
    SELECT new.subject, new.wrapped, (SELECT k.wrapped FROM vault.data_keys k WHERE k.subject = new.subject) AS known
    FROM unnest($1::text[], $2::bytea[]) AS new (subject, wrapped)
), added AS (
    INSERT INTO vault.data_keys (subject, wrapped)
    SELECT subject, wrapped FROM asked WHERE known IS NULL
    ON CONFLICT (subject) DO NOTHING
    RETURNING subject, wrapped
)
SELECT subject, wrapped FROM added
UNION ALL
SELECT subject, known FROM asked WHERE known IS NOT NULL;

-- name: erase_data_key
-- This very key of the subject; one that was made since stays.
DELETE FROM vault.data_keys WHERE subject = $1 AND wrapped = $2 RETURNING true;
