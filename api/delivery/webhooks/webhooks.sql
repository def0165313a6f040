-- name: take_turns
-- Until the end of the transaction: of those who register for one institution, each counts what the others added.
SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || $1::uuid::text, 0));

-- name: register
-- One more endpoint, unless the institution has $7 already (take_turns).
INSERT INTO webhooks (id, institution, key, url, types, position)
SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM webhooks WHERE institution = $2) < $7
RETURNING id;

-- name: add_secrets
-- What was the newest retires at $4; what was retiring already, at once.
WITH older AS (DELETE FROM webhook_secrets WHERE webhook = $1 AND retires IS NOT NULL),
     last AS (UPDATE webhook_secrets SET retires = $4 WHERE webhook = $1 AND retires IS NULL)
INSERT INTO webhook_secrets (webhook, number, secrets) VALUES ($1, $2, $3);

-- name: secrets
-- Those that sign at $2, the newest first.
SELECT number, secrets, retires FROM webhook_secrets
WHERE webhook = $1 AND (retires IS NULL OR retires > $2) ORDER BY number DESC;

-- name: hold
-- Until the end of the transaction, so that two rotations take turns.
SELECT id FROM webhooks WHERE id = $1 AND institution = $2 FOR UPDATE;

-- name: last_secret
-- Every institution's: after the owner was compared (hold). Asked after it: who has waited there sees what the other did.
SELECT coalesce(max(number), 0) FROM webhook_secrets WHERE webhook = $1;

-- name: find
SELECT * FROM webhooks WHERE id = $1 AND institution = $2;

-- name: list
SELECT * FROM webhooks WHERE institution = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3;

-- name: remove
DELETE FROM webhooks WHERE id = $1 AND institution = $2 RETURNING id;

-- name: forget_answers
-- Every institution's: of an endpoint that its own institution has just deleted.
UPDATE webhook_requests SET answer = NULL WHERE webhook = $1;

-- name: changed
-- Every institution's: after the owner was compared (hold).
UPDATE webhooks SET revision = revision + 1 WHERE id = $1;

-- name: replay
-- From position $4, or (NULL) from where it stands, with the sight of key $3; whatever had stopped it is forgotten.
UPDATE webhooks
SET position = coalesce($4, position), key = $3, revision = revision + 1,
    failures = 0, failing_since = NULL, next_try = NULL, disabled = NULL, disabled_at = NULL
WHERE id = $1 AND institution = $2
RETURNING *;

-- name: attempts
-- Of an endpoint that was found for its institution.
SELECT number, at, message, position, status, failure, milliseconds FROM webhook_attempts
WHERE webhook = $1 AND number > $2 ORDER BY number LIMIT $3;

-- name: note_test
-- Every institution's: after the owner was compared (find).
WITH counted AS (UPDATE webhooks SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts),
     forgotten AS (
         DELETE FROM webhook_attempts
         WHERE webhook = $1 AND number <= (SELECT attempts FROM counted) - $7::bigint
     )
INSERT INTO webhook_attempts (webhook, number, at, message, position, status, failure, milliseconds)
SELECT $1, attempts, $2, $3, NULL, $4, $5, $6 FROM counted
RETURNING number, at, message, position, status, failure, milliseconds;

-- name: states
-- Every institution's: for the operator, as numbers only.
SELECT coalesce(disabled, CASE WHEN failures = 0 THEN 'WELL' ELSE 'RETRYING' END) AS state, count(*) AS number
FROM webhooks GROUP BY 1;

-- name: take
-- Every institution's: whoever delivers, delivers for all.
-- Endpoints that nobody delivers to, for $2 seconds, and those of process $1 that it has for less than $3 more.
UPDATE webhooks SET leased_by = $1, leased_until = now() + make_interval(secs => $2)
WHERE disabled IS NULL
  AND (leased_until IS NULL OR leased_until < now()
       OR (leased_by = $1 AND leased_until < now() + make_interval(secs => $3)));

-- name: held
-- Every institution's: whoever delivers, delivers for all.
-- What process $1 delivers to, and whether its key is in force on $2.
SELECT w.id, w.revision,
       k.revoked_at IS NULL AND (k.expires_on IS NULL OR k.expires_on >= $2::date) AS allowed
FROM webhooks w JOIN api_keys k ON k.id = w.key
WHERE w.leased_by = $1 AND w.leased_until > now() AND w.disabled IS NULL;

-- name: leased
-- Every institution's: whoever delivers, delivers for all.
-- What process $2 may deliver to on $3, with all that is needed for it.
SELECT w.*, k.scopes FROM webhooks w JOIN api_keys k ON k.id = w.key
WHERE w.id = $1 AND w.leased_by = $2 AND w.leased_until > now() AND w.disabled IS NULL
  AND k.revoked_at IS NULL AND (k.expires_on IS NULL OR k.expires_on >= $3::date);

