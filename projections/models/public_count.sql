-- name: supersede
-- The last disclosures of these incidents end where their next ones stand. Unqualified: the runner sets the schema.
UPDATE disclosures SET superseded_at = next.position
FROM unnest($1::uuid[], $2::bigint[]) AS next (incident, position)
WHERE disclosures.incident = next.incident AND disclosures.superseded_at IS NULL;

-- name: disclose
INSERT INTO disclosures (position, superseded_at, incident, class, status, merged_into, certainty, disputed, tally, year,
                         month, state, municipality, kind, sex, strict, strict_excluded, broad, broad_excluded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: deaths
INSERT INTO deaths_by_sex (position, nexus, sex, low, best, high) VALUES ($1, $2, $3, $4, $5, $6);

-- name: adopt
INSERT INTO adoptions (position, type, id, sha256) VALUES ($1, $2, $3, $4);

-- name: close
-- A release ended at size $1: what changed since the one before is folded into the cells, and nothing else is touched.
WITH before AS (
    SELECT coalesce(max(size), 0) AS size FROM releases
), closed AS (
    INSERT INTO releases (size) VALUES ($1::bigint)
), changed AS (
    SELECT 1 AS sign, d.* FROM disclosures d
    WHERE position >= (SELECT size FROM before) AND position < $1::bigint
        AND (superseded_at IS NULL OR superseded_at >= $1::bigint)
    UNION ALL
    SELECT -1, d.* FROM disclosures d
    WHERE superseded_at >= (SELECT size FROM before) AND superseded_at < $1::bigint
        AND position < (SELECT size FROM before)
), told AS (
    SELECT sign, disputed, by_nexus.nexus, grain,
        CASE WHEN grain <> 1 THEN class ELSE '' END AS class,
        CASE WHEN grain <> 1 THEN certainty ELSE '' END AS certainty, coalesce(by_nexus.excluded, '') AS excluded, sums,
        CASE WHEN grain > 0 THEN coalesce(year, '') ELSE '' END AS year,
        CASE WHEN grain > 0 THEN coalesce(CASE WHEN month <> 'UNKNOWN' THEN left(month, 4) END, year, '') ELSE '' END
            AS occurred,
        CASE WHEN grain > 0 THEN coalesce(state, '') ELSE '' END AS state,
        CASE WHEN grain = 2 THEN coalesce(kind, '') ELSE '' END AS kind,
        CASE WHEN grain = 3 THEN coalesce(month, '') ELSE '' END AS month,
        CASE WHEN grain = 4 THEN coalesce(municipality, '') ELSE '' END AS municipality
    FROM changed
    CROSS JOIN generate_series(0, 4) AS grain
    CROSS JOIN LATERAL (VALUES ('STRICT', strict, strict_excluded), ('BROAD', broad, broad_excluded))
        AS by_nexus (nexus, sums, excluded)
), delta AS (
    SELECT
        concat_ws('|', grain, nexus, class, certainty, excluded, year, occurred, month, state, municipality, kind) AS key,
        grain, nexus, class, certainty, excluded, year, occurred, month, state, municipality, kind,
        sum(sign) AS incidents, coalesce(sum(sign) FILTER (WHERE disputed), 0) AS disputed,
        ARRAY[sum(sign * sums[1]), sum(sign * sums[2]), sum(sign * sums[3]), sum(sign * sums[4]), sum(sign * sums[5]),
              sum(sign * sums[6]), sum(sign * sums[7]), sum(sign * sums[8]), sum(sign * sums[9])]::bigint[] AS sums
    FROM told
    GROUP BY grain, nexus, class, certainty, excluded, year, occurred, month, state, municipality, kind
), moved AS (
    SELECT * FROM delta WHERE incidents <> 0 OR disputed <> 0 OR 0 <> ANY (sums)
), ended AS (
    UPDATE cells SET until = $1::bigint FROM moved
    WHERE cells.key = moved.key AND cells.until = 9223372036854775807
    RETURNING cells.key, cells.incidents, cells.disputed, cells.sums
)
INSERT INTO cells (key, grain, nexus, since, until, class, certainty, excluded, year, occurred, month, state, municipality,
                   kind, incidents, disputed, sums)
SELECT key, grain, nexus, $1::bigint, 9223372036854775807, class, certainty, excluded, year, occurred, month, state,
    municipality, kind, moved.incidents + coalesce(ended.incidents, 0), moved.disputed + coalesce(ended.disputed, 0),
    CASE WHEN ended.sums IS NULL THEN moved.sums
         ELSE ARRAY(SELECT one + other FROM unnest(moved.sums, ended.sums) WITH ORDINALITY AS s (one, other, n) ORDER BY n)
    END
FROM moved LEFT JOIN ended USING (key)
WHERE moved.incidents + coalesce(ended.incidents, 0) <> 0;
