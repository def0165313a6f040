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

-- name: count
-- One question as of one size, in one statement: a line per reason of exclusion (null: counted), then one per row.
-- $1 size, $2 nexus, $3 offset of the unit in a contribution, $4 classes, $5 kinds, $6 states, $7 municipalities,
-- $8 and $9 period, $10 dimensions (bits in the order of query.Dimension: CLASS 1 to SEX 128), $11 classes that the wanted
-- kinds belong to, $12 states of the wanted municipalities, $13 and $14 versions of the read models, $grain the grain of
-- the cells that tell all of this apart, -1 if none does: put in before the statement is prepared.
-- One more line, with neither true nor false in its first column, is what “standing” says of the size, as JSON.
-- What counts is the cells of the last release, and beside them, incident by incident, what was disclosed since (sign 1)
-- and what that replaced (sign -1); without a grain, everything.
-- Verdicts are numbers in the order of match.Verdict: 0 outside, 1 match, 2 not reported, 3 unknown, 4 undisclosed.
WITH asked AS MATERIALIZED (
    SELECT asked.size, checkpoints.root, checkpoints.note, checkpoints.published_at,
        (SELECT min(position) FROM projections.positions WHERE name IN ('public_count', 'waiting')) AS reached,
        (SELECT count(*) FROM projections.positions
         WHERE (name, version) IN (('public_count', $13::integer), ('waiting', $14::integer))) AS ours,
        (SELECT name FROM projections.positions
         WHERE name IN ('public_count', 'waiting') AND failed IS NOT NULL ORDER BY position LIMIT 1) AS stopped,
        (SELECT id || ' ' || sha256 FROM public_count.adoptions
         WHERE type = 'definition.adopted' AND position < asked.size ORDER BY position DESC LIMIT 1) AS definition,
        (SELECT count(*) FROM waiting.intervals WHERE int8range(since, until) @> asked.size - 1) AS waiting
    FROM (SELECT coalesce($1::bigint, (SELECT max(size) FROM checkpoints)) AS size) AS asked
    LEFT JOIN checkpoints USING (size)
), release AS (
    SELECT CASE WHEN $grain < 0 THEN 0
                ELSE (SELECT coalesce(max(size), 0) FROM public_count.releases WHERE size <= (SELECT size FROM asked)) END AS size
), apart AS (
    SELECT 1 AS sign, d.* FROM public_count.disclosures d
    WHERE position >= (SELECT size FROM release) AND position < (SELECT size FROM asked)
        AND (superseded_at IS NULL OR superseded_at >= (SELECT size FROM asked))
    UNION ALL
    SELECT -1, d.* FROM public_count.disclosures d
    WHERE superseded_at >= (SELECT size FROM release) AND superseded_at < (SELECT size FROM asked)
        AND position < (SELECT size FROM release)
), current AS (
    SELECT class, certainty, nullif(year, '') AS year, nullif(occurred, '') AS occurred, nullif(month, '') AS month,
        nullif(state, '') AS state, nullif(municipality, '') AS municipality, nullif(kind, '') AS kind,
        NULL::bigint AS position, nullif(excluded, '') AS never, incidents, disputed,
        sums[$3::int + 1] AS low, sums[$3::int + 2] AS best, sums[$3::int + 3] AS high
    FROM public_count.cells
    WHERE grain = $grain AND nexus = $2::text
        AND until > (SELECT size FROM release) AND since <= (SELECT size FROM release)
    UNION ALL
    SELECT class, certainty, year, coalesce(CASE WHEN month <> 'UNKNOWN' THEN left(month, 4) END, year), month,
        state, municipality, kind, position, never, sign, sign * disputed::int,
        sign * sums[$3::int + 1], sign * sums[$3::int + 2], sign * sums[$3::int + 3]
    FROM (
        SELECT *, CASE WHEN $2::text = 'STRICT' THEN strict ELSE broad END AS sums,
            CASE WHEN $2::text = 'STRICT' THEN strict_excluded ELSE broad_excluded END AS never
        FROM apart
    ) AS of_nexus
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
            WHEN occurred IS NULL THEN 4
            WHEN occurred = 'UNKNOWN' THEN 3
            WHEN $8::text <= (occurred || '-01') COLLATE "C" AND (occurred || '-12') COLLATE "C" <= $9::text THEN 1
            WHEN (occurred || '-12') COLLATE "C" < $8::text OR $9::text < (occurred || '-01') COLLATE "C" THEN 0
            WHEN month IS NULL THEN 4
            ELSE 3
        END AS by_period
    FROM current
    WHERE ($4::text[] IS NULL OR class = ANY ($4::text[])) AND ($11::text[] IS NULL OR class = ANY ($11::text[]))
), candidates AS (
    SELECT *, greatest(by_kind, by_state, by_municipality, by_period) = 1 AS matches,
        coalesce(never, CASE greatest(by_kind, by_state, by_municipality, by_period)
                            WHEN 2 THEN 'NOT_REPORTED' WHEN 3 THEN 'UNKNOWN' WHEN 4 THEN 'UNDISCLOSED'
                        END) AS excluded
    FROM judged
    WHERE least(by_kind, by_state, by_municipality, by_period) > 0
)
SELECT NULL::boolean AS is_row, json_build_object(
        'size', size, 'root', encode(root, 'base64'), 'note', note,
        'published_at', (extract(epoch FROM published_at) * 1000000)::bigint, 'reached', reached, 'ours', ours,
        'stopped', stopped, 'definition', definition, 'waiting', waiting)::text AS excluded,
    0 AS incidents, 0 AS disputed, 0 AS matching,
    NULL AS class, NULL AS kind, NULL AS year, NULL AS month, NULL AS state, NULL AS municipality, NULL AS certainty,
    NULL AS sex, 0 AS low, 0 AS best, 0 AS high
