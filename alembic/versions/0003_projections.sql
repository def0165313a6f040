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
-- A facet is null where it is sealed. Contributions are [low, best, high] of INCIDENTS, VICTIMISATIONS and DEATHS, in
-- that order, for each nexus; *_excluded says why the incident counts in no query of that nexus.
CREATE TABLE public_count.disclosures (
    position        bigint PRIMARY KEY,
    superseded_at   bigint,
    incident        uuid NOT NULL,
    class           text NOT NULL,
    certainty       text NOT NULL,
    disputed        boolean NOT NULL,
    year            text,
    month           text,
    state           text,
    municipality    text,
    kind            text,
    strict          bigint[] NOT NULL CHECK (array_length(strict, 1) = 9),
    strict_excluded text,
    broad           bigint[] NOT NULL CHECK (array_length(broad, 1) = 9),
    broad_excluded  text,
    CHECK (superseded_at > position)
);
CREATE UNIQUE INDEX disclosures_last ON public_count.disclosures (incident) WHERE superseded_at IS NULL;

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
