-- name: register
INSERT INTO projections.positions (name, version) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: lock
SELECT version, position, failed FROM projections.positions WHERE name = $1 FOR UPDATE;

-- name: retry
-- Starting a process is the operator's word that the cause of a stop was looked at.
UPDATE projections.positions SET failed = NULL WHERE name = $1;

-- name: take_place
-- The tables in use are from now on what was the copy.
UPDATE projections.positions SET version = $2, position = $3, failed = NULL WHERE name = $1;

-- name: forget
DELETE FROM projections.positions WHERE name = $1;

-- name: tables
-- By name, so that all who lock several do so in the same order.
SELECT c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind = 'r'
ORDER BY c.relname;

-- name: definition
-- The statements that make tables like those of schema $1, which must be the search path; run them in schema $2.
-- LIKE brings columns, defaults and checks; it would name keys and indexes anew, so these are spelled out.
WITH tables AS (
    SELECT c.oid, c.relname, c.reloptions, c.relacl, c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind = 'r'
), privileges AS (
    SELECT 'SCHEMA' AS kind, $2::text AS name, p.*
    FROM pg_namespace n, aclexplode(n.nspacl) AS p
    WHERE n.nspname = $1 AND p.grantee <> n.nspowner
    UNION ALL
    SELECT 'TABLE', t.relname, p.* FROM tables t, aclexplode(t.relacl) AS p WHERE p.grantee <> t.relowner
), keys AS (
    SELECT k.oid, k.conname, k.conindid, t.relname
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
    WHERE k.contype IN ('p', 'u', 'x')
)
SELECT statement
FROM (
    SELECT 1 AS step, relname AS name,
        format('CREATE TABLE %I (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES)', relname, $1::text, relname)
            || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '') AS statement
    FROM tables
    UNION ALL
    SELECT 2, conname, format('ALTER TABLE %I ADD CONSTRAINT %I %s', relname, conname, pg_get_constraintdef(oid))
    FROM keys
    UNION ALL
    SELECT 3, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid, 0, true)
    FROM pg_index i JOIN tables t ON t.oid = i.indrelid
    WHERE NOT EXISTS (SELECT FROM keys WHERE keys.conindid = i.indexrelid)
    UNION ALL
    SELECT 4, name,
        format('GRANT %s ON %s %I TO %s', privilege_type, kind, name,
               CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
    FROM privileges
) AS parts
ORDER BY step, name;
