-- Every cluster by id, name and state, active ones first: what a person may mean by a cluster.
SELECT
  biz_id,
  cluster_name,
  CASE
    WHEN COALESCE(deleted, FALSE) THEN 'deleted'
    WHEN COALESCE(stopped, FALSE) THEN 'stopped'
    ELSE 'active'
  END AS state
FROM byoc.clusters
ORDER BY
  CASE WHEN COALESCE(stopped, FALSE) OR COALESCE(deleted, FALSE) THEN 1 ELSE 0 END, created_at DESC, biz_id
