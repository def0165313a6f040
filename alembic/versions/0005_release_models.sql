-- Read models over private facets; never readable by the public.

CREATE SCHEMA incidents;

-- Every incident as folded from its events.
CREATE TABLE incidents.folded (
    incident      uuid PRIMARY KEY,
    ever_possible boolean NOT NULL,
    state         bytea NOT NULL
);
COMMENT ON COLUMN incidents.folded.state IS 'The aggregate, as MessagePack; rebuilt from the events at any time.';

-- What the ladder compares of those that are, or were, POSSIBLE or better. changed is the position of the last event
-- that a release has yet to look at, stands whether it counts in a crowd, persons its distinct victims.
CREATE TABLE incidents.compared (
    incident     uuid PRIMARY KEY,
    changed      bigint  NOT NULL,
    class        text    NOT NULL,
    year         text    NOT NULL,
    state        text    NOT NULL,
    kind         text    NOT NULL,
    sex          text    NOT NULL,
    municipality text    NOT NULL,
    month        text    NOT NULL,
    open         text[]  NOT NULL,
    stands       boolean NOT NULL,
    persons      text[]  NOT NULL
);
CREATE INDEX compared_by_change ON incidents.compared (changed);
CREATE INDEX compared_by_place ON incidents.compared (class, year, state, municipality) WHERE stands;
CREATE INDEX compared_by_kind ON incidents.compared (class, year, kind) WHERE stands;
CREATE INDEX compared_by_municipality ON incidents.compared (municipality) WHERE stands;

-- How far releases have looked, and under which policy. Written by releases; without it they look at everything.
CREATE TABLE incidents.decided (
    position bigint NOT NULL,
    policy   text   NOT NULL
);

CREATE SCHEMA placements;

-- Every assignment as folded from its events.
CREATE TABLE placements.assignments (
    assignment uuid PRIMARY KEY,
    student    text NOT NULL,
    promotion  text NOT NULL,
    changed    bigint NOT NULL,
    state      bytea NOT NULL
);
CREATE INDEX assignments_by_change ON placements.assignments (changed);
CREATE INDEX assignments_by_student ON placements.assignments (student);
COMMENT ON COLUMN placements.assignments.state IS 'The aggregate, as MessagePack; rebuilt from the events at any time.';

-- Where each assignment has its student, suspensions cut out, from a day (included) until a day (excluded).
CREATE TABLE placements.stays (
    assignment uuid NOT NULL,
    since      date NOT NULL,
    until      date NOT NULL,
    cvegeo     text NOT NULL,
    student    text NOT NULL,
    PRIMARY KEY (assignment, since),
    CHECK (until > since)
);
CREATE INDEX stays_by_place ON placements.stays (cvegeo, since, until);

CREATE TABLE placements.sites (
    site   uuid PRIMARY KEY,
    cvegeo text NOT NULL
);

CREATE SCHEMA mentions;

-- Which records ever mentioned a subject: site:<id>, person:<pseudonym>, incident:<id>.
CREATE TABLE mentions.records (
    subject text NOT NULL,
    record  uuid NOT NULL,
    noun    text NOT NULL,
    PRIMARY KEY (subject, record)
);

CREATE SCHEMA answers;

-- Universities, which are expected to answer for every quarter.
CREATE TABLE answers.expected (
    institution uuid PRIMARY KEY,
    since       date NOT NULL
);

-- Quarters that an institution answered for, whether with reports or with "nothing": in here they look the same.
-- What it withdraws answers no more. received is the quarter in which the report came in.
CREATE TABLE answers.answered (
    report      uuid NOT NULL,
    institution uuid NOT NULL,
    received    text NOT NULL,
    quarter     text NOT NULL,
    PRIMARY KEY (report, quarter)
);
CREATE INDEX answered_by_institution ON answers.answered (institution, quarter);

CREATE SCHEMA records;

-- Every stream: whose it is, and when it last changed. institution is null for what everybody may list.
CREATE TABLE records.streams (
    stream_id   uuid PRIMARY KEY,
    noun        text NOT NULL,
    institution uuid,
    created     bigint NOT NULL,
    updated     bigint NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX streams_by_noun ON records.streams (noun, created);
CREATE INDEX streams_by_institution ON records.streams (institution, noun, created);

-- The events that an institution sees as soon as they are stored: those of its own streams and, under the nil UUID, those
-- that are open to everybody.
CREATE TABLE records.visible (
    institution uuid NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (institution, position)
);
