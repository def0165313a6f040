-- Read models. Each projection owns one schema of its own name, so that it can be rebuilt aside in a copy of that
-- schema and switched by renaming; nothing here is a source of truth.

CREATE SCHEMA projections;

-- One row per projection. Whoever holds its lock may advance it; the position commits with what it stands for.
CREATE TABLE projections.positions (
    name     text PRIMARY KEY,
    version  integer NOT NULL CHECK (version >= 1),
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    failed   text
) WITH (fillfactor = 50);
COMMENT ON COLUMN projections.positions.position IS 'The next position wanted: the size of the log that is covered.';
COMMENT ON COLUMN projections.positions.failed IS 'Why it stopped at that position, without private content; null while it runs.';

CREATE SCHEMA public_count;

-- Every incident.disclosed, with the positions between which it was the last of its incident:
-- at size n, those with position < n and not superseded below n.
-- A facet is null where it is sealed; tally and sex are canonical JSON. Contributions are [low, best, high] of INCIDENTS,
-- VICTIMISATIONS and DEATHS, in that order, for each nexus; *_excluded says why the incident counts in no query of it.
CREATE TABLE public_count.disclosures (
    position        bigint PRIMARY KEY,
    superseded_at   bigint,
    incident        uuid NOT NULL,
    class           text NOT NULL,
    status          text NOT NULL,
    merged_into     uuid,
    certainty       text NOT NULL,
    disputed        boolean NOT NULL,
    tally           text,
    year            text,
    month           text,
    state           text,
    municipality    text,
    kind            text,
    sex             text,
    strict          bigint[] NOT NULL CHECK (array_length(strict, 1) = 9),
    strict_excluded text,
    broad           bigint[] NOT NULL CHECK (array_length(broad, 1) = 9),
    broad_excluded  text,
    CHECK (superseded_at > position)
);
CREATE UNIQUE INDEX disclosures_last ON public_count.disclosures (incident) WHERE superseded_at IS NULL;
CREATE INDEX disclosures_by_incident ON public_count.disclosures (incident, position);
CREATE INDEX disclosures_superseded ON public_count.disclosures (superseded_at) WHERE superseded_at IS NOT NULL;

-- The sizes of the log at which a release ended. What it changed is folded into cells then.
CREATE TABLE public_count.releases (
    size bigint PRIMARY KEY
);

-- Disclosures with the same values, summed: a row holds from one release (since) until another (until, or 2^63 - 1 while
-- it is the last), and a release touches only what it changed. A grain says which columns are told apart; the others are
-- '', as is what is sealed. occurred is the year of the month where that is open, else the year.
-- 0: class and certainty. 1: year and state. 2: all these and kind. 3: and month instead. 4: and municipality instead.
CREATE TABLE public_count.cells (
    key          text     NOT NULL,
    grain        smallint NOT NULL,
    nexus        text     NOT NULL,
    since        bigint   NOT NULL,
    until        bigint   NOT NULL,
    class        text     NOT NULL,
    certainty    text     NOT NULL,
    excluded     text     NOT NULL,
    year         text     NOT NULL,
    occurred     text     NOT NULL,
    month        text     NOT NULL,
    state        text     NOT NULL,
    municipality text     NOT NULL,
    kind         text     NOT NULL,
    incidents    bigint   NOT NULL,
    disputed     bigint   NOT NULL,
    sums         bigint[] NOT NULL,
    CHECK (until > since)
);
CREATE UNIQUE INDEX cells_last ON public_count.cells (key) WHERE until = 9223372036854775807;
CREATE INDEX cells_by_grain ON public_count.cells (grain, nexus, until, since);

-- The deaths of a disclosure by sex; sex is null where it is sealed. The rows of one nexus sum to its DEATHS.
CREATE TABLE public_count.deaths_by_sex (
    position bigint NOT NULL,
    nexus    text NOT NULL,
    sex      text,
    low      bigint NOT NULL,
    best     bigint NOT NULL,
    high     bigint NOT NULL
);
CREATE INDEX deaths_by_sex_by_position ON public_count.deaths_by_sex (position, nexus);

-- Which definition, and which policy, held from which position on.
CREATE TABLE public_count.adoptions (
    position bigint PRIMARY KEY,
    type     text NOT NULL,
    id       text NOT NULL,
    sha256   text NOT NULL
);

CREATE SCHEMA waiting;

-- Incidents that were ever adjudicated POSSIBLE or better, and whether a release has disclosed them.
CREATE TABLE waiting.adjudicated (
    incident  uuid PRIMARY KEY,
    disclosed boolean NOT NULL DEFAULT false
);

-- From which position until which an incident waited for a release.
CREATE TABLE waiting.intervals (
    incident uuid NOT NULL,
    since    bigint NOT NULL,
    until    bigint,
    PRIMARY KEY (incident, since),
    CHECK (until > since)
);
CREATE UNIQUE INDEX intervals_open ON waiting.intervals (incident) WHERE until IS NULL;
-- Which intervals hold a size, without a look at all that have ended.
CREATE INDEX intervals_by_size ON waiting.intervals USING gist (int8range(since, until));

-- Reports of occurrences, and from which position on they wait for a reviewer (null: they do not).
CREATE TABLE waiting.reports (
    report       uuid PRIMARY KEY,
    since        bigint,
    out_of_scope boolean NOT NULL,
    CHECK (NOT (out_of_scope AND since IS NOT NULL))
);
CREATE INDEX reports_waiting ON waiting.reports (since) WHERE since IS NOT NULL;
