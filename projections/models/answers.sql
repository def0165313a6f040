-- name: expect
-- Unqualified here and where tables are written: the runner sets the schema.
INSERT INTO expected (institution, since) SELECT * FROM unnest($1::uuid[], $2::date[]) ON CONFLICT DO NOTHING;

-- name: answer
INSERT INTO answered (institution, quarter) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING;

-- name: answers
-- Of quarters ($1) that ended on days ($2): who was expected to answer, and did or did not.
SELECT e.institution, q.quarter, a.institution IS NOT NULL AS answered
FROM unnest($1::text[], $2::date[]) AS q (quarter, last)
JOIN answers.expected e ON e.since <= q.last
LEFT JOIN answers.answered a ON a.institution = e.institution AND a.quarter = q.quarter
ORDER BY e.institution, q.quarter;
