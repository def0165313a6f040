-- name: append
-- Every argument but the first is an array of rows; see the function's own comment.
SELECT command, outcome, stored_event_ids, stored_positions FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: size
-- The number of leaves, that is the next position.
SELECT size FROM head;

-- name: stream
-- The events of one stream after a version, in order.
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM events
WHERE stream_id = $1 AND version > $2
ORDER BY version;

-- name: history
-- What folding needs of one stream after a version, in order: no leaves. At most $3, and all if that is null: under a
-- limit that it does not know, the planner reads in the order of the index, and otherwise collects all and sorts.
SELECT type, state FROM events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3;

-- name: histories
-- The same of several streams ($1), each after a version ($2). Here and below OFFSET 0 keeps the look-up one by the index
-- for each that is asked for: as a join, a plan made while the table was small would go on reading all of it.
SELECT asked.n, e.type, e.state
FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS asked (stream_id, version, n)
CROSS JOIN LATERAL (
    SELECT version, type, state FROM events WHERE stream_id = asked.stream_id AND version > asked.version OFFSET 0
) AS e
ORDER BY asked.n, e.version;

-- name: page
-- A page of the log from a position on.
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM events
WHERE position >= $1
ORDER BY position
LIMIT $2;

-- name: by_ids
-- Events by id, in the order asked for.
SELECT e.position, e.event_id, e.stream_id, e.version, e.type, e.state, e.leaf, e.leaf_hash
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (event_id, n)
JOIN events e USING (event_id)
ORDER BY asked.n;

-- name: at_position
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM events
WHERE position = $1;

-- name: private_parts
-- The encrypted parts of some events.
SELECT event_id, subject, ciphertext FROM private_parts WHERE event_id = ANY ($1::uuid[]);

-- name: commitment_keys
-- The wrapped commitment keys of some events.
SELECT event_id, field, subjects, wrapped FROM commitment_keys WHERE event_id = ANY ($1::uuid[]);

-- name: content_keys
-- The same of the contents of entries: all subjects that they cover, and whether any private value is among them.
SELECT k.event_id, k.subjects, k.wrapped, EXISTS (SELECT FROM private_parts p WHERE p.event_id = k.event_id) AS private
FROM commitment_keys k WHERE k.event_id = ANY ($1::uuid[]) AND k.field = 'content';

-- name: idempotency_keys
-- What was stored under Idempotency-Keys of institutions.
SELECT asked.n, known.body, known.event_ids
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (institution, key, n)
CROSS JOIN LATERAL (
    SELECT k.body, k.event_ids FROM idempotency_keys k
    WHERE k.institution = asked.institution AND k.key = asked.key AND k.created > now() - interval '30 days'
    OFFSET 0
) AS known;

-- name: forget_idempotency_keys
-- Those that no longer count.
-- Every institution's: they expire alike.
DELETE FROM idempotency_keys WHERE created <= now() - interval '30 days';

-- name: source_records
-- What institutions' own records made.
SELECT asked.n, known.content, known.stream_id, known.event_ids
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (institution, name, n)
CROSS JOIN LATERAL (
    SELECT r.content, r.stream_id, r.event_ids FROM source_records r
    WHERE r.institution = asked.institution AND r.source_record_id = asked.name
    OFFSET 0
) AS known;

-- name: current_source_records
-- What one institution's ($1) records of some names ($2) say now: their newest revision, among those under the name and
-- those whose names begin as said beside it ($3).
SELECT asked.n, r.stream_id, newest.source_record_id, newest.content, newest.positions
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS asked (name, revisions, n)
JOIN source_records r ON r.institution = $1 AND r.source_record_id = asked.name
CROSS JOIN LATERAL (
    SELECT s.source_record_id, s.content,
           (SELECT array_agg(every.position ORDER BY every.position)
            FROM events every WHERE every.event_id = ANY (s.event_ids)) AS positions
    FROM source_records s JOIN events e ON e.event_id = s.event_ids[1]
    WHERE s.stream_id = r.stream_id AND s.institution = $1
      AND (s.source_record_id = asked.name OR starts_with(s.source_record_id, asked.revisions))
    ORDER BY e.position DESC
    LIMIT 1
) AS newest;

-- name: source_record_id
-- Every institution's: shown beside the record, to whoever may see that (registry.application.reading).
-- The sender's own id of the record that a stream is; not those of facts that were added to it.
SELECT r.source_record_id
FROM source_records r JOIN events e ON e.event_id = r.event_ids[1]
WHERE r.stream_id = $1 AND e.version = 1;

-- name: holders
-- Which stream holds each of some exclusive names; none for a name that is free.
SELECT name, stream_id FROM exclusive_names WHERE name = ANY ($1::text[]);

-- name: source_records_named
-- Every institution's: readers and references leave out what the caller may not see.
-- The streams that any institution's record of this name made.
SELECT institution, stream_id FROM source_records WHERE source_record_id = $1;

-- name: following
-- A page for a subscriber: of the events from $1 on and before $2, those of the types in $3 (all, if it is empty), at
-- most $4, and none after those whose bytes come to $5. Only what is returned is read in full.
-- The upper bound is a comparison of rows: it bounds the index scan as any other would, but of two plain bounds the
-- planner supposes that hardly anything lies between, and then sorts all that does for every page.
SELECT position, event_id, stream_id, version, type, state, leaf, leaf_hash
FROM (
    SELECT e.*, sum(octet_length(state) + octet_length(leaf))
                OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (
        SELECT * FROM events
        WHERE position >= $1 AND (position, 0) < ($2, 0) AND (cardinality($3::text[]) = 0 OR type = ANY ($3))
        ORDER BY position
        LIMIT $4
    ) AS e
) AS page
WHERE COALESCE(bytes_before, 0) < $5::bigint
ORDER BY position;

-- name: stream_forwards
-- The events of one stream with versions above $2 and up to $3, in order, at most $4 (all, if that is null).
SELECT version, type, state
FROM events
WHERE stream_id = $1 AND version > $2 AND version <= $3
ORDER BY version
LIMIT $4;

-- name: stream_backwards
-- The same, the newest first.
SELECT version, type, state
FROM events
WHERE stream_id = $1 AND version > $2 AND version <= $3
ORDER BY version DESC
LIMIT $4;

-- name: notifications
-- At most $4 events from position $1 on and before $2, of the types in $3 (all, if it is empty). Bounded as above.
SELECT stream_id, version, type, state, position + 1 AS id
FROM events
WHERE position >= $1 AND (position, 0) < ($2, 0) AND (cardinality($3::text[]) = 0 OR type = ANY ($3))
ORDER BY position
LIMIT $4;
