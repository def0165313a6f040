-- name: some
-- Some folded incidents. Unqualified here and where tables are written: the runner sets the schema.
SELECT incident, state FROM folded WHERE incident = ANY ($1::uuid[]);

-- name: ever_possible
-- Those that releases are about, by their random ids.
SELECT incident, state FROM incidents.folded WHERE ever_possible ORDER BY incident;

-- name: store
-- New states of some incidents.
INSERT INTO folded (incident, ever_possible, state)
SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::bytea[])
ON CONFLICT (incident) DO UPDATE SET ever_possible = excluded.ever_possible, state = excluded.state;
