-- name: add
INSERT INTO evidence (id, report) VALUES ($1, $2);

-- name: add_chunk
INSERT INTO evidence_chunks (evidence, number, ciphertext) VALUES ($1, $2, $3);

-- name: hold_head
-- An erasure has retired the key by now, or will find the chunks.
SELECT FROM head FOR UPDATE;

-- name: is_retired
SELECT EXISTS (SELECT FROM erased_keys WHERE id = $1);

-- name: report_of
SELECT report FROM evidence WHERE id = $1;

-- name: chunk
SELECT ciphertext FROM evidence_chunks WHERE evidence = $1 AND number = $2;

-- name: attach
UPDATE evidence SET attached = true WHERE id = $1;

-- name: remove
DELETE FROM evidence WHERE id = $1;

-- name: left_over
-- Files whose upload ended before anybody learned that they were attached. An hour is longer than any upload.
SELECT id, report FROM evidence WHERE NOT attached AND stored < now() - interval '1 hour';
