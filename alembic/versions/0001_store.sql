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
CREATE TABLE private_parts (
    event_id   uuid  NOT NULL REFERENCES events (event_id),
    subject    text  NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (event_id, subject)
);
CREATE INDEX private_parts_by_subject ON private_parts (subject);

-- Keys of the commitments in leaves, wrapped under the data keys of all subjects that the value covers.
CREATE TABLE commitment_keys (
    event_id uuid  NOT NULL REFERENCES events (event_id),
    field    text  NOT NULL,
    subjects text[] NOT NULL,
    wrapped  bytea NOT NULL,
    PRIMARY KEY (event_id, field)
);
CREATE INDEX commitment_keys_by_subject ON commitment_keys USING gin (subjects);

-- Answers are rebuilt from the events; of the body only its HMAC is kept.
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
    'CONFLICT'           -- a stream has moved on
);

-- Appends the events of several commands, each all or nothing and independent of the others.
-- Arrays of one kind run in parallel; *_command holds the command's number (from 0), and events come in the order
-- of their commands. A caller puts at most one command per stream, idempotency key and source record in one call.
CREATE FUNCTION append(
    event_command int[], event_ids uuid[], stream_ids uuid[], versions bigint[], types text[], states bytea[],
    leaves bytea[], leaf_hashes bytea[],
    part_command int[], part_event_ids uuid[], part_subjects text[], part_ciphertexts bytea[],
    key_command int[], key_event_ids uuid[], key_fields text[], key_subjects text[], key_wrapped bytea[],
    idempotency_command int[], idempotency_institutions uuid[], idempotency_names text[], idempotency_bodies bytea[],
    record_command int[], record_institutions uuid[], record_names text[], record_contents bytea[]
) RETURNS TABLE (command int, outcome append_outcome, stored_ids uuid[], positions bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    next_position bigint;
    accepted int[];
    stored bigint;
BEGIN
    -- Taken before anything is checked, so that what is checked cannot change before commit.
    SELECT size INTO STRICT next_position FROM head FOR UPDATE;

    CREATE TEMPORARY TABLE IF NOT EXISTS verdicts (
        command int PRIMARY KEY, outcome append_outcome NOT NULL, stored_ids uuid[]
    ) ON COMMIT DELETE ROWS;
    TRUNCATE verdicts;
END $$;
