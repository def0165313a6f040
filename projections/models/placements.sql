-- name: add_sites
-- Unqualified here and where tables are written: the runner sets the schema.
INSERT INTO sites (site, cvegeo) SELECT * FROM unnest($1::uuid[], $2::text[]);

-- name: places
-- Where some sites are.
SELECT site, cvegeo FROM sites WHERE site = ANY ($1::uuid[]);

-- name: current
-- The stays under way of some assignments: of each, the one that began last.
SELECT DISTINCT ON (assignment) assignment, since, until, cvegeo, student, promotion
FROM stays
WHERE assignment = ANY ($1::uuid[])
ORDER BY assignment, since DESC;

-- name: store
-- New stays, and those that changed.
INSERT INTO stays (assignment, since, until, cvegeo, student, promotion)
SELECT * FROM unnest($1::uuid[], $2::date[], $3::date[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (assignment, since) DO UPDATE SET until = excluded.until, cvegeo = excluded.cvegeo;

-- name: students
-- Distinct students assigned to municipalities in periods.
SELECT c.cvegeo, c.first, c.last, count(DISTINCT s.student) AS students
FROM unnest($1::text[], $2::date[], $3::date[]) AS c (cvegeo, first, last)
LEFT JOIN placements.stays s ON s.cvegeo = c.cvegeo AND s.since <= c.last AND s.until > c.first
GROUP BY c.cvegeo, c.first, c.last;

-- name: promotions
SELECT student, array_agg(DISTINCT promotion) AS promotions
FROM placements.stays
WHERE student = ANY ($1::text[])
GROUP BY student;
