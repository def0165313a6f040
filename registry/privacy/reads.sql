-- name: note
-- One row for each record that an answer is about to show. people ($7) and fields ($8) hold one value per line.
INSERT INTO private_reads (institution, key, purpose, noun, record, owner, people, fields)
SELECT $1, $2, $3, shown.noun, shown.record, shown.owner, string_to_array(shown.people, E'\n'),
       string_to_array(shown.fields, E'\n')
FROM unnest($4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[]) AS shown (noun, record, owner, people, fields);

-- name: page
-- Reads in their order, of one owner's records or ($1 null) of all, of one record, of one person.
SELECT id, at, institution, key, noun, record, owner, people, fields, purpose
FROM private_reads
WHERE ($1::uuid IS NULL OR owner = $1)
  AND ($2::uuid IS NULL OR record = $2)
  AND ($3::text IS NULL OR people @> ARRAY[$3::text])
  AND id > $4
ORDER BY id
LIMIT $5;
