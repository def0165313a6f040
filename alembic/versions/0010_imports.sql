-- Imports that take longer than a request: what was sent, encrypted, until it is done, and what became of each row.
-- Ordinary tables: what an import records are the events of its rows.

CREATE TABLE import_jobs (
    id              uuid PRIMARY KEY,
    institution     uuid,
    key             uuid NOT NULL,
    scopes          text[] NOT NULL,
    records         text NOT NULL,
    mode            text NOT NULL,
    on_change       text NOT NULL,
    format          text NOT NULL,
    headings        bytea NOT NULL,
    status          text NOT NULL CHECK (status IN ('RECEIVING', 'WAITING', 'RUNNING', 'FINISHED', 'CANCELLED', 'REVOKED',
                    'FAILED')),
    rows            int NOT NULL DEFAULT 0,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    body_hmac       bytea CHECK (octet_length(body_hmac) = 32),
    created         timestamptz NOT NULL DEFAULT now(),
    ended           timestamptz
);
COMMENT ON TABLE import_jobs IS 'Each is deleted, with all that was sent, some days after its end (CONSTANCIA_IMPORT_KEPT).';
COMMENT ON COLUMN import_jobs.headings IS 'The names of the columns, encrypted under the data key of import:<id>.';
COMMENT ON COLUMN import_jobs.status IS 'RECEIVING: an upload under way, or one that broke off, which nobody will take up.';
CREATE UNIQUE INDEX import_jobs_by_idempotency_key ON import_jobs (key, idempotency_key);
CREATE INDEX import_jobs_under_way ON import_jobs (created) WHERE status IN ('WAITING', 'RUNNING');

CREATE TABLE import_batches (
    job        uuid NOT NULL REFERENCES import_jobs (id) ON DELETE CASCADE,
    number     int  NOT NULL CHECK (number >= 0),
    first_row  int  NOT NULL CHECK (first_row >= 1),
    row_count  int  NOT NULL CHECK (row_count >= 1),
    content    bytea NOT NULL,
    tried_at   bigint,
    outcomes   bytea,
    created    int NOT NULL DEFAULT 0,
    amended    int NOT NULL DEFAULT 0,
    unchanged  int NOT NULL DEFAULT 0,
    failed     int NOT NULL DEFAULT 0,
    skipped    int NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
);
COMMENT ON COLUMN import_batches.content IS 'The rows as they were sent, bound to the job and their place in it.';
COMMENT ON COLUMN import_batches.tried_at IS 'The size of the log when the rows were first tried.';
COMMENT ON COLUMN import_batches.outcomes IS 'What became of each row, encrypted; NULL until it is known.';
-- Which row of a job said something first: two rows of one file must not amend each other, at this import or the next.
CREATE TABLE import_names (
    job  uuid  NOT NULL REFERENCES import_jobs (id) ON DELETE CASCADE,
    name bytea NOT NULL CHECK (octet_length(name) = 16),
    row  int   NOT NULL,
    PRIMARY KEY (job, name)
);
COMMENT ON COLUMN import_names.name IS 'Half of a keyed hash of the source record id.';

-- Ciphertext does not compress; trying costs time.
ALTER TABLE import_batches ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE import_batches ALTER COLUMN outcomes SET STORAGE EXTERNAL;
