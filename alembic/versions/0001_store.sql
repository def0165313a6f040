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

-- Names that one stream at a time may hold: of each person who was killed, the incident that says so.
CREATE TABLE exclusive_names (
    name      text PRIMARY KEY,
    stream_id uuid NOT NULL
);
CREATE INDEX exclusive_names_by_stream ON exclusive_names (stream_id);

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
    'CONFLICT'           -- a stream has moved on, another holds an exclusive name, or a data key was erased or made by
                         -- another: decide again
);

-- What one command came to: its own number of events, and the events that answer it.
CREATE TYPE append_answer AS (command int, events int, outcome append_outcome, event_ids uuid[]);

-- What is given to append: rows of each kind, of whatever command (its number, from 0). Arrays of rows, because a client
-- encodes one of eight columns in two thirds of the time that eight arrays take.
CREATE TYPE new_event AS (
    command int, event_id uuid, stream_id uuid, version bigint, type text, state bytea, leaf bytea, leaf_hash bytea);
CREATE TYPE expected_version AS (command int, stream_id uuid, version bigint);
CREATE TYPE new_part AS (command int, event_id uuid, subject text, ciphertext bytea);
CREATE TYPE new_key AS (command int, event_id uuid, field text, subjects text[], wrapped bytea);
CREATE TYPE new_idempotency AS (command int, institution uuid, key text, body bytea, event_ids uuid[]);
CREATE TYPE new_record AS (command int, institution uuid, name text, content bytea, stream_id uuid, event_ids uuid[]);
CREATE TYPE new_data_key AS (command int, subject text, wrapped bytea);
CREATE TYPE new_holder AS (command int, stream_id uuid, names text[]);

-- Appends the events of several commands in one transaction; each command is all or nothing, and independent of
-- the others. The events come in the order of their commands. A caller puts at most one command per stream, per
-- idempotency key, per source record, per subject that gets a data key and per exclusive name into one call.
-- Expected versions are those that streams must have now, 0 of one that is not there; no stream has -1. A stream whose
-- new events begin with version 1 need not be named. The event ids of an idempotency key or a source record are those of
-- the new events that it stands for; the names of a holder are all that its stream has from now on.
-- Returns a row without a command with the position of the first event stored, and a row for each command that was not
-- stored. The events of all others have the positions from that one on, in their order.
CREATE FUNCTION append(
    commands int,
    new_events new_event[],
    expected expected_version[],
    new_parts new_part[],
    new_keys new_key[],
    new_idempotency_keys new_idempotency[],
    new_records new_record[],
    new_data_keys new_data_key[],
    new_holders new_holder[]
) RETURNS TABLE (command int, outcome append_outcome, stored_event_ids uuid[], stored_positions bigint[])
LANGUAGE plpgsql
-- Plans outlive the moment they were made in, which may be that of an empty table: a plan that reads the whole table
-- would then serve every later call. They are made once, for arrays of unknown length, and look up row by row: making
-- them anew takes up to a fifth of a small call, and what it gains a large one is rarely needed, when that is not stored.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    first_position bigint;
    stored bigint;
    -- Of each command, how many events before it are not stored; null if it is not stored itself.
    skipped int[] := array_fill(0, ARRAY[commands]);
    answers append_answer[] := '{}';
    behind int[] := '{}';
    orphaned int[] := '{}';
    held int[] := '{}';
    one_by_one boolean;
