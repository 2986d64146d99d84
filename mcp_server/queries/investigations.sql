-- What past investigations found: the part of the memory that belongs to one cluster each.
SELECT
  created_at, 'investigation' AS source, cluster_id, cluster_name, severity, root_cause AS finding,
  recommended_actions AS actions, investigation_id AS id
FROM alerts.agent_investigations
WHERE %(cluster)s IS NULL OR cluster_id = %(cluster)s
ORDER BY created_at DESC, id
LIMIT %(limit)s
