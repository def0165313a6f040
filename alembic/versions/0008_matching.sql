-- What reports and incidents are matched by; never readable by the public.

CREATE SCHEMA matching;

-- Every report of an occurrence, and every incident. earliest and latest are null where no date is known, earliest is
-- 0001-01-01 for an open start. people and documents are keyed pseudonyms.
CREATE TABLE matching.records (
    record    uuid PRIMARY KEY,
    noun      text NOT NULL,
    standing  boolean NOT NULL,
    earliest  date,
    latest    date,
    state     text,
    cvegeo    text,
    site      uuid,
    severity  text,
    people    text[] NOT NULL,
    documents text[] NOT NULL,
    facts     bytea NOT NULL
);
COMMENT ON COLUMN matching.records.standing IS 'False once withdrawn, retracted, refuted or merged: proposed no more.';
COMMENT ON COLUMN matching.records.facts IS 'The folded state, as MessagePack; rebuilt from the events at any time.';
CREATE INDEX records_by_municipality ON matching.records (cvegeo, latest);
CREATE INDEX records_by_site ON matching.records (site, latest);
CREATE INDEX records_by_severity ON matching.records (state, severity, latest);
CREATE INDEX records_by_people ON matching.records USING gin (people);
CREATE INDEX records_by_documents ON matching.records USING gin (documents);
