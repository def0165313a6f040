-- Catalogues of official codes. Rows are stored first; they count from the event catalog.adopted on whose id is theirs.
-- What was stored and never adopted counts for nobody, and is taken up where the same file is loaded again.

CREATE TABLE catalogs (
    id      uuid PRIMARY KEY,
    name    text  NOT NULL,
    vintage text  NOT NULL,
    sha256  bytea NOT NULL CHECK (octet_length(sha256) = 32),
    taken   bytea NOT NULL CHECK (octet_length(taken) = 32),
    stored  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, vintage, sha256, taken)
);
COMMENT ON TABLE catalogs IS 'One row per vintage of a catalogue, and per correction of one.';
COMMENT ON COLUMN catalogs.sha256 IS 'Of the file as published, uncompressed.';
COMMENT ON COLUMN catalogs.taken IS 'SHA-256 of the rows as they were read: another profile reads other rows from the same file.';

CREATE TABLE municipalities (
    catalog   uuid NOT NULL REFERENCES catalogs (id) ON DELETE CASCADE,
    cvegeo    text NOT NULL CHECK (cvegeo ~ '^[0-9]{5}$'),
    name      text NOT NULL,
    latitude  float8,
    longitude float8,
    PRIMARY KEY (catalog, cvegeo)
);
COMMENT ON COLUMN municipalities.latitude IS 'Of the seat, in degrees (WGS 84), where the file tells it.';

CREATE TABLE establishments (
    catalog      uuid NOT NULL REFERENCES catalogs (id) ON DELETE CASCADE,
    clues        text NOT NULL CHECK (clues ~ '^[A-Z]{5}[0-9]{6}$'),
    former_clues text,
    name         text,
    cvegeo       text,
    level        text,
    latitude     float8,
    longitude    float8,
    valid_from   date,
    PRIMARY KEY (catalog, clues)
);
COMMENT ON COLUMN establishments.former_clues IS 'The code of the same establishment before this one.';
COMMENT ON COLUMN establishments.valid_from IS 'First day of clues, where the file tells it.';
