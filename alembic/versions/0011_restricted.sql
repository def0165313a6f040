-- What restricted counts are made from: private facets, never readable by the public.

CREATE SCHEMA restricted;

-- Incidents and assignments as folded from their events: what the lines below follow from.
CREATE TABLE restricted.incidents (
    incident uuid PRIMARY KEY,
    state    bytea NOT NULL
);
COMMENT ON COLUMN restricted.incidents.state IS 'The aggregate, as MessagePack; rebuilt from the events at any time.';

CREATE TABLE restricted.assignments (
    assignment uuid PRIMARY KEY,
    state      bytea NOT NULL
);
COMMENT ON COLUMN restricted.assignments.state IS 'The aggregate, as MessagePack; rebuilt from the events at any time.';

-- What institutions and sites are called now.
CREATE TABLE restricted.names (
    id   uuid PRIMARY KEY,
    name text NOT NULL
);

-- A line for each victim, or several alike, of each incident that may count: it stands, and is POSSIBLE or better.
-- low, best and high are what it adds, certainty applied. person is a pseudonym, null for whom nobody has identified.
CREATE TABLE restricted.victimisations (
    incident     uuid     NOT NULL,
    number       smallint NOT NULL,
    class        text     NOT NULL,
    kind         text     NOT NULL,
    year         text     NOT NULL,
    quarter      text     NOT NULL,
    month        text     NOT NULL,
    state        text     NOT NULL,
    municipality text     NOT NULL,
    certainty    text     NOT NULL,
    disputed     boolean  NOT NULL,
    means        text[]   NOT NULL,
    perpetrator  text     NOT NULL,
    role         text     NOT NULL,
    sex          text     NOT NULL,
    outcome      text     NOT NULL,
    severity     smallint NOT NULL,
    manner       text     NOT NULL,
    nexus        text     NOT NULL,
    strict       boolean  NOT NULL,
    person       text,
    assignment   uuid,
    institution  text     NOT NULL,
    site         text     NOT NULL,
    plaza_type   text     NOT NULL,
    promotion    text     NOT NULL,
    low          integer  NOT NULL,
    best         integer  NOT NULL,
    high         integer  NOT NULL,
    PRIMARY KEY (incident, number),
    CHECK (0 <= low AND low <= best AND best <= high AND high > 0)
);
CREATE INDEX victimisations_by_assignment ON restricted.victimisations (assignment) WHERE assignment IS NOT NULL;
CREATE INDEX victimisations_by_year ON restricted.victimisations (year, state);
COMMENT ON COLUMN restricted.victimisations.severity IS 'Rank of the outcome, the mildest 0.';
COMMENT ON COLUMN restricted.victimisations.strict IS 'Whether the nexus is one that the headline counts.';
COMMENT ON COLUMN restricted.victimisations.institution IS 'Of the assignment: an id, UNKNOWN or NOT_APPLICABLE.';
