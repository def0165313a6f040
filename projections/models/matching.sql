-- name: some
-- Some records. Unqualified here and where tables are written: the runner sets the schema.
SELECT record, noun, facts FROM records WHERE record = ANY ($1::uuid[]);

-- name: store
-- New states of some records. Sets of pseudonyms come as texts: an array of arrays would have to be rectangular.
INSERT INTO records
    (record, noun, standing, earliest, latest, state, cvegeo, site, severity, people, documents, facts)
SELECT record, noun, standing, earliest, latest, state, cvegeo, site, severity,
    string_to_array(people, ' '), string_to_array(documents, ' '), facts
FROM unnest(
    $1::uuid[], $2::text[], $3::boolean[], $4::date[], $5::date[], $6::text[], $7::text[], $8::uuid[], $9::text[],
    $10::text[], $11::text[], $12::bytea[]
) AS given (record, noun, standing, earliest, latest, state, cvegeo, site, severity, people, documents, facts)
ON CONFLICT (record) DO UPDATE SET
    standing = excluded.standing, earliest = excluded.earliest, latest = excluded.latest, state = excluded.state,
    cvegeo = excluded.cvegeo, site = excluded.site, severity = excluded.severity, people = excluded.people,
    documents = excluded.documents, facts = excluded.facts;

-- name: candidates
-- What the rules of registry.matching.candidates make candidates for a report ($1), each rule by its own index.
-- $2 municipality, $3 site, $4 state, $5 severity; then the first and last day of each window: municipality ($6, $7),
-- site ($8, $9), severity ($10, $11), lethal ($12, $13); $14 people, $15 documents.
WITH candidates AS (
    SELECT record FROM matching.records
    WHERE cvegeo = $2::text AND (latest IS NULL OR (latest >= $6::date AND earliest <= $7::date))
    UNION
    SELECT record FROM matching.records
    WHERE site = $3::uuid AND (latest IS NULL OR (latest >= $8::date AND earliest <= $9::date))
    UNION
    SELECT record FROM matching.records
    WHERE state = $4::text AND severity = $5::text AND latest >= $10::date AND earliest <= $11::date
    UNION
    SELECT record FROM matching.records
    WHERE $5::text = 'KILLED' AND state = $4 AND severity = 'KILLED' AND latest >= $12::date AND earliest <= $13::date
    UNION
    SELECT record FROM matching.records WHERE people && $14::text[]
    UNION
    SELECT record FROM matching.records WHERE documents && $15::text[]
)
SELECT r.record, r.noun, r.facts
FROM candidates c JOIN matching.records r ON r.record = c.record
WHERE r.standing AND r.record <> $1::uuid;
