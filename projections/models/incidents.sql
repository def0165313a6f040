-- name: some
-- Some folded incidents. Unqualified here and where tables are written: the runner sets the schema.
SELECT incident, state FROM folded WHERE incident = ANY ($1::uuid[]);

-- name: store
-- New states of some incidents.
INSERT INTO folded (incident, ever_possible, state)
SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::bytea[])
ON CONFLICT (incident) DO UPDATE SET ever_possible = excluded.ever_possible, state = excluded.state;

-- name: compare
-- What the ladder compares of some incidents, open facets and victims as JSON lists. A position of 0 changes nothing.
INSERT INTO compared
    (incident, changed, class, year, state, kind, sex, municipality, month, open, stands, persons)
SELECT incident, changed, class, year, state, kind, sex, municipality, month,
    ARRAY (SELECT jsonb_array_elements_text(open::jsonb)), stands,
    ARRAY (SELECT jsonb_array_elements_text(persons::jsonb))
FROM unnest(
    $1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::boolean[], $12::text[]
) AS one (incident, changed, class, year, state, kind, sex, municipality, month, open, stands, persons)
ON CONFLICT (incident) DO UPDATE SET
    changed = greatest(compared.changed, excluded.changed), class = excluded.class, year = excluded.year,
    state = excluded.state, kind = excluded.kind, sex = excluded.sex, municipality = excluded.municipality,
    month = excluded.month, open = excluded.open, stands = excluded.stands, persons = excluded.persons;

-- name: ever_possible
-- Those that releases are about, by their random ids.
SELECT incident, state FROM incidents.folded WHERE ever_possible ORDER BY incident;

-- name: these
SELECT incident, state FROM incidents.folded WHERE ever_possible AND incident = ANY ($1::uuid[]) ORDER BY incident;

-- name: changed
-- Those that events from a position ($1) on are about, or that may show more of these municipalities ($2).
SELECT incident FROM incidents.compared WHERE changed >= $1
UNION
SELECT incident FROM incidents.compared
WHERE stands AND municipality = ANY ($2::text[]) AND NOT open @> ARRAY['municipality', 'month'];

-- name: below
-- Those that share a combination, and do not show all of it ($1) yet. Of the lists that follow the last five hold null
-- where a facet is no part of the combination.
SELECT DISTINCT f.incident
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS c (class, year, state, kind, sex, municipality, month)
JOIN incidents.compared f ON f.stands AND f.class = c.class AND f.year = c.year
    AND (c.state IS NULL OR f.state = c.state) AND (c.kind IS NULL OR f.kind = c.kind)
    AND (c.sex IS NULL OR f.sex = c.sex) AND (c.municipality IS NULL OR f.municipality = c.municipality)
    AND (c.month IS NULL OR f.month = c.month)
WHERE NOT f.open @> $1::text[];

-- name: crowd
-- Of each combination, numbered from 1, the victims of those that show all of it, but for some incidents ($9); at most
-- so many of each ($10).
SELECT c.number, f.persons
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    WITH ORDINALITY AS c (class, year, state, kind, sex, municipality, month, number)
CROSS JOIN LATERAL (
    SELECT f.persons FROM incidents.compared f
    WHERE f.stands AND f.class = c.class AND f.year = c.year
        AND (c.state IS NULL OR f.state = c.state) AND (c.kind IS NULL OR f.kind = c.kind)
        AND (c.sex IS NULL OR f.sex = c.sex) AND (c.municipality IS NULL OR f.municipality = c.municipality)
        AND (c.month IS NULL OR f.month = c.month)
        AND f.open @> $1::text[] AND f.incident <> ALL ($9::uuid[])
    LIMIT $10
) f;

-- name: decided
SELECT max(position) AS position, max(policy) AS policy FROM incidents.decided;

-- name: reached
-- How far the models that a release decides on have come, all of them.
SELECT min(position) FROM projections.positions WHERE name = ANY ($1::text[]);

-- name: forget
DELETE FROM incidents.decided;

-- name: decide
INSERT INTO incidents.decided (position, policy) VALUES ($1, $2);
