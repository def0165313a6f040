-- name: expect
-- Unqualified here and where tables are written: the runner sets the schema.
INSERT INTO expected (institution, since) SELECT * FROM unnest($1::uuid[], $2::date[]) ON CONFLICT DO NOTHING;

-- name: answers_of
-- Every institution's: folded from everybody's events.
-- What some reports answer for.
SELECT report, institution, received, array_agg(quarter) AS quarters
FROM answered WHERE report = ANY ($1::uuid[]) GROUP BY report, institution, received;

-- name: retract
-- Every institution's: folded from everybody's events.
DELETE FROM answered WHERE report = ANY ($1::uuid[]);

-- name: answer
INSERT INTO answered (report, institution, received, quarter)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]);

-- name: answers
-- Of quarters ($1) that ended on days ($2): who was expected to answer, and did or did not.
SELECT e.institution, q.quarter, EXISTS (
    SELECT FROM answers.answered a WHERE a.institution = e.institution AND a.quarter = q.quarter
) AS answered
FROM unnest($1::text[], $2::date[]) AS q (quarter, last)
JOIN answers.expected e ON e.since <= q.last
ORDER BY e.institution, q.quarter;
