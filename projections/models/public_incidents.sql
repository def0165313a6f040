-- The disclosed incidents one by one, out of the tables of public_count.

-- name: page
-- First a line that says what “standing” says (parameters $1 to $3), as JSON, in the column of the class. Then the last
-- disclosures as of that size of incidents behind $4 in the order of their ids, at most $5, whose open facets prove that
-- they belong to the question: $6 nexus, $7 classes, $8 kinds, $9 states, $10 municipalities, $11 and $12 period.
-- The blocks of standing.sql are put in before it is prepared.
WITH standing AS MATERIALIZED (
    $standing
)
SELECT NULL::uuid AS incident, NULL::bigint AS position, ($told) AS class, NULL AS status, NULL::uuid AS merged_into,
    NULL AS certainty, NULL::boolean AS disputed, NULL AS tally, NULL AS year, NULL AS state, NULL AS kind,
    NULL AS municipality, NULL AS month, NULL AS sex
UNION ALL
(SELECT incident, position, class, status, merged_into, certainty, disputed, tally, year, state, kind, municipality, month,
    sex
FROM public_count.disclosures
WHERE incident > $4::uuid
    AND position < (SELECT size FROM standing)
    AND (superseded_at IS NULL OR superseded_at >= (SELECT size FROM standing))
    AND (CASE WHEN $6::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END)
        IS DISTINCT FROM 'NO_IN_SCOPE_VICTIM'
    AND ($7::text[] IS NULL OR class = ANY ($7::text[]))
    AND ($8::text[] IS NULL OR kind = ANY ($8::text[]))
    AND ($9::text[] IS NULL OR state = ANY ($9::text[]))
    AND ($10::text[] IS NULL OR municipality = ANY ($10::text[]))
    AND ($11::text IS NULL OR CASE
        WHEN month <> 'UNKNOWN' THEN month COLLATE "C" BETWEEN $11::text AND $12::text
        ELSE year <> 'UNKNOWN' AND $11::text <= (year || '-01') COLLATE "C" AND (year || '-12') COLLATE "C" <= $12::text
    END)
ORDER BY incident
LIMIT $5);

-- name: one
-- The last disclosure of incident $2 as of size $1.
SELECT incident, position, class, status, merged_into, certainty, disputed, tally, year, state, kind, municipality, month,
    sex
FROM public_count.disclosures
WHERE incident = $2::uuid AND position < $1::bigint
ORDER BY position DESC
LIMIT 1;
