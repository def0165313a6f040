-- name: key_ids
-- The ids of the data keys under which anything of a subject is stored.
SELECT substring(ciphertext FOR 8) AS id FROM private_parts WHERE subject = $1
UNION
SELECT substring(wrapped FROM 8 * array_position(subjects, $1) - 7 FOR 8)
FROM commitment_keys WHERE subjects @> ARRAY[$1::text];

-- name: covered
-- The events that a subject covers, whose commitments open no more without it.
SELECT event_id FROM commitment_keys WHERE subjects @> ARRAY[$1::text]
UNION
SELECT event_id FROM private_parts WHERE subject = $1;

-- name: begin
-- Fixes what is to be erased, and the event that will say so; joins an erasure of the same subject under way. None for
-- keys that are erased already.
INSERT INTO erasures (requested, subject, key_id, event_id, reason)
SELECT $1, $1, key.id, COALESCE(begun.event_id, $3), COALESCE(begun.reason, $4)
FROM unnest($2::bytea[]) AS key (id)
LEFT JOIN (SELECT event_id, reason FROM erasures WHERE requested = $1 LIMIT 1) AS begun ON true
WHERE NOT EXISTS (SELECT FROM erased_keys known WHERE known.id = key.id)
ON CONFLICT (requested, subject, key_id) DO NOTHING;

-- name: unfinished
-- The steps of an erasure: those to be taken first.
SELECT subject, key_id, event_id, reason, deleted FROM erasures WHERE requested = $1 ORDER BY deleted, subject;

-- name: hold_head
-- Whoever appends has done so, or waits.
SELECT FROM head FOR UPDATE;

-- name: retire_key
-- From now on nothing is stored that is sealed under this key.
INSERT INTO erased_keys (id) VALUES ($1) ON CONFLICT (id) DO NOTHING;

-- name: delete_parts
DELETE FROM private_parts WHERE subject = $1 AND substring(ciphertext FOR 8) = $2;

-- name: delete_files
-- Files are kept for reports, under the data key of the report.
DELETE FROM evidence_chunks
USING evidence
WHERE evidence.id = evidence_chunks.evidence AND 'report:' || evidence.report = $1
    AND substring(evidence_chunks.ciphertext FOR 8) = $2;

-- name: delete_keys
-- With a person go the words of the reports that name the person, whose own data keys become further steps.
WITH deleted AS (
    DELETE FROM commitment_keys
    WHERE subjects @> ARRAY[$2::text] AND substring(wrapped FROM 8 * array_position(subjects, $2) - 7 FOR 8) = $3
    RETURNING subjects, wrapped
)
INSERT INTO erasures (requested, subject, key_id, event_id, reason)
SELECT DISTINCT step.requested, also.subject, substring(deleted.wrapped FROM (8 * also.n - 7)::int FOR 8),
       step.event_id, step.reason
FROM deleted
CROSS JOIN LATERAL unnest(deleted.subjects) WITH ORDINALITY AS also (subject, n)
JOIN erasures AS step ON (step.requested, step.subject, step.key_id) = ($1, $2, $3)
WHERE step.requested = step.subject AND step.subject LIKE 'person:%' AND also.subject LIKE 'report:%'
ON CONFLICT (requested, subject, key_id) DO NOTHING;

-- name: done
UPDATE erasures SET deleted = true WHERE requested = $1 AND subject = $2 AND key_id = $3;

-- name: finish
-- Only what was said to be erased: a step that was added since waits for its own event.
DELETE FROM erasures WHERE requested = $1 AND event_id = $2 AND deleted;
