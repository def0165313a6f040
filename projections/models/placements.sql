-- name: add_site
INSERT INTO placements.sites (site, cvegeo) VALUES ($1, $2);

-- name: add_stay
-- The first stay of an assignment; its planned end is its last day.
INSERT INTO placements.stays (assignment, since, until, cvegeo, student, promotion)
SELECT $1, $2, $3::date + 1, s.cvegeo, $5, $6 FROM placements.sites s WHERE s.site = $4;

-- name: relocate
-- The stay under way ends on the day on which the next begins. A move on the first day leaves no stay behind.
WITH current AS (
    SELECT * FROM placements.stays WHERE assignment = $1 ORDER BY since DESC LIMIT 1
), emptied AS (
    DELETE FROM placements.stays s USING current c
    WHERE s.assignment = c.assignment AND s.since = c.since AND c.since = $2::date
), shortened AS (
    UPDATE placements.stays s SET until = $2 FROM current c
    WHERE s.assignment = c.assignment AND s.since = c.since AND c.since < $2::date
)
INSERT INTO placements.stays (assignment, since, until, cvegeo, student, promotion)
SELECT c.assignment, $2, greatest(c.until, $2::date), d.cvegeo, c.student, c.promotion
FROM current c JOIN placements.sites d ON d.site = $3
ON CONFLICT (assignment, since) DO UPDATE SET until = excluded.until, cvegeo = excluded.cvegeo;

-- name: end
-- The last day of an assignment is a day of service.
UPDATE placements.stays SET until = $2::date + 1
WHERE assignment = $1 AND since = (SELECT max(since) FROM placements.stays WHERE assignment = $1);

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
