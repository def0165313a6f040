-- Who has read what is not public, what people have asked about their own data, and the files that prove reports.
-- Ordinary tables: none of this is a fact of the log, apart from what it leads to.

CREATE TABLE private_reads (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    institution uuid,
    key         uuid,
    noun        text   NOT NULL,
    record      uuid   NOT NULL,
    owner       uuid,
    people      text[] NOT NULL,
    fields      text[] NOT NULL CHECK (cardinality(fields) >= 1),
    purpose     text
);
COMMENT ON TABLE private_reads IS 'One row per record that an answer showed. Names of fields, never their values.';
COMMENT ON COLUMN private_reads.institution IS 'Whose key read; NULL = the operator of the register.';
COMMENT ON COLUMN private_reads.owner IS 'Whose record it is; NULL for what belongs to no institution.';
COMMENT ON COLUMN private_reads.people IS 'Pseudonyms of those whom the record is about.';
COMMENT ON COLUMN private_reads.purpose IS 'Why, as a code; NULL where none was given and none is required.';
CREATE INDEX private_reads_by_record ON private_reads (record, id);
CREATE INDEX private_reads_by_owner ON private_reads (owner, id);
CREATE INDEX private_reads_by_person ON private_reads USING gin (people);

CREATE TABLE subject_requests (
    id            uuid PRIMARY KEY,
    institution   uuid,
    type          text NOT NULL,
    person        text NOT NULL,
    received_on   date NOT NULL,
    answer_due    date NOT NULL CHECK (answer_due > received_on),
    words         bytea,
    answered_on   date CHECK (answered_on >= received_on),
    outcome       text CHECK ((outcome IS NULL) = (answered_on IS NULL)),
    reason        text CHECK ((reason IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'REFUSED')),
    carry_out_due date CHECK ((carry_out_due IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'GRANTED')),
    carried_out_on date CHECK (carried_out_on IS NULL OR carried_out_on >= answered_on),
    positions     bigint[] NOT NULL DEFAULT '{}',
    created       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE subject_requests IS 'What people have asked about their own data, or their family''s, and what came of it.';
COMMENT ON COLUMN subject_requests.institution IS 'Who received it; NULL = the operator of the register.';
COMMENT ON COLUMN subject_requests.person IS 'Keyed pseudonym, as in events.';
COMMENT ON COLUMN subject_requests.words IS 'Who asks and how to reach them, encrypted under the data key of request:<id>.';
COMMENT ON COLUMN subject_requests.positions IS 'Of the events that it led to.';
CREATE INDEX subject_requests_by_institution ON subject_requests (institution, id);
CREATE INDEX subject_requests_by_person ON subject_requests (person);

-- A repeated Idempotency-Key finds what it did; counts for 30 days, as with facts.
CREATE TABLE subject_request_keys (
    requested_by    uuid  NOT NULL REFERENCES api_keys (id),
    idempotency_key text  NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    body_hmac       bytea NOT NULL CHECK (octet_length(body_hmac) = 32),
    request         uuid  NOT NULL,
    created         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (requested_by, idempotency_key)
);
CREATE INDEX subject_request_keys_by_age ON subject_request_keys (created);

-- A stored file. Its digest and size are in the event that attaches it to the report; without that it is no evidence.
CREATE TABLE evidence (
    id       uuid PRIMARY KEY,
    report   uuid NOT NULL,
    attached boolean NOT NULL DEFAULT false,
    stored   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN evidence.attached IS 'A hint for the sweep of what interrupted uploads have left: the event decides.';
CREATE INDEX evidence_unattached ON evidence (stored) WHERE NOT attached;
CREATE INDEX evidence_by_report ON evidence (report);

CREATE TABLE evidence_chunks (
    evidence   uuid NOT NULL REFERENCES evidence (id) ON DELETE CASCADE,
    number     int  NOT NULL CHECK (number >= 0),
    ciphertext bytea NOT NULL,
    PRIMARY KEY (evidence, number)
);
COMMENT ON COLUMN evidence_chunks.ciphertext IS 'Bound to the file, its place in it, and whether it is the last.';
-- Ciphertext does not compress; trying costs time.
ALTER TABLE evidence_chunks ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
