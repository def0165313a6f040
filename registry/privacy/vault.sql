-- name: data_keys
-- The wrapped data keys of some subjects.
SELECT subject, wrapped FROM vault.data_keys WHERE subject = ANY ($1::text[]);

-- name: ensure_data_keys
-- The data keys of some subjects, with new ones ($2) for those that have none; the first one made for a subject stays.
-- A subject whose key another transaction is just making may be missing from the answer: ask again.
WITH added AS (
    INSERT INTO vault.data_keys (subject, wrapped)
    SELECT new.subject, new.wrapped
    FROM unnest($1::text[], $2::bytea[]) AS new (subject, wrapped)
    WHERE NOT EXISTS (SELECT FROM vault.data_keys known WHERE known.subject = new.subject)
    ON CONFLICT (subject) DO NOTHING
    RETURNING subject, wrapped
)
SELECT subject, wrapped FROM added
UNION ALL
SELECT subject, wrapped FROM vault.data_keys WHERE subject = ANY ($1::text[]);

-- name: erase_data_key
-- This very key of the subject; one that was made since stays.
DELETE FROM vault.data_keys WHERE subject = $1 AND wrapped = $2 RETURNING true;
