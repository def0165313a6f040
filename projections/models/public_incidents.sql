-- The disclosed incidents one by one, out of the tables of public_count.

-- name: page
-- The last disclosures as of size $1 of incidents behind $2 in the order of their ids, at most $3, whose open facets
-- prove that they belong to the question: $4 nexus, $5 classes, $6 kinds, $7 states, $8 municipalities, $9 and $10 period.
SELECT incident, position, class, status, merged_into, certainty, disputed, tally, year, state, kind, municipality, month,
    sex
FROM public_count.disclosures
WHERE incident > $2::uuid
    AND position < $1::bigint AND (superseded_at IS NULL OR superseded_at >= $1::bigint)
    AND (CASE WHEN $4::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END)
        IS DISTINCT FROM 'NO_IN_SCOPE_VICTIM'
    AND ($5::text[] IS NULL OR class = ANY ($5::text[]))
    AND ($6::text[] IS NULL OR kind = ANY ($6::text[]))
    AND ($7::text[] IS NULL OR state = ANY ($7::text[]))
    AND ($8::text[] IS NULL OR municipality = ANY ($8::text[]))
    AND ($9::text IS NULL OR CASE
        WHEN month <> 'UNKNOWN' THEN month COLLATE "C" BETWEEN $9::text AND $10::text
        ELSE year <> 'UNKNOWN' AND $9::text <= (year || '-01') COLLATE "C" AND (year || '-12') COLLATE "C" <= $10::text
    END)
ORDER BY incident
LIMIT $3;

-- name: one
-- The last disclosure of incident $2 as of size $1.
SELECT incident, position, class, status, merged_into, certainty, disputed, tally, year, state, kind, municipality, month,
    sex
FROM public_count.disclosures
WHERE incident = $2::uuid AND position < $1::bigint
ORDER BY position DESC
LIMIT 1;
