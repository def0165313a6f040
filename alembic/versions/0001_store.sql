-- The event store. Correctness rests on the unique indexes and the head row alone.

CREATE TABLE events (
    position   bigint PRIMARY KEY CHECK (position >= 0),
    event_id   uuid   NOT NULL UNIQUE,
    stream_id  uuid   NOT NULL,
    version    bigint NOT NULL CHECK (version >= 1),
    type       text   NOT NULL,
    state      bytea  NOT NULL,
    leaf       bytea  NOT NULL CHECK (octet_length(leaf) BETWEEN 1 AND 65535),
    leaf_hash  bytea  NOT NULL CHECK (octet_length(leaf_hash) = 32),
    UNIQUE (stream_id, version)
);
COMMENT ON TABLE events IS 'Every accepted event, once, at its position (= leaf index, from 0, gapless). Never updated.';
COMMENT ON COLUMN events.leaf IS 'The exact bytes of the leaf, built once and served verbatim for ever.';

-- One row. Whoever holds its lock assigns the next positions: commit order = position order.
-- fillfactor: the row is rewritten by every append and should stay on its page (HOT).
CREATE TABLE head (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    size  bigint NOT NULL CHECK (size >= 0)
) WITH (fillfactor = 10);
INSERT INTO head (size) VALUES (0);

-- The private part of an event, encrypted under its subject's data key. Deleted when the subject is erased.
-- No foreign keys here or below: only append writes these rows, in the transaction that stores their events.
CREATE TABLE private_parts (
    event_id   uuid  NOT NULL,
    subject    text  NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (event_id, subject)
);
CREATE INDEX private_parts_by_subject ON private_parts (subject);

-- Keys of the commitments in leaves, wrapped under the data keys of all subjects that the value covers.
CREATE TABLE commitment_keys (
    event_id uuid  NOT NULL,
    field    text  NOT NULL,
    subjects text[] NOT NULL,
    wrapped  bytea NOT NULL,
    PRIMARY KEY (event_id, field)
);
CREATE INDEX commitment_keys_by_subject ON commitment_keys USING gin (subjects);

