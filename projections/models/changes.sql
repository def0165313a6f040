-- Leaves of disclosures, to be compared with the one before of the same incident.

-- name: between
-- The disclosures from position $1 on and before $2, at most $3, each with its leaf and the one that it replaced;
-- $order: ASC the oldest first, DESC the newest.
SELECT now.position, now.incident, e.leaf, before.leaf AS before
FROM (
    SELECT position, incident FROM public_count.disclosures
    WHERE position >= $1 AND position < $2
    ORDER BY position $order
    LIMIT $3
) AS now
JOIN public.events e USING (position)
LEFT JOIN LATERAL (
    SELECT older.leaf
    FROM public_count.disclosures d JOIN public.events older USING (position)
    WHERE d.incident = now.incident AND d.position < now.position
    ORDER BY d.position DESC
    LIMIT 1
) AS before ON true
ORDER BY now.position $order;

-- name: histories
-- All disclosures of the incidents $2 as of size $1, the oldest first.
SELECT d.position, d.incident, e.leaf
FROM public_count.disclosures d JOIN public.events e USING (position)
WHERE d.incident = ANY ($2::uuid[]) AND d.position < $1
ORDER BY d.position;
