-- Active clusters of the same account or the same version, with how they were judged last.
WITH own AS (
  SELECT c.biz_id, c.account_id, i.sr_version
  FROM byoc.clusters AS c LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id
  WHERE c.biz_id = %(cluster)s
  LIMIT 1
),
risk AS (
  SELECT
    cluster_id, risk_level, risk_reasons,
    ROW_NUMBER() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_risk_snapshots
),
health AS (
  SELECT cluster_id, overall_score, ROW_NUMBER() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_health_scores
)
SELECT
  CASE
    WHEN c.account_id = own.account_id AND i.sr_version = own.sr_version THEN 'account and version'
    WHEN c.account_id = own.account_id THEN 'account'
    ELSE 'version'
  END AS shared,
  c.biz_id AS cluster_id, c.cluster_name, c.cluster_type, i.sr_version, a.name AS account_name,
  COALESCE(p.tier, 'B') AS tier, k.risk_level, h.overall_score, k.risk_reasons
FROM byoc.clusters AS c
CROSS JOIN own
LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id
LEFT JOIN byoc.accounts AS a ON a.biz_id = c.account_id
LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = c.account_id
LEFT JOIN risk AS k ON k.cluster_id = c.biz_id AND k.age_rank = 1
LEFT JOIN health AS h ON h.cluster_id = c.biz_id AND h.age_rank = 1
WHERE c.biz_id <> own.biz_id AND NOT COALESCE(c.stopped, FALSE) AND NOT COALESCE(c.deleted, FALSE)
  AND (c.account_id = own.account_id OR i.sr_version = own.sr_version)
ORDER BY CASE WHEN c.account_id = own.account_id THEN 0 ELSE 1 END, h.overall_score, c.biz_id
LIMIT 60
