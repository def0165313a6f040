-- A shorter way to the state of a long stream. All of it may be deleted at any time; nothing else changes by that.

CREATE TABLE snapshots (
    stream_id uuid   PRIMARY KEY,
    version   bigint NOT NULL CHECK (version >= 1),
    topic     text   NOT NULL,
    shape     bytea  NOT NULL,
    state     bytea  NOT NULL,
    digest    bytea  NOT NULL
);
COMMENT ON COLUMN snapshots.version IS 'The last event that the state includes.';
COMMENT ON COLUMN snapshots.topic IS 'The kind of aggregate.';
COMMENT ON COLUMN snapshots.shape IS 'SHA-256 over the schema of the state and the version of its fold.';
COMMENT ON COLUMN snapshots.state IS 'The aggregate, as MessagePack: codes, times and pseudonyms, like its events.';
COMMENT ON COLUMN snapshots.digest IS 'SHA-256 over all other columns.';
