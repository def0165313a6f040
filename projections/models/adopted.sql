-- Documents that the log adopted.

-- name: policy
-- The leaf of the last policy adopted as of size $1.
SELECT position, e.leaf
FROM public_count.adoptions a JOIN public.events e USING (position)
WHERE a.type = 'policy.adopted' AND position < $1
ORDER BY position DESC
LIMIT 1;
