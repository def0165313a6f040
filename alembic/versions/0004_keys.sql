-- Keys to the API. Never facts of the log: who holds a key is the operator's business.

CREATE TABLE api_keys (
    id          uuid PRIMARY KEY,
    institution uuid,
    scopes      text[] NOT NULL CHECK (cardinality(scopes) >= 1),
    expires_on  date,
    key_hmac    bytea NOT NULL UNIQUE CHECK (octet_length(key_hmac) = 32),
    created     timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);
COMMENT ON TABLE api_keys IS 'Of the key itself only its HMAC is kept. Never deleted: events name the key that was used.';
COMMENT ON COLUMN api_keys.institution IS 'NULL = the operator of the registry.';
COMMENT ON COLUMN api_keys.expires_on IS 'The last day, in UTC, on which the key works. NULL = until revoked.';
CREATE INDEX api_keys_by_institution ON api_keys (institution);

-- A repeated request for a key gets the first answer again: the text of a key follows from its id.
CREATE TABLE api_key_requests (
    requested_by    uuid  NOT NULL REFERENCES api_keys (id),
    idempotency_key text  NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    body_hmac       bytea NOT NULL CHECK (octet_length(body_hmac) = 32),
    key_id          uuid  NOT NULL,
    created         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (requested_by, idempotency_key)
);
CREATE INDEX api_key_requests_by_age ON api_key_requests (created);
