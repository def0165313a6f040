-- name: add_sites
-- Unqualified here and where tables are written: the runner sets the schema.
INSERT INTO sites (site, cvegeo) SELECT * FROM unnest($1::uuid[], $2::text[]);

-- name: places
-- Where some sites are.
SELECT site, cvegeo FROM sites WHERE site = ANY ($1::uuid[]);

-- name: some
-- Some folded assignments.
SELECT assignment, state FROM assignments WHERE assignment = ANY ($1::uuid[]);

-- name: store
-- New states of some assignments.
INSERT INTO assignments (assignment, student, promotion, changed, state)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
ON CONFLICT (assignment) DO UPDATE
SET student = excluded.student, promotion = excluded.promotion, changed = excluded.changed, state = excluded.state;

-- name: clear
-- The stays of some assignments go, to be put in place anew.
DELETE FROM stays WHERE assignment = ANY ($1::uuid[]);

-- name: place
INSERT INTO stays (assignment, since, until, cvegeo, student)
SELECT * FROM unnest($1::uuid[], $2::date[], $3::date[], $4::text[], $5::text[]);

-- name: students
-- Distinct students assigned to municipalities in periods.
SELECT c.cvegeo, c.first, c.last, count(DISTINCT s.student) AS students
FROM unnest($1::text[], $2::date[], $3::date[]) AS c (cvegeo, first, last)
LEFT JOIN placements.stays s ON s.cvegeo = c.cvegeo AND s.since <= c.last AND s.until > c.first
GROUP BY c.cvegeo, c.first, c.last;

-- name: changed
-- Municipalities of assignments that events from a position on are about.
SELECT DISTINCT s.cvegeo
FROM placements.assignments a JOIN placements.stays s USING (assignment)
WHERE a.changed >= $1;

-- name: promotions
SELECT student, array_agg(DISTINCT promotion) AS promotions
FROM placements.assignments
WHERE student = ANY ($1::text[])
GROUP BY student;
