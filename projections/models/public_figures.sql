-- Questions about the tables of public_count. What begins with a dollar and a letter is put in before a statement is
-- prepared: the blocks below, names of columns, and parameters for what is filtered by.

-- name: answer
-- One question as of one size, in one statement. First a line that says what “standing” says, as JSON; then a line for
-- each reason of exclusion (null: counted) and, of what counts, each row. $4 nexus, $5 offset of the unit in a
-- contribution; from $6 on what is filtered by.
WITH standing AS MATERIALIZED (
    $standing
), release AS MATERIALIZED (
    SELECT coalesce(max(size), 0) AS size FROM public_count.releases WHERE size <= (SELECT size FROM standing)
)
SELECT ($told) AS standing,
    NULL AS excluded, 0 AS incidents, 0 AS disputed, 0 AS low, 0 AS best, 0 AS high$nulls
UNION ALL
SELECT NULL, excluded, sum(incidents)::bigint, sum(disputed)::bigint, sum(low)::bigint, sum(best)::bigint,
    sum(high)::bigint$names
FROM (
    SELECT excluded, incidents, disputed, low, best, high$shown
    FROM (
        SELECT *, $excluded AS excluded
        FROM ($source) AS told
        WHERE $belongs
    ) AS judged
) AS shown
GROUP BY excluded$names

-- name: from_cells
-- What the cells of one grain held after the last release, and beside them, incident by incident, what was disclosed
-- since (sign 1) and what that replaced (sign -1).
SELECT class, certainty, nullif(year, '') AS year, nullif(occurred, '') AS occurred, nullif(month, '') AS month,
    nullif(state, '') AS state, nullif(municipality, '') AS municipality, nullif(kind, '') AS kind, NULL AS sex,
    nullif(excluded, '') AS never, incidents, disputed,
    sums[$5::integer + 1] AS low, sums[$5::integer + 2] AS best, sums[$5::integer + 3] AS high
FROM public_count.cells
WHERE grain = $grain AND nexus = $4::text
    AND until > (SELECT size FROM release) AND since <= (SELECT size FROM release)
UNION ALL
SELECT class, certainty, year, coalesce(CASE WHEN month <> 'UNKNOWN' THEN left(month, 4) END, year), month, state,
    municipality, kind, NULL, CASE WHEN $4::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END, sign,
    sign * disputed::integer, sign * sums[$5::integer + 1], sign * sums[$5::integer + 2], sign * sums[$5::integer + 3]
FROM (
    SELECT 1 AS sign, d.*, CASE WHEN $4::text = 'STRICT' THEN strict ELSE broad END AS sums
    FROM public_count.disclosures d
    WHERE position >= (SELECT size FROM release) AND position < (SELECT size FROM standing)
        AND (superseded_at IS NULL OR superseded_at >= (SELECT size FROM standing))
    UNION ALL
    SELECT -1, d.*, CASE WHEN $4::text = 'STRICT' THEN strict ELSE broad END
    FROM public_count.disclosures d
    WHERE superseded_at >= (SELECT size FROM release) AND superseded_at < (SELECT size FROM standing)
        AND position < (SELECT size FROM release)
) AS since

-- name: from_disclosures
-- Every disclosure that was the last of its incident: for what no grain tells apart.
SELECT class, certainty, year, coalesce(CASE WHEN month <> 'UNKNOWN' THEN left(month, 4) END, year) AS occurred, month,
    state, municipality, kind, NULL AS sex,
    CASE WHEN $4::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END AS never, 1 AS incidents,
    disputed::integer AS disputed, sums[$5::integer + 1] AS low, sums[$5::integer + 2] AS best,
    sums[$5::integer + 3] AS high
FROM (
    SELECT *, CASE WHEN $4::text = 'STRICT' THEN strict ELSE broad END AS sums
    FROM public_count.disclosures
    WHERE position < (SELECT size FROM standing)
        AND (superseded_at IS NULL OR superseded_at >= (SELECT size FROM standing))
) AS d

-- name: from_the_dead
-- The same, a line for each sex of the dead, the first of which stands for the incident; one without a sex where nobody
-- died.
SELECT class, certainty, year, coalesce(CASE WHEN month <> 'UNKNOWN' THEN left(month, 4) END, year) AS occurred, month,
    state, municipality, kind, dead.sex,
    CASE WHEN $4::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END AS never,
    (coalesce(dead.number, 1) = 1)::integer AS incidents,
    (disputed AND coalesce(dead.number, 1) = 1)::integer AS disputed,
    coalesce(dead.low, 0) AS low, coalesce(dead.best, 0) AS best, coalesce(dead.high, 0) AS high, $5::integer AS deaths
FROM public_count.disclosures
LEFT JOIN LATERAL (
    SELECT sex, low, best, high, row_number() OVER () AS number
    FROM public_count.deaths_by_sex
    WHERE deaths_by_sex.position = disclosures.position AND nexus = $4::text
) AS dead ON true
WHERE disclosures.position < (SELECT size FROM standing)
    AND (superseded_at IS NULL OR superseded_at >= (SELECT size FROM standing))

-- name: reason
-- Why an incident that may belong is not counted.
CASE $verdict WHEN 2 THEN 'NOT_REPORTED' WHEN 3 THEN 'UNKNOWN' WHEN 4 THEN 'UNDISCLOSED' END

-- name: by_kinds
-- Verdicts, here and below, are numbers in the order of match.Verdict: 0 outside, 1 match, 2 not reported, 3 unknown,
-- 4 undisclosed.
CASE
    WHEN class <> ALL ($their_classes) THEN 0
    WHEN kind = ANY ($kinds) THEN 1
    WHEN kind IS NULL THEN 4
    WHEN kind = 'UNKNOWN' THEN 3
    WHEN kind = 'NOT_REPORTED' THEN 2
    ELSE 0
END

-- name: by_states
CASE
    WHEN state = ANY ($states) THEN 1
    WHEN state IS NULL THEN 4
    WHEN state = 'UNKNOWN' THEN 3
    ELSE 0
END

-- name: by_municipalities
CASE
    WHEN 'UNKNOWN' <> ALL ($municipalities) AND state <> 'UNKNOWN' AND state <> ALL ($their_states) THEN 0
    WHEN municipality = ANY ($municipalities) THEN 1
    WHEN municipality IS NULL THEN 4
    WHEN municipality = 'UNKNOWN' THEN 3
    ELSE 0
END

-- name: by_period
CASE
    WHEN month <> 'UNKNOWN' THEN CASE WHEN month COLLATE "C" BETWEEN $first AND $last THEN 1 ELSE 0 END
    WHEN occurred IS NULL THEN 4
    WHEN occurred = 'UNKNOWN' THEN 3
    WHEN $first <= (occurred || '-01') COLLATE "C" AND (occurred || '-12') COLLATE "C" <= $last THEN 1
    WHEN (occurred || '-12') COLLATE "C" < $first OR $last < (occurred || '-01') COLLATE "C" THEN 0
    WHEN month IS NULL THEN 4
    ELSE 3
END

-- name: by_classes
CASE WHEN class = ANY ($classes) THEN 1 ELSE 0 END
