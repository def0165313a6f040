-- name: supersede
-- The last disclosures of these incidents end where their next ones stand. Unqualified: the runner sets the schema.
UPDATE disclosures SET superseded_at = next.position
FROM unnest($1::uuid[], $2::bigint[]) AS next (incident, position)
WHERE disclosures.incident = next.incident AND disclosures.superseded_at IS NULL;

-- name: disclose
INSERT INTO disclosures (position, superseded_at, incident, class, certainty, disputed, year, month, state, municipality,
                         kind, strict, strict_excluded, broad, broad_excluded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: deaths
INSERT INTO deaths_by_sex (position, nexus, sex, low, best, high) VALUES ($1, $2, $3, $4, $5, $6);

-- name: adopt
INSERT INTO adoptions (position, type, id, sha256) VALUES ($1, $2, $3, $4);

-- name: count
-- One question as of one size, in one statement: a line per reason of exclusion (null: counted), then one per row.
-- $1 size, $2 nexus, $3 offset of the unit in a contribution, $4 classes, $5 kinds, $6 states, $7 municipalities,
-- $8 and $9 period, $10 dimensions, $11 classes that the wanted kinds belong to, $12 states of the wanted municipalities.
-- Verdicts are numbers in the order of match.Verdict: 0 outside, 1 match, 2 not reported, 3 unknown, 4 undisclosed.
WITH current AS (
    SELECT *,
        CASE WHEN $2::text = 'STRICT' THEN strict ELSE broad END AS contribution,
        CASE WHEN $2::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END AS never
    FROM public_count.disclosures
    WHERE position < $1::bigint AND (superseded_at IS NULL OR superseded_at >= $1::bigint)
        AND ($4::text[] IS NULL OR class = ANY ($4::text[]))
        AND ($11::text[] IS NULL OR class = ANY ($11::text[]))
), judged AS (
    SELECT *,
        CASE
            WHEN $5::text[] IS NULL OR kind = ANY ($5::text[]) THEN 1
            WHEN kind IS NULL THEN 4
            WHEN kind = 'UNKNOWN' THEN 3
            WHEN kind = 'NOT_REPORTED' THEN 2
            ELSE 0
        END AS by_kind,
        CASE
            WHEN $6::text[] IS NULL OR state = ANY ($6::text[]) THEN 1
            WHEN state IS NULL THEN 4
            WHEN state = 'UNKNOWN' THEN 3
            ELSE 0
        END AS by_state,
        CASE
            WHEN $7::text[] IS NULL THEN 1
            WHEN 'UNKNOWN' <> ALL ($7::text[]) AND state <> 'UNKNOWN' AND state <> ALL ($12::text[]) THEN 0
            WHEN municipality = ANY ($7::text[]) THEN 1
            WHEN municipality IS NULL THEN 4
            WHEN municipality = 'UNKNOWN' THEN 3
            ELSE 0
        END AS by_municipality,
        CASE
            WHEN $8::text IS NULL THEN 1
            WHEN month <> 'UNKNOWN' THEN
                CASE WHEN month COLLATE "C" BETWEEN $8::text AND $9::text THEN 1 ELSE 0 END
            WHEN year IS NULL THEN 4
            WHEN year = 'UNKNOWN' THEN 3
            WHEN $8::text <= (year || '-01') COLLATE "C" AND (year || '-12') COLLATE "C" <= $9::text THEN 1
            WHEN (year || '-12') COLLATE "C" < $8::text OR $9::text < (year || '-01') COLLATE "C" THEN 0
            WHEN month IS NULL THEN 4
            ELSE 3
        END AS by_period
    FROM current
), candidates AS (
    SELECT *, coalesce(never, CASE greatest(by_kind, by_state, by_municipality, by_period)
                                  WHEN 2 THEN 'NOT_REPORTED' WHEN 3 THEN 'UNKNOWN' WHEN 4 THEN 'UNDISCLOSED'
                              END) AS excluded
    FROM judged
    WHERE least(by_kind, by_state, by_municipality, by_period) > 0
)
SELECT false AS is_row, excluded, count(*) AS incidents, count(*) FILTER (WHERE disputed) AS disputed,
    NULL AS class, NULL AS kind, NULL AS year, NULL AS month, NULL AS state, NULL AS municipality, NULL AS certainty,
    NULL AS sex,
    sum(contribution[$3::int + 1]) AS low, sum(contribution[$3::int + 2]) AS best, sum(contribution[$3::int + 3]) AS high
FROM candidates
GROUP BY excluded
UNION ALL
SELECT true, NULL, count(*), 0,
    CASE WHEN 'CLASS' = ANY ($10::text[]) THEN class END,
    CASE WHEN 'KIND' = ANY ($10::text[]) THEN kind END,
    CASE WHEN 'YEAR' = ANY ($10::text[]) THEN year END,
    CASE WHEN 'MONTH' = ANY ($10::text[]) THEN month END,
    CASE WHEN 'STATE' = ANY ($10::text[]) THEN state END,
    CASE WHEN 'MUNICIPALITY' = ANY ($10::text[]) THEN municipality END,
    CASE WHEN 'CERTAINTY' = ANY ($10::text[]) THEN certainty END,
    sex,
    sum(low), sum(best), sum(high)
FROM (
    SELECT class, kind, year, month, state, municipality, certainty, NULL AS sex,
        contribution[$3::int + 1] AS low, contribution[$3::int + 2] AS best, contribution[$3::int + 3] AS high
    FROM candidates
    WHERE excluded IS NULL AND cardinality($10::text[]) > 0 AND 'SEX' <> ALL ($10::text[])
    UNION ALL
    SELECT class, kind, year, month, state, municipality, certainty, dead.sex, dead.low, dead.best, dead.high
    FROM candidates JOIN public_count.deaths_by_sex AS dead USING (position)
    WHERE excluded IS NULL AND 'SEX' = ANY ($10::text[]) AND dead.nexus = $2::text
) AS parts
GROUP BY 5, 6, 7, 8, 9, 10, 11, 12
HAVING sum(high) > 0;

-- name: standing
-- What an answer as of size $1 needs beside the count: how far the read models are, if they are of the versions $2 and
-- $3, the definition in force, and how many incidents wait for a release.
SELECT
    (SELECT min(position) FROM projections.positions WHERE name IN ('public_count', 'waiting')) AS reached,
    (SELECT count(*) FROM projections.positions
     WHERE (name, version) IN (('public_count', $2::integer), ('waiting', $3::integer))) AS ours,
    (SELECT name FROM projections.positions
     WHERE name IN ('public_count', 'waiting') AND failed IS NOT NULL ORDER BY position LIMIT 1) AS stopped,
    (SELECT id || ' ' || sha256 FROM public_count.adoptions
     WHERE type = 'definition.adopted' AND position < $1 ORDER BY position DESC LIMIT 1) AS definition,
    (SELECT count(*) FROM waiting.intervals WHERE since < $1 AND (until IS NULL OR until >= $1)) AS waiting;
