-- name: claim_request
-- First come: a concurrent duplicate waits here for the first to commit, and then finds its row.
INSERT INTO api_key_requests (requested_by, idempotency_key, body_hmac, key_id)
VALUES ($1, $2, $3, $4) ON CONFLICT (requested_by, idempotency_key) DO NOTHING RETURNING key_id;

-- name: find_request
SELECT body_hmac, key_id FROM api_key_requests WHERE requested_by = $1 AND idempotency_key = $2;

-- name: forget_requests
-- Idempotency keys are honoured for 30 days.
-- Every institution's: they expire alike.
DELETE FROM api_key_requests WHERE created < now() - interval '30 days';

-- name: insert_key
INSERT INTO api_keys (id, institution, scopes, expires_on, key_hmac) VALUES ($1, $2, $3, $4, $5);

-- name: find_by_hmac
-- Every institution's: this is how it becomes known who asks.
SELECT id, institution, scopes, expires_on, revoked_at FROM api_keys WHERE key_hmac = $1;

-- name: find_key
-- Every institution's: the administrator asks.
SELECT id, institution, scopes, expires_on, created, revoked_at FROM api_keys WHERE id = $1;

-- name: list_keys
-- Every institution's: the administrator asks.
-- By id, which is random: a page never says which key came first.
SELECT id, institution, scopes, expires_on, created, revoked_at FROM api_keys
WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2;

-- name: revoke_key
-- Every institution's: the administrator asks.
UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id;

-- name: expire_key
-- Every institution's: the administrator asks.
-- Brings the last day ($2) of a key in force on $3 forward, never back; the key as it was before.
WITH old AS (
    SELECT id, institution, scopes, expires_on FROM api_keys
    WHERE id = $1 AND revoked_at IS NULL AND (expires_on IS NULL OR expires_on >= $3::date)
    FOR UPDATE
)
UPDATE api_keys AS stored SET expires_on = LEAST(old.expires_on, $2::date)
FROM old WHERE stored.id = old.id
RETURNING old.institution, old.scopes, old.expires_on;

-- name: lock_keys
-- Two processes that start together must not both make a first key.
LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: any_key
-- Every institution's: whether there is one at all.
SELECT EXISTS (SELECT FROM api_keys);