FROM asked
UNION ALL
SELECT false, excluded, sum(incidents)::bigint, sum(disputed)::bigint,
    coalesce(sum(incidents) FILTER (WHERE matches), 0)::bigint,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    sum(low)::bigint, sum(best)::bigint, sum(high)::bigint
FROM candidates
GROUP BY excluded
HAVING sum(incidents) <> 0
UNION ALL
SELECT true, NULL, 0, 0, 0,
    CASE WHEN $10::int & 1 > 0 THEN class END,
    CASE WHEN $10::int & 2 > 0 THEN kind END,
    CASE WHEN $10::int & 4 > 0 THEN year END,
    CASE WHEN $10::int & 8 > 0 THEN month END,
    CASE WHEN $10::int & 16 > 0 THEN state END,
    CASE WHEN $10::int & 32 > 0 THEN municipality END,
    CASE WHEN $10::int & 64 > 0 THEN certainty END,
    sex,
    sum(low)::bigint, sum(best)::bigint, sum(high)::bigint
FROM (
    SELECT class, kind, year, month, state, municipality, certainty, NULL AS sex, low, best, high
    FROM candidates
    WHERE excluded IS NULL AND $10::int BETWEEN 1 AND 127
    UNION ALL
    SELECT class, kind, year, month, state, municipality, certainty, dead.sex, dead.low, dead.best, dead.high
    FROM candidates JOIN public_count.deaths_by_sex AS dead USING (position)
    WHERE excluded IS NULL AND $10::int > 127 AND dead.nexus = $2::text
) AS parts
GROUP BY 6, 7, 8, 9, 10, 11, 12, 13
HAVING sum(high) > 0;