BEGIN
    -- Held until commit. What is checked below can therefore not change before it is stored, and nobody else can
    -- take a position or become visible in between: commit order = position order = visibility order.
    SELECT h.size INTO STRICT first_position FROM head h FOR UPDATE;

    -- From here on each is a statement of its own: under READ COMMITTED its snapshot is taken after the lock, so it
    -- sees every append that held the lock before.

    IF cardinality(expected) > 0 THEN
        behind := ARRAY(
            SELECT x.command
            FROM unnest(expected) AS x
            WHERE x.version <> COALESCE(
                (SELECT s.version FROM events s WHERE s.stream_id = x.stream_id ORDER BY s.version DESC LIMIT 1), 0));
    END IF;

    -- Sealed under a data key that was erased since: decided again, they are sealed under a new one. Ciphertexts begin
    -- with the id of their key, wrapped keys with those of all their subjects. Nobody holds a key for a day.
    IF (cardinality(new_parts) > 0 OR cardinality(new_keys) > 0)
        AND EXISTS (SELECT FROM erased_keys x WHERE x.erased > now() - interval '1 day')
    THEN
        orphaned := ARRAY(
            SELECT used.command
            FROM (
                SELECT p.command, substring(p.ciphertext FOR 8)
                FROM unnest(new_parts) AS p
                UNION ALL
                SELECT c.command, substring(c.wrapped FROM 8 * n - 7 FOR 8)
                FROM unnest(new_keys) AS c
                CROSS JOIN LATERAL generate_series(1, cardinality(c.subjects)) AS n
            ) AS used (command, key_id)
            JOIN erased_keys x ON x.id = used.key_id);
    END IF;

    -- Another stream holds the name, and does not give it up in the same command. If it does so in another command of
    -- this call, the index would not object, and between the positions of the two both would hold it.
    IF cardinality(new_holders) > 0 THEN
        held := ARRAY(
            SELECT h.command
            FROM unnest(new_holders) AS h
            CROSS JOIN LATERAL unnest(h.names) AS n (name)
            CROSS JOIN LATERAL (SELECT x.stream_id FROM exclusive_names x WHERE x.name = n.name LIMIT 1) AS s
            WHERE NOT EXISTS (
                SELECT FROM unnest(new_holders) AS o
                WHERE o.command = h.command AND o.stream_id = s.stream_id));
    END IF;

    -- Mostly every command may be stored. Then nothing else is looked up: the unique indexes object to what is stored
    -- already, and to a version that is taken.
    one_by_one := cardinality(behind) > 0 OR cardinality(orphaned) > 0 OR cardinality(held) > 0;

    LOOP
        IF one_by_one THEN
            WITH
            given AS (
                SELECT e.command, array_agg(e.event_id ORDER BY e.ordinality) AS ids,
                       count((SELECT s.position FROM events s WHERE s.event_id = e.event_id)) AS stored
                FROM unnest(new_events) WITH ORDINALITY AS e
                GROUP BY e.command
            ),
            repeated AS (
                SELECT i.command, k.body = i.body AS same, k.event_ids
                FROM unnest(new_idempotency_keys) AS i
                CROSS JOIN LATERAL (
                    SELECT s.body, s.event_ids FROM idempotency_keys s
                    WHERE s.institution = i.institution AND s.key = i.key AND s.created > now() - interval '30 days'
                    LIMIT 1
                ) AS k
            ),
            known AS (
                -- Several records in one command (an atomic import): any that differs decides.
                SELECT DISTINCT ON (r.command) r.command, s.content = r.content AS same, s.event_ids
                FROM unnest(new_records) AS r
                CROSS JOIN LATERAL (
                    SELECT k.content, k.event_ids FROM source_records k
                    WHERE k.institution = r.institution AND k.source_record_id = r.name LIMIT 1
                ) AS s
                ORDER BY r.command, s.content = r.content
            ),
            forestalled AS (
                -- The subject has got a data key since: decided again, they are sealed under that one.
                SELECT DISTINCT d.command
                FROM unnest(new_data_keys) AS d
                WHERE EXISTS (SELECT FROM vault.data_keys k WHERE k.subject = d.subject)
            ),
            taken AS (
                SELECT DISTINCT e.command
                FROM unnest(new_events) AS e
                WHERE EXISTS (SELECT FROM events s WHERE s.stream_id = e.stream_id AND s.version = e.version)
            )
            SELECT array_agg(ROW (
                g.command,
                cardinality(g.ids),
                CASE
                    WHEN g.stored = cardinality(g.ids) THEN 'DUPLICATE'
                    WHEN g.stored > 0 THEN 'CONFLICT'
                    WHEN i.same THEN 'REPLAYED'
                    WHEN NOT i.same THEN 'KEY_REUSED'
                    WHEN k.same THEN 'RECORD_REPLAYED'
                    WHEN NOT k.same THEN 'RECORD_DIFFERS'
                    WHEN COALESCE(t.command, d.command) IS NOT NULL THEN 'CONFLICT'
                    WHEN g.command = ANY (behind) OR g.command = ANY (orphaned) OR g.command = ANY (held) THEN 'CONFLICT'
                    ELSE 'STORED'
                END::append_outcome,
                CASE WHEN g.stored > 0 THEN g.ids ELSE COALESCE(i.event_ids, k.event_ids, g.ids) END
            )::append_answer)
            INTO answers
            FROM given g
            LEFT JOIN repeated i USING (command)
            LEFT JOIN known k USING (command)
            LEFT JOIN taken t USING (command)
            LEFT JOIN forestalled d USING (command);

            skipped := ARRAY(
                SELECT CASE WHEN a.outcome = 'STORED' THEN
                    COALESCE(sum(a.events) FILTER (WHERE a.outcome <> 'STORED') OVER (ORDER BY a.command), 0) END
                FROM unnest(answers) a
                ORDER BY a.command);

            -- Of an expired one the place is taken.
            DELETE FROM idempotency_keys k
            WHERE k.ctid = ANY (ARRAY(
                SELECT s.ctid
                FROM unnest(new_idempotency_keys) AS i
                CROSS JOIN LATERAL (
                    SELECT x.ctid FROM idempotency_keys x
                    WHERE x.institution = i.institution AND x.key = i.key AND x.created <= now() - interval '30 days'
                    LIMIT 1
                ) AS s));
        END IF;

        BEGIN
            INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash)
            SELECT first_position + e.ordinality - 1 - skipped[e.command + 1],
                   e.event_id, e.stream_id, e.version, e.type, e.state, e.leaf, e.leaf_hash
            FROM unnest(new_events) WITH ORDINALITY AS e
            WHERE skipped[e.command + 1] IS NOT NULL;
            GET DIAGNOSTICS stored = ROW_COUNT;

            IF cardinality(new_data_keys) > 0 THEN
                INSERT INTO vault.data_keys (subject, wrapped)
                SELECT d.subject, d.wrapped
                FROM unnest(new_data_keys) AS d
                WHERE skipped[d.command + 1] IS NOT NULL
                -- The one lock of all these that is also taken without the head row: in the order of the vault's own
                -- statement, or the two could wait for each other.
                ORDER BY d.subject COLLATE "C";
            END IF;

            IF cardinality(new_parts) > 0 THEN
                INSERT INTO private_parts (event_id, subject, ciphertext)
                SELECT p.event_id, p.subject, p.ciphertext
                FROM unnest(new_parts) AS p
                WHERE skipped[p.command + 1] IS NOT NULL;
            END IF;

            IF cardinality(new_keys) > 0 THEN
                INSERT INTO commitment_keys (event_id, field, subjects, wrapped)
                SELECT c.event_id, c.field, c.subjects, c.wrapped
                FROM unnest(new_keys) AS c
                WHERE skipped[c.command + 1] IS NOT NULL;
            END IF;

            IF cardinality(new_idempotency_keys) > 0 THEN
                INSERT INTO idempotency_keys (institution, key, body, event_ids)
                SELECT i.institution, i.key, i.body, i.event_ids
                FROM unnest(new_idempotency_keys) AS i
                WHERE skipped[i.command + 1] IS NOT NULL;
            END IF;

            IF cardinality(new_records) > 0 THEN
                INSERT INTO source_records (institution, source_record_id, content, stream_id, event_ids)
                SELECT r.institution, r.name, r.content, r.stream_id, r.event_ids
                FROM unnest(new_records) AS r
                WHERE skipped[r.command + 1] IS NOT NULL;
            END IF;

            IF cardinality(new_holders) > 0 THEN
                DELETE FROM exclusive_names s
                WHERE s.stream_id = ANY (ARRAY(
                    SELECT h.stream_id FROM unnest(new_holders) AS h
                    WHERE skipped[h.command + 1] IS NOT NULL));

                INSERT INTO exclusive_names (name, stream_id)
                SELECT n.name, h.stream_id
                FROM unnest(new_holders) AS h
                CROSS JOIN LATERAL unnest(h.names) AS n (name)
                WHERE skipped[h.command + 1] IS NOT NULL;
            END IF;

            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF one_by_one THEN
                RAISE;
            END IF;
            one_by_one := true;
        END;
    END LOOP;

    IF stored > 0 THEN
        UPDATE head SET size = first_position + stored;
        -- Only a hint, and one for the whole call: readers read by position.
        PERFORM pg_notify('constancia_events', '');
    END IF;

    outcome := 'STORED';
    stored_positions := ARRAY[first_position];
    RETURN NEXT;
    -- Mostly there is nothing more to say, and to say so by a query takes a fifth of a small call.
    IF one_by_one THEN
        RETURN QUERY
            SELECT a.command, a.outcome, a.event_ids, ARRAY(
                SELECT s.position
                FROM unnest(a.event_ids) WITH ORDINALITY AS i (id, n)
                CROSS JOIN LATERAL (SELECT e.position FROM events e WHERE e.event_id = i.id LIMIT 1) AS s
                ORDER BY i.n)
            FROM unnest(answers) a
            WHERE a.outcome <> 'STORED';
    END IF;
END $$;