-- name: still
-- Every institution's: whoever delivers, delivers for all.
-- Whether endpoint $1 is as process $2 has read it (revision $3), and may be delivered to on $4.
SELECT EXISTS (
    SELECT FROM webhooks w JOIN api_keys k ON k.id = w.key
    WHERE w.id = $1 AND w.leased_by = $2 AND w.leased_until > now() AND w.revision = $3 AND w.disabled IS NULL
      AND k.revoked_at IS NULL AND (k.expires_on IS NULL OR k.expires_on >= $4::date)
);

-- name: passed
-- Every institution's: whoever delivers, delivers for all.
-- Between $3 and $4 there is nothing for this endpoint.
UPDATE webhooks SET position = $4 WHERE id = $1 AND leased_by = $2 AND position = $3 RETURNING id;

-- name: accepted
-- Every institution's: whoever delivers, delivers for all.
-- What stood at $3 was accepted: it goes on from $4, unless somebody has moved it or delivers in our place. Whether all
-- else is still as it was read (revision $11, and the key in force on $12).
WITH moved AS (
    UPDATE webhooks
    SET attempts = attempts + 1, position = $4, failures = 0, failing_since = NULL, next_try = NULL
    WHERE id = $1 AND leased_by = $2 AND position = $3 AND disabled IS NULL
    RETURNING attempts, key, revision
), forgotten AS (
    DELETE FROM webhook_attempts WHERE webhook = $1 AND number <= (SELECT attempts FROM moved) - $10::bigint
), noted AS (
    INSERT INTO webhook_attempts (webhook, number, at, message, position, status, failure, milliseconds)
    SELECT $1, attempts, $5, $6, $7, $8, NULL, $9 FROM moved
)
SELECT EXISTS (
    SELECT FROM moved JOIN api_keys k ON k.id = moved.key
    WHERE moved.revision = $11 AND k.revoked_at IS NULL AND (k.expires_on IS NULL OR k.expires_on >= $12::date)
);

-- name: failed
-- Every institution's: whoever delivers, delivers for all.
-- The same where it was not accepted: it stays, to be tried again at $12, or is disabled for reason $13; unless somebody
-- has changed it since it was read (revision $15), who may just have resumed it.
WITH stopped AS (
    UPDATE webhooks
    SET attempts = attempts + 1, failures = $10, failing_since = $11, next_try = $12, disabled = $13,
        disabled_at = CASE WHEN $13::text IS NULL THEN NULL ELSE $4::timestamptz END
    WHERE id = $1 AND leased_by = $2 AND position = $3 AND revision = $15 AND disabled IS NULL
    RETURNING attempts
), forgotten AS (
    DELETE FROM webhook_attempts WHERE webhook = $1 AND number <= (SELECT attempts FROM stopped) - $14::bigint
)
INSERT INTO webhook_attempts (webhook, number, at, message, position, status, failure, milliseconds)
SELECT $1, attempts, $4, $5, $6, $7, $8, $9 FROM stopped
RETURNING number;

-- name: end_key
-- Every institution's: whoever delivers, delivers for all.
-- Unless another key has taken over since it was read (revision $4).
UPDATE webhooks SET disabled = 'KEY_ENDED', disabled_at = $3
WHERE id = $1 AND leased_by = $2 AND revision = $4 AND disabled IS NULL RETURNING id;

-- name: release
-- Every institution's: whoever delivers, delivers for all.
UPDATE webhooks SET leased_by = NULL, leased_until = NULL WHERE leased_by = $1;

-- name: forget_secrets
-- Every institution's: those that sign no more at $1.
DELETE FROM webhook_secrets WHERE retires <= $1;

-- name: forget_requests
-- Every institution's: they expire alike.
DELETE FROM webhook_requests WHERE created < now() - interval '30 days';

-- name: claim
-- First come. One that was broken off a minute ago, without an answer, may be begun anew.
INSERT INTO webhook_requests (requested_by, idempotency_key, body_hmac) VALUES ($1, $2, $3)
ON CONFLICT (requested_by, idempotency_key) DO UPDATE SET created = now()
WHERE webhook_requests.answer IS NULL AND webhook_requests.webhook IS NULL
  AND webhook_requests.body_hmac = excluded.body_hmac
  AND webhook_requests.created < now() - interval '1 minute'
RETURNING requested_by;

-- name: answered
UPDATE webhook_requests SET webhook = $3, answer = $4 WHERE requested_by = $1 AND idempotency_key = $2;

-- name: known
SELECT body_hmac, webhook, answer FROM webhook_requests WHERE requested_by = $1 AND idempotency_key = $2;
