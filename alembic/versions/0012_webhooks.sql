-- Where institutions want events sent. Ordinary tables: no fact of the log. Events are never copied here: an endpoint's
-- backlog is one position.

CREATE TABLE webhooks (
    id            uuid PRIMARY KEY,
    institution   uuid   NOT NULL,
    key           uuid   NOT NULL REFERENCES api_keys (id),
    url           bytea  NOT NULL,
    types         text[] NOT NULL,
    position      bigint NOT NULL CHECK (position >= 0),
    revision      int    NOT NULL DEFAULT 1,
    attempts      bigint NOT NULL DEFAULT 0,
    failures      int    NOT NULL DEFAULT 0,
    failing_since timestamptz CHECK ((failing_since IS NULL) = (failures = 0)),
    next_try      timestamptz CHECK (next_try IS NULL OR failures > 0),
    disabled      text CHECK (disabled IN ('GONE', 'FAILING', 'KEY_ENDED')),
    disabled_at   timestamptz CHECK ((disabled_at IS NULL) = (disabled IS NULL)),
    leased_by     uuid,
    leased_until  timestamptz CHECK ((leased_until IS NULL) = (leased_by IS NULL)),
    created       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN webhooks.key IS 'The endpoint gets what this key may see, for as long as the key is in force.';
COMMENT ON COLUMN webhooks.url IS 'Encrypted under a key derived from the master key: addresses may hold passwords.';
COMMENT ON COLUMN webhooks.types IS 'Names of events that are wanted; none = all.';
COMMENT ON COLUMN webhooks.position IS 'All before it was accepted, or is not for this endpoint.';
COMMENT ON COLUMN webhooks.revision IS 'Grows when somebody changes what whoever delivers has read of the row.';
COMMENT ON COLUMN webhooks.attempts IS 'The number of the last attempt.';
COMMENT ON COLUMN webhooks.failures IS 'In a row.';
COMMENT ON COLUMN webhooks.leased_by IS 'The process that delivers, until leased_until by the clock of the database.';
CREATE INDEX webhooks_by_institution ON webhooks (institution, id);
-- Rows are updated in place at every attempt.
ALTER TABLE webhooks SET (fillfactor = 70);

CREATE TABLE webhook_secrets (
    webhook uuid  NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    number  int   NOT NULL CHECK (number >= 1),
    secrets bytea NOT NULL,
    retires timestamptz,
    PRIMARY KEY (webhook, number)
);
COMMENT ON TABLE webhook_secrets IS 'At most two of an endpoint sign at a time: the newest, and the one that it replaced.';
COMMENT ON COLUMN webhook_secrets.secrets IS 'Shared secret and Ed25519 seed, encrypted under a key derived from the master key.';
COMMENT ON COLUMN webhook_secrets.retires IS 'When it signs no more; NULL = the newest.';

CREATE TABLE webhook_attempts (
    webhook      uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    number       bigint NOT NULL,
    at           timestamptz NOT NULL,
    message      uuid NOT NULL,
    position     bigint,
    status       int,
    failure      text CHECK ((failure IS NULL) = (status IS NOT NULL)),
    milliseconds int  NOT NULL CHECK (milliseconds >= 0),
    PRIMARY KEY (webhook, number)
);
COMMENT ON TABLE webhook_attempts IS 'The last of each endpoint. Nothing of what an endpoint answered but the status.';
COMMENT ON COLUMN webhook_attempts.message IS 'The webhook-id.';
COMMENT ON COLUMN webhook_attempts.position IS 'NULL = a test.';

-- A repeated Idempotency-Key gets the first answer; counts for 30 days, as with facts.
CREATE TABLE webhook_requests (
    requested_by    uuid  NOT NULL REFERENCES api_keys (id),
    idempotency_key text  NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    body_hmac       bytea NOT NULL CHECK (octet_length(body_hmac) = 32),
    webhook         uuid,
    answer          bytea,
    created         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (requested_by, idempotency_key)
);
COMMENT ON COLUMN webhook_requests.answer IS 'Encrypted under a key derived from the master key. NULL: under way, or its endpoint was deleted since.';
CREATE INDEX webhook_requests_by_age ON webhook_requests (created);
CREATE INDEX webhook_requests_by_webhook ON webhook_requests (webhook);
