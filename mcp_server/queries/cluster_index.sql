-- Every cluster by id and name, active ones first: what a person may mean by a cluster.
SELECT
  biz_id,
  cluster_name,
  CASE WHEN coalesce(stopped, FALSE) OR coalesce(deleted, FALSE) THEN 0 ELSE 1 END AS active
FROM byoc.clusters
ORDER BY active DESC, created_at DESC, biz_id
