-- name: incidents
-- Some folded incidents. Unqualified here and where tables are written: the runner sets the schema.
SELECT incident, state FROM incidents WHERE incident = ANY ($1::uuid[]);

-- name: assignments
-- Some folded assignments.
SELECT assignment, state FROM assignments WHERE assignment = ANY ($1::uuid[]);

-- name: about
-- Incidents whose lines follow from some assignments, too.
-- Every institution's: a correction of any assignment moves what is counted of it.
SELECT DISTINCT incident FROM victimisations WHERE assignment = ANY ($1::uuid[]);

-- name: keep_incidents
INSERT INTO incidents (incident, state) SELECT * FROM unnest($1::uuid[], $2::bytea[])
ON CONFLICT (incident) DO UPDATE SET state = excluded.state;

-- name: keep_assignments
INSERT INTO assignments (assignment, state) SELECT * FROM unnest($1::uuid[], $2::bytea[])
ON CONFLICT (assignment) DO UPDATE SET state = excluded.state;

-- name: keep_names
INSERT INTO names (id, name) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT (id) DO UPDATE SET name = excluded.name;

-- name: names
-- What some institutions and sites are called. Both are public.
SELECT id::text AS id, name FROM restricted.names WHERE id = ANY ($1::uuid[]);

-- name: in_time
-- For the rest of the transaction.
SELECT set_config('statement_timeout', $1, true);

-- name: clear
-- The lines of some incidents go, to be put in place anew.
-- Every institution's: an incident belongs to none.
DELETE FROM victimisations WHERE incident = ANY ($1::uuid[]);

-- name: place
-- Means are separated by spaces: an array of arrays would have to be rectangular.
INSERT INTO victimisations
    (incident, number, class, kind, year, quarter, month, state, municipality, certainty, disputed, means, perpetrator,
     role, sex, outcome, severity, manner, nexus, strict, person, assignment, institution, site, plaza_type, promotion,
     low, best, high)
SELECT incident, number, class, kind, year, quarter, month, state, municipality, certainty, disputed,
    string_to_array(means, ' '), perpetrator, role, sex, outcome, severity, manner, nexus, strict, person, assignment,
    institution, site, plaza_type, promotion, low, best, high
FROM unnest(
    $1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::boolean[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::smallint[],
    $18::text[], $19::text[], $20::boolean[], $21::text[], $22::uuid[], $23::text[], $24::text[], $25::text[],
    $26::text[], $27::integer[], $28::integer[], $29::integer[]
) AS line (incident, number, class, kind, year, quarter, month, state, municipality, certainty, disputed, means,
    perpetrator, role, sex, outcome, severity, manner, nexus, strict, person, assignment, institution, site, plaza_type,
    promotion, low, best, high);

-- name: answer
-- The rows of a question, at most so many ($2), each beside the position that the lines stand at; where there is no row
-- the position alone. $1 is the version of the read model, without which there is no position. What begins with a dollar
-- and a letter is put in before the statement is prepared: as rows one of the blocks below; in it as key the columns asked
-- for, as lines what they are read from, as belongs the conditions, whose lists are the parameters from $3 on.
SELECT head.size, positions.position, rows.*
FROM head
LEFT JOIN projections.positions ON positions.name = 'restricted' AND positions.version = $1::integer
LEFT JOIN LATERAL (
    SELECT * FROM ($rows) AS counted WHERE high > 0 LIMIT $2::integer
) AS rows ON positions.position IS NOT NULL;

-- name: lines
-- Every institution's: restricted readers count over all records and are shown none.
restricted.victimisations

-- name: each_means
CROSS JOIN LATERAL unnest(victimisations.means) AS each_means (mean)

-- name: each_scope
CROSS JOIN LATERAL unnest(CASE WHEN strict THEN ARRAY['STRICT', 'BROAD'] ELSE ARRAY['BROAD'] END) AS each_scope (scope)

-- name: victims
-- Few incidents are disputed: to collect them leaves the sums to a hash, where a distinct count would sort all lines.
SELECT key, NULL::smallint AS severity, low, best, high,
    (SELECT count(DISTINCT incident) FROM unnest(each_row.disputed) AS one (incident)) AS disputed
FROM (
    SELECT $key AS key, sum(low)::bigint AS low, sum(best)::bigint AS best, sum(high)::bigint AS high,
        array_agg(incident) FILTER (WHERE disputed) AS disputed
    FROM $lines
    WHERE $belongs
    GROUP BY 1
) AS each_row

-- name: incidents_of
-- Component by component: an incident counts if its victims may be one or more.
SELECT key, NULL::smallint AS severity, sum(least(low, 1))::bigint AS low, sum(least(best, 1))::bigint AS best,
    sum(least(high, 1))::bigint AS high, count(*) FILTER (WHERE disputed) AS disputed
FROM (
    SELECT $key AS key, sum(low) AS low, sum(best) AS best, sum(high) AS high, bool_or(disputed) AS disputed
    FROM $lines
    WHERE $belongs
    GROUP BY 1, incident
) AS each_incident
GROUP BY key

-- name: incidents_by_outcome
-- The same in the row of the most severe outcome, where that is one of those asked about.
SELECT key, $severity AS severity, sum(least(low, 1))::bigint AS low, sum(least(best, 1))::bigint AS best,
    sum(least(high, 1))::bigint AS high, count(*) FILTER (WHERE disputed) AS disputed
FROM (
    SELECT $key AS key, max(severity) AS severity, sum(low) AS low, sum(best) AS best, sum(high) AS high,
        bool_or(disputed) AS disputed
    FROM $lines
    WHERE $belongs
    GROUP BY 1, incident
) AS each_incident
WHERE $outcomes
GROUP BY 1, 2

-- name: persons
-- By pseudonym. Whom nobody identified is one more in best and high, and none in low.
SELECT $key AS key, NULL::smallint AS severity, count(DISTINCT person) FILTER (WHERE low > 0) AS low,
    count(DISTINCT person) FILTER (WHERE best > 0) + coalesce(sum(best) FILTER (WHERE person IS NULL), 0)::bigint AS best,
    count(DISTINCT person) + coalesce(sum(high) FILTER (WHERE person IS NULL), 0)::bigint AS high,
    count(DISTINCT incident) FILTER (WHERE disputed) AS disputed
FROM $lines
WHERE $belongs
GROUP BY 1
