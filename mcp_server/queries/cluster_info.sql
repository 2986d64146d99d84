-- One cluster: whose it is, where and on what it runs, how it was judged last.
WITH machines AS (
  SELECT
    r.cluster_id,
    MAX(r.state) AS resource_state,
    MAX(r.resource_struct) AS resource_struct,
    SUM(CASE WHEN n.type = 'FE' THEN f.vm_count ELSE 0 END) AS fe_nodes,
    SUM(CASE WHEN n.type = 'FE' THEN 0 ELSE f.vm_count END) AS be_nodes,
    MAX(CASE WHEN n.type = 'FE' THEN v.instance_type END) AS fe_machine,
    MAX(CASE WHEN n.type = 'FE' THEN NULL ELSE v.instance_type END) AS be_machine,
    MAX(CASE WHEN n.type = 'FE' THEN NULL ELSE v.memory_gb END) AS be_memory_gb,
    MAX(CASE WHEN n.type = 'FE' THEN NULL ELSE f.volume_gb END) AS be_volume_gb
  FROM byoc.resource AS r
  JOIN byoc.resource_node AS n ON n.resource_id = r.resource_id
  JOIN byoc.resource_node_conf AS f ON f.resource_node_id = n.resource_node_id AND f.in_use
  LEFT JOIN byoc.vm_category AS v ON v.vm_category_id = f.vm_category_id
  WHERE r.cluster_id = %(cluster)s
  GROUP BY r.cluster_id
),
risk AS (
  SELECT cluster_id, risk_level, risk_reasons, computed_at, ROW_NUMBER() OVER (ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_risk_snapshots WHERE cluster_id = %(cluster)s
),
health AS (
  SELECT cluster_id, overall_score, classification, computed_at,
    ROW_NUMBER() OVER (ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_health_scores WHERE cluster_id = %(cluster)s
),
seen AS (
  SELECT cluster_id, MAX(snapshot_hour) AS newest_hour
  FROM metrics.amv_hourly_snapshots_v1 WHERE cluster_id = %(cluster)s GROUP BY cluster_id
)
SELECT
  c.biz_id AS cluster_id, c.cluster_name,
  COALESCE(c.cluster_type, i.cluster_type, m.resource_struct) AS cluster_type,
  CASE
    WHEN COALESCE(c.deleted, FALSE) THEN 'deleted'
    WHEN COALESCE(c.stopped, FALSE) THEN 'stopped'
    ELSE 'active'
  END AS state,
  i.sr_version, c.account_id, a.name AS account_name, p.customer_name, COALESCE(p.tier, 'B') AS tier,
  o.name AS organization, d.display_name AS region, d.cloud, c.created_at,
  m.resource_state, m.fe_nodes, m.fe_machine, m.be_nodes, m.be_machine, m.be_memory_gb, m.be_volume_gb,
  k.risk_level, k.risk_reasons, h.overall_score, h.classification, h.computed_at AS scored_at,
  s.newest_hour AS newest_metrics_hour
FROM byoc.clusters AS c
LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id
LEFT JOIN byoc.accounts AS a ON a.biz_id = c.account_id
LEFT JOIN byoc.organizations AS o ON o.biz_id = a.org_id
LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = c.account_id
LEFT JOIN byoc.region_details AS d ON d.region_id = c.region_id
LEFT JOIN machines AS m ON m.cluster_id = c.biz_id
LEFT JOIN risk AS k ON k.cluster_id = c.biz_id AND k.age_rank = 1
LEFT JOIN health AS h ON h.cluster_id = c.biz_id AND h.age_rank = 1
LEFT JOIN seen AS s ON s.cluster_id = c.biz_id
WHERE c.biz_id = %(cluster)s