-- name: whole
-- A question that filters by nothing, as of one size (null: the latest checkpoint), out of the cells alone: a line per
-- reason of exclusion, and of what counts a line per row, or one for all. First a line that says as JSON what “standing”
-- says, and “apart”: whether anything was disclosed between the last release and that size, which no cell holds; then
-- only “count” knows. $1 size, $2 nexus, $3 offset of the unit, $4 and $5 versions of the read models; $grain the grain,
-- $names the dimensions, $shown as they are read, and $nulls as many nulls, each behind a comma: put in beforehand.
WITH asked AS MATERIALIZED (
    SELECT coalesce($1::bigint, (SELECT max(size) FROM checkpoints)) AS size
), release AS MATERIALIZED (
    SELECT coalesce(max(size), 0) AS size FROM public_count.releases WHERE size <= (SELECT size FROM asked)
)
SELECT json_build_object(
        'size', asked.size, 'root', encode(root, 'base64'), 'note', note,
        'published_at', (extract(epoch FROM published_at) * 1000000)::bigint, 'reached', reached, 'ours', ours,
        'stopped', CASE WHEN failed THEN (
            SELECT name FROM projections.positions
            WHERE name IN ('public_count', 'waiting') AND failed IS NOT NULL ORDER BY position LIMIT 1) END,
        'definition', (
            SELECT id || ' ' || sha256 FROM public_count.adoptions
            WHERE type = 'definition.adopted' AND position < (SELECT size FROM asked) ORDER BY position DESC LIMIT 1),
        'waiting', (
            SELECT count(*) FROM waiting.intervals
            WHERE int8range(since, until) @> (SELECT size FROM asked) - 1),
        'apart', EXISTS (
                SELECT FROM public_count.disclosures
                WHERE position >= (SELECT size FROM release) AND position < (SELECT size FROM asked))
            OR EXISTS (
                SELECT FROM public_count.disclosures
                WHERE superseded_at >= (SELECT size FROM release) AND superseded_at < (SELECT size FROM asked))
    )::text AS standing,
    NULL AS excluded, 0 AS incidents, 0 AS disputed, 0 AS low, 0 AS best, 0 AS high$nulls
FROM asked
CROSS JOIN (
    SELECT min(position) AS reached, bool_or(failed IS NOT NULL) AS failed,
        count(*) FILTER (WHERE version = CASE name WHEN 'waiting' THEN $5::integer ELSE $4::integer END) AS ours
    FROM projections.positions WHERE name IN ('public_count', 'waiting')
) AS read
LEFT JOIN checkpoints ON checkpoints.size = (SELECT size FROM asked)
UNION ALL
SELECT NULL, nullif(excluded, ''), sum(incidents)::bigint, sum(disputed)::bigint,
    sum(low)::bigint, sum(best)::bigint, sum(high)::bigint$names
FROM (
    SELECT excluded, incidents, disputed, sums[$3::int + 1] AS low, sums[$3::int + 2] AS best, sums[$3::int + 3] AS high$shown
    FROM public_count.cells
    WHERE grain = $grain AND nexus = $2::text
        AND until > (SELECT size FROM release) AND since <= (SELECT size FROM release)
) AS told
GROUP BY excluded$names;

-- name: standing
-- What an answer as of size $1 (null: the latest checkpoint) needs beside the count: the checkpoint of that size, how far
-- the read models are, if they are of the versions $2 and $3, the definition in force, and how many incidents wait for a
-- release.
SELECT asked.size, checkpoints.root, checkpoints.note, checkpoints.published_at,
    (SELECT min(position) FROM projections.positions WHERE name IN ('public_count', 'waiting')) AS reached,
    (SELECT count(*) FROM projections.positions
     WHERE (name, version) IN (('public_count', $2::integer), ('waiting', $3::integer))) AS ours,
    (SELECT name FROM projections.positions
     WHERE name IN ('public_count', 'waiting') AND failed IS NOT NULL ORDER BY position LIMIT 1) AS stopped,
    (SELECT id || ' ' || sha256 FROM public_count.adoptions
     WHERE type = 'definition.adopted' AND position < asked.size ORDER BY position DESC LIMIT 1) AS definition,
    (SELECT count(*) FROM waiting.intervals WHERE int8range(since, until) @> asked.size - 1) AS waiting
FROM (SELECT coalesce($1::bigint, (SELECT max(size) FROM checkpoints)) AS size) AS asked
LEFT JOIN checkpoints USING (size);