-- Answers are rebuilt from the events; of the body only its HMAC is kept. Counts for 30 days, then it is forgotten.
CREATE TABLE idempotency_keys (
    institution uuid  NOT NULL,
    key         text  NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body        bytea NOT NULL CHECK (octet_length(body) = 32),
    event_ids   uuid[] NOT NULL,
    created     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (institution, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);

CREATE TABLE source_records (
    institution      uuid  NOT NULL,
    source_record_id text  NOT NULL CHECK (length(source_record_id) BETWEEN 1 AND 255),
    content          bytea NOT NULL CHECK (octet_length(content) = 32),
    stream_id        uuid  NOT NULL,
    event_ids        uuid[] NOT NULL,
    PRIMARY KEY (institution, source_record_id)
);
CREATE INDEX source_records_by_id ON source_records (source_record_id);
CREATE INDEX source_records_by_stream ON source_records (stream_id);

-- Data keys that were erased, by id. What was still on its way, sealed under one of them, is not stored: see append.
CREATE TABLE erased_keys (
    id     bytea PRIMARY KEY CHECK (octet_length(id) = 8),
    erased timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erased_keys_by_time ON erased_keys (erased);

-- Erasures that were confirmed and are not finished. Gone with the last of their steps, because they name the subject.
CREATE TABLE erasures (
    requested text    NOT NULL,
    subject   text    NOT NULL,
    key_id    bytea   NOT NULL,
    event_id  uuid    NOT NULL,
    reason    text    NOT NULL,
    deleted   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (requested, subject, key_id)
);
COMMENT ON COLUMN erasures.subject IS 'What goes with the requested subject: itself, or a report that names the person.';
COMMENT ON COLUMN erasures.event_id IS 'Of the subject.erased that will say so.';

-- Wrapped data keys live apart, so that they can be backed up for days only, or in another database.
CREATE SCHEMA vault;
CREATE TABLE vault.data_keys (
    subject text PRIMARY KEY,
    wrapped bytea NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE append_outcome AS ENUM (
    'STORED',            -- new positions were assigned
    'REPLAYED',          -- the idempotency key is known with the same body: its events
    'KEY_REUSED',        -- the idempotency key is known with another body
    'RECORD_REPLAYED',   -- the source record is known with the same content: its events
    'RECORD_DIFFERS',    -- the source record is known with other content
    'DUPLICATE',         -- the event ids are stored already: their positions
    'CONFLICT'           -- a stream has moved on, or a data key was erased or made by another: decide again
);

CREATE TYPE append_answer AS (command int, outcome append_outcome, event_ids uuid[]);

-- Appends the events of several commands in one transaction; each command is all or nothing, and independent of
-- the others. Arrays of one group run in parallel; *_command holds the command's number (from 0), and the events
-- come in the order of their commands. A caller puts at most one command per stream, per idempotency key and per
-- source record into one call, and one per subject that gets a data key. record_first and record_last are the places (from 1) in the event arrays of the events
-- that a source record made; key_subjects holds several subjects of one key one per line.
CREATE FUNCTION append(
    event_command int[], new_event_ids uuid[], new_stream_ids uuid[], new_versions bigint[], new_types text[],
    new_states bytea[], new_leaves bytea[], new_leaf_hashes bytea[],
    part_event_ids uuid[], part_subjects text[], part_ciphertexts bytea[],
    key_event_ids uuid[], key_fields text[], key_subjects text[], key_wrapped bytea[],
    idempotency_command int[], idempotency_institutions uuid[], idempotency_names text[], idempotency_bodies bytea[],
    record_command int[], record_institutions uuid[], record_names text[], record_contents bytea[],
    record_first int[], record_last int[],
    data_key_command int[], data_key_subjects text[], data_key_wrapped bytea[],
    read_command int[], read_stream_ids uuid[], read_versions bigint[]
) RETURNS TABLE (command int, outcome append_outcome, stored_event_ids uuid[], stored_positions bigint[])
LANGUAGE plpgsql
-- Plans outlive the moment they were made in, which may be that of an empty table: a plan that reads the whole table
-- would then serve every later call.
SET enable_seqscan = off
AS $$
DECLARE
    first_position bigint;
    accepted int[];
    answers append_answer[];
BEGIN
    -- Held until commit. What is checked below can therefore not change before it is stored, and nobody else can
    -- take a position or become visible in between: commit order = position order = visibility order.
    SELECT h.size INTO STRICT first_position FROM head h FOR UPDATE;

    -- A statement of its own: under READ COMMITTED its snapshot is taken after the lock, so it sees every append
    -- that held the lock before.
    WITH
    given AS (
        SELECT e.command, array_agg(e.event_id ORDER BY e.n) AS ids,
               count((SELECT s.position FROM events s WHERE s.event_id = e.event_id)) AS stored
        FROM unnest(event_command, new_event_ids) WITH ORDINALITY AS e (command, event_id, n)
        GROUP BY e.command
    ),
    repeated AS (
        SELECT i.command, k.body = i.body AS same, k.event_ids
        FROM unnest(idempotency_command, idempotency_institutions, idempotency_names, idempotency_bodies)
             AS i (command, institution, key, body)
        CROSS JOIN LATERAL (
            SELECT s.body, s.event_ids FROM idempotency_keys s
            WHERE s.institution = i.institution AND s.key = i.key AND s.created > now() - interval '30 days' LIMIT 1
        ) AS k
    ),
    known AS (
        -- Several records in one command (an atomic import): any that differs decides.
        SELECT DISTINCT ON (r.command) r.command, s.content = r.content AS same, s.event_ids
        FROM unnest(record_command, record_institutions, record_names, record_contents)
             AS r (command, institution, name, content)
        CROSS JOIN LATERAL (
            SELECT k.content, k.event_ids FROM source_records k
            WHERE k.institution = r.institution AND k.source_record_id = r.name LIMIT 1
        ) AS s
        ORDER BY r.command, s.content = r.content
    ),
    behind AS (
        -- The version before each event's place in its command is the version that its stream must have now.
        SELECT DISTINCT f.command
        FROM (
            SELECT e.command, e.stream_id,
                   e.version - row_number() OVER (PARTITION BY e.command, e.stream_id ORDER BY e.n) AS before
            FROM unnest(event_command, new_stream_ids, new_versions) WITH ORDINALITY
                 AS e (command, stream_id, version, n)
        ) AS f
        GROUP BY f.command, f.stream_id
        HAVING min(f.before) <> max(f.before)
            OR min(f.before) <> COALESCE(
                (SELECT s.version FROM events s WHERE s.stream_id = f.stream_id ORDER BY s.version DESC LIMIT 1), 0)
        UNION
        -- What was decided on and is not changed must stand where the decision saw it.
        SELECT r.command
        FROM unnest(read_command, read_stream_ids, read_versions) AS r (command, stream_id, version)
        WHERE r.version IS DISTINCT FROM
            (SELECT s.version FROM events s WHERE s.stream_id = r.stream_id ORDER BY s.version DESC LIMIT 1)
    ),
    forestalled AS (
        -- The subject has got a data key since: decided again, they are sealed under that one.
        SELECT DISTINCT d.command
        FROM unnest(data_key_command, data_key_subjects) AS d (command, subject)
        WHERE (SELECT k.subject FROM vault.data_keys k WHERE k.subject = d.subject LIMIT 1) IS NOT NULL
    ),
    orphaned AS (
        -- Sealed under a data key that was erased since: decided again, they are sealed under a new one. Ciphertexts
        -- begin with the id of their key, wrapped keys with those of all their subjects. Nobody holds a key for a day.
        SELECT DISTINCT e.command
        FROM unnest(event_command, new_event_ids) AS e (command, event_id)
        JOIN (
            SELECT p.event_id, substring(p.ciphertext FOR 8)
            FROM unnest(part_event_ids, part_ciphertexts) AS p (event_id, ciphertext)
            UNION ALL
            SELECT c.event_id, substring(c.wrapped FROM 8 * n - 7 FOR 8)
            FROM unnest(key_event_ids, key_subjects, key_wrapped) AS c (event_id, subjects, wrapped)
            CROSS JOIN LATERAL generate_series(1, cardinality(string_to_array(c.subjects, E'\n'))) AS n
        ) AS used (event_id, key_id) USING (event_id)
        JOIN erased_keys x ON x.id = used.key_id
        WHERE EXISTS (SELECT FROM erased_keys r WHERE r.erased > now() - interval '1 day')
    )
    SELECT array_agg(ROW (
        g.command,
        CASE
            WHEN g.stored = cardinality(g.ids) THEN 'DUPLICATE'
            WHEN g.stored > 0 THEN 'CONFLICT'
            WHEN i.same THEN 'REPLAYED'
            WHEN NOT i.same THEN 'KEY_REUSED'
            WHEN k.same THEN 'RECORD_REPLAYED'
            WHEN NOT k.same THEN 'RECORD_DIFFERS'
            WHEN b.command IS NOT NULL OR d.command IS NOT NULL OR o.command IS NOT NULL THEN 'CONFLICT'
            ELSE 'STORED'
        END::append_outcome,
        CASE WHEN g.stored > 0 THEN g.ids ELSE COALESCE(i.event_ids, k.event_ids, g.ids) END
    )::append_answer)
    INTO answers
    FROM given g
    LEFT JOIN repeated i USING (command)
    LEFT JOIN known k USING (command)
    LEFT JOIN behind b USING (command)
    LEFT JOIN forestalled d USING (command)
    LEFT JOIN orphaned o USING (command);

    accepted := ARRAY(SELECT a.command FROM unnest(answers) a WHERE a.outcome = 'STORED');

    IF cardinality(accepted) > 0 THEN
        WITH stored AS (
            INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash)
            SELECT first_position + row_number() OVER (ORDER BY e.n) - 1,
                   e.event_id, e.stream_id, e.version, e.type, e.state, e.leaf, e.leaf_hash
            FROM unnest(event_command, new_event_ids, new_stream_ids, new_versions, new_types, new_states,
                        new_leaves, new_leaf_hashes) WITH ORDINALITY
                 AS e (command, event_id, stream_id, version, type, state, leaf, leaf_hash, n)
            WHERE e.command = ANY (accepted)
            RETURNING 1
        )
        UPDATE head SET size = first_position + (SELECT count(*) FROM stored);

        INSERT INTO vault.data_keys (subject, wrapped)
        SELECT d.subject, d.wrapped
        FROM unnest(data_key_command, data_key_subjects, data_key_wrapped) AS d (command, subject, wrapped)
        WHERE d.command = ANY (accepted);

        INSERT INTO private_parts (event_id, subject, ciphertext)
        SELECT p.event_id, p.subject, p.ciphertext
        FROM unnest(part_event_ids, part_subjects, part_ciphertexts) AS p (event_id, subject, ciphertext)
        JOIN unnest(event_command, new_event_ids) AS e (command, event_id) USING (event_id)
        WHERE e.command = ANY (accepted);

        INSERT INTO commitment_keys (event_id, field, subjects, wrapped)
        SELECT c.event_id, c.field, string_to_array(c.subjects, E'\n'), c.wrapped
        FROM unnest(key_event_ids, key_fields, key_subjects, key_wrapped) AS c (event_id, field, subjects, wrapped)
        JOIN unnest(event_command, new_event_ids) AS e (command, event_id) USING (event_id)
        WHERE e.command = ANY (accepted);

        INSERT INTO idempotency_keys (institution, key, body, event_ids)
        SELECT i.institution, i.key, i.body, a.event_ids
        FROM unnest(idempotency_command, idempotency_institutions, idempotency_names, idempotency_bodies)
             AS i (command, institution, key, body)
        JOIN unnest(answers) a USING (command)
        WHERE a.command = ANY (accepted)
        -- Only one that has expired can stand there.
        ON CONFLICT (institution, key)
        DO UPDATE SET body = excluded.body, event_ids = excluded.event_ids, created = excluded.created;

        INSERT INTO source_records (institution, source_record_id, content, stream_id, event_ids)
        SELECT r.institution, r.name, r.content, new_stream_ids[r.first], new_event_ids[r.first:r.last]
        FROM unnest(record_command, record_institutions, record_names, record_contents, record_first, record_last)
             AS r (command, institution, name, content, first, last)
        WHERE r.command = ANY (accepted);

        -- Only a hint, and one for the whole call: readers read by position.
        PERFORM pg_notify('constancia_events', '');
    END IF;

    RETURN QUERY
        SELECT a.command, a.outcome, a.event_ids,
               CASE
                   WHEN a.outcome = 'STORED' THEN ARRAY(
                       SELECT generate_series(a.past - cardinality(a.event_ids), a.past - 1))
                   ELSE ARRAY(
                       SELECT s.position
                       FROM unnest(a.event_ids) WITH ORDINALITY AS i (id, n)
                       CROSS JOIN LATERAL (SELECT e.position FROM events e WHERE e.event_id = i.id LIMIT 1) AS s
                       ORDER BY i.n)
               END
        FROM (
            SELECT u.command, u.outcome, u.event_ids,
                   first_position + sum(cardinality(u.event_ids)) FILTER (WHERE u.outcome = 'STORED')
                       OVER (ORDER BY u.command)::bigint AS past
            FROM unnest(answers) u
        ) AS a
        ORDER BY a.command;
END $$;
