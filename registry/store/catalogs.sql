-- name: store
-- The catalogue of a file, unless it is stored already.
INSERT INTO catalogs (id, name, vintage, sha256, taken) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name, vintage, sha256, taken) DO NOTHING
RETURNING id;

-- name: stored
SELECT id FROM catalogs WHERE name = $1 AND vintage = $2 AND sha256 = $3 AND taken = $4;

-- name: municipalities
SELECT cvegeo, name, latitude, longitude FROM municipalities WHERE catalog = $1;

-- name: establishments
-- Of some adopted catalogues, those that have, or had, one of some codes; and all of the catalogue $3.
SELECT catalog, clues, former_clues, name, cvegeo, level, latitude, longitude, valid_from
FROM establishments
WHERE catalog = ANY ($1) AND (clues = ANY ($2) OR former_clues = ANY ($2) OR catalog = $3);

-- name: same_file
-- Under which vintages a file was stored before.
SELECT id, vintage FROM catalogs WHERE name = $1 AND sha256 = $2 AND taken = $3;
