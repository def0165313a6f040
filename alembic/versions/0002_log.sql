-- The public log: its tree in tiles, and what was signed about it (c2sp.org/tlog-tiles). Its entries are events.leaf,
-- stored once: bundles are put together from there.

-- One row per tile. The rightmost of each level grows in place; readers get a prefix of it, never more than the
-- last published checkpoint covers.
CREATE TABLE log_tiles (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 63),
    index bigint   NOT NULL CHECK (index >= 0),
    width smallint NOT NULL CHECK (width BETWEEN 1 AND 256),
    data  bytea    NOT NULL CHECK (octet_length(data) = 32 * width),
    PRIMARY KEY (level, index)
);
COMMENT ON TABLE log_tiles IS 'Tile index at level: width hashes of 32 bytes. Only ever extended.';
-- Hashes do not compress; trying costs time on every write.
ALTER TABLE log_tiles ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE checkpoints (
    size         bigint PRIMARY KEY CHECK (size >= 0),
    root         bytea  NOT NULL CHECK (octet_length(root) = 32),
    note         text   NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE checkpoints IS 'Every published checkpoint; the largest is the one that readers see.';
COMMENT ON COLUMN checkpoints.published_at IS 'When this size was first published.';
COMMENT ON COLUMN checkpoints.refreshed_at IS 'When its note was last published again, perhaps with newer cosignatures.';
