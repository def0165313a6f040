-- name: claim
-- First come: a concurrent duplicate waits here for the first to commit, and then finds its row.
INSERT INTO subject_request_keys (requested_by, idempotency_key, body_hmac, request)
VALUES ($1, $2, $3, $4) ON CONFLICT (requested_by, idempotency_key) DO NOTHING RETURNING request;

-- name: claimed
SELECT body_hmac, request FROM subject_request_keys WHERE requested_by = $1 AND idempotency_key = $2;

-- name: forget_claims
-- Idempotency keys are honoured for 30 days.
-- Every institution's: they expire alike.
DELETE FROM subject_request_keys WHERE created < now() - interval '30 days';

-- name: add
INSERT INTO subject_requests (id, institution, type, person, received_on, answer_due, words)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: find
-- One request, of one institution or ($2 null) of any.
SELECT id, institution, type, person, received_on, answer_due, words, answered_on, outcome, reason, carry_out_due,
       carried_out_on, positions
FROM subject_requests
WHERE id = $1 AND ($2::uuid IS NULL OR institution = $2);

-- name: page
-- By id, which is random: a page never says which request came first. Overdue ($4) on a day ($5): not answered, or
-- granted and not carried out, in time.
SELECT id, institution, type, person, received_on, answer_due, words, answered_on, outcome, reason, carry_out_due,
       carried_out_on, positions
FROM subject_requests
WHERE ($1::uuid IS NULL OR institution = $1)
  AND ($2::text IS NULL OR person = $2)
  AND ($3::uuid IS NULL OR id > $3)
  AND (NOT $4::boolean
       OR (answered_on IS NULL AND answer_due < $5)
       OR (carried_out_on IS NULL AND carry_out_due < $5))
ORDER BY id
LIMIT $6;

-- name: answer
-- Once: whoever comes second finds it answered.
-- Every institution's: found as the caller's own before.
UPDATE subject_requests SET answered_on = $2, outcome = $3, reason = $4, carry_out_due = $5
WHERE id = $1 AND answered_on IS NULL
RETURNING true;

-- name: carry_out
-- Whoever asked for an erasure has been answered before: $4 takes their words, too.
-- Every institution's: found as the caller's own before.
UPDATE subject_requests SET carried_out_on = $2, positions = $3, words = CASE WHEN $4 THEN NULL ELSE words END
WHERE id = $1 AND outcome = 'GRANTED' AND carried_out_on IS NULL
RETURNING true;

-- name: objecting
-- Every institution's: those who object are heard everywhere.
SELECT DISTINCT person FROM subject_requests
WHERE type IN ('OBJECTION', 'FAMILY_OBJECTION') AND carried_out_on IS NOT NULL;
