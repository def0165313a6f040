-- name: status
-- Where every projection stands, and every copy being built, beside the size of the log.
SELECT name, version, position, failed, (SELECT size FROM head) AS size FROM projections.positions ORDER BY name;
