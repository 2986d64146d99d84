-- The fleet in one table: active clusters per type, tier, cloud, version, risk and health, and how many are in trouble.
WITH active AS (
  SELECT c.biz_id, c.account_id, c.region_id, COALESCE(c.cluster_type, 'unknown') AS cluster_type
  FROM byoc.clusters AS c
  WHERE NOT COALESCE(c.stopped, FALSE) AND NOT COALESCE(c.deleted, FALSE)
),
risk AS (
  SELECT cluster_id, risk_level, ROW_NUMBER() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_risk_snapshots
),
health AS (
  SELECT cluster_id, classification, ROW_NUMBER() OVER (PARTITION BY cluster_id ORDER BY computed_at DESC) AS age_rank
  FROM alerts.cluster_health_scores
),
seen AS (
  SELECT cluster_id, MAX(snapshot_hour) AS newest_hour
  FROM metrics.amv_hourly_snapshots_v1
  WHERE snapshot_hour >= HOURS_SUB(%(now)s, 72)
  GROUP BY cluster_id
),
cards AS (
  SELECT
    cluster_id, alert_name, LOWER(alert_status) AS states,
    CASE
      WHEN LEFT(message_id, 3) = 'wh_' AND (created_at_utc IS NULL OR created_at_utc > MINUTES_ADD(%(now)s, 10))
        THEN created_at
      WHEN created_at_utc IS NULL THEN CONVERT_TZ(created_at, 'America/Los_Angeles', 'UTC')
      ELSE created_at_utc
    END AS happened_at
  FROM alerts.lark_alerts
  WHERE alert_status IS NOT NULL AND created_at >= DAYS_SUB(%(now)s, 2)
),
alert_parts AS (
  SELECT
    cluster_id, happened_at, SPLIT_PART(alert_name, '|', 1) AS name, TRIM(SPLIT_PART(states, '|', 1)) AS state
  FROM cards
  WHERE happened_at >= HOURS_SUB(%(now)s, 24) AND happened_at <= %(now)s
  UNION ALL
  SELECT
    cluster_id, happened_at,
    COALESCE(NULLIF(SPLIT_PART(alert_name, '|', 2), ''), SPLIT_PART(alert_name, '|', 1)) AS name,
    TRIM(SPLIT_PART(states, '|', 2)) AS state
  FROM cards
  WHERE states LIKE '%%|%%' AND happened_at >= HOURS_SUB(%(now)s, 24) AND happened_at <= %(now)s
),
incidents AS (
  SELECT
    cluster_id, name,
    MAX(CASE WHEN state = 'firing' THEN happened_at END) AS last_firing,
    MAX(CASE WHEN state = 'resolved' THEN happened_at END) AS last_resolved
  FROM alert_parts
  GROUP BY cluster_id, name
),
-- Alerts that came after the newest one loaded are not known: silence counts only up to there.
newest AS (
  SELECT MAX(happened_at) AS known_until FROM alert_parts
)
SELECT dimension, value, clusters
FROM (
  SELECT 1 AS place, 'clusters' AS dimension, 'active' AS value, COUNT(*) AS clusters FROM active
  UNION ALL
  SELECT 2, 'type', cluster_type, COUNT(*) FROM active GROUP BY cluster_type
  UNION ALL
  SELECT 3, 'tier', COALESCE(p.tier, 'B (no profile)'), COUNT(*)
  FROM active AS a LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = a.account_id
  GROUP BY COALESCE(p.tier, 'B (no profile)')
  UNION ALL
  SELECT 4, 'cloud', COALESCE(r.cloud, 'unknown'), COUNT(*)
  FROM active AS a LEFT JOIN byoc.region_details AS r ON r.region_id = a.region_id
  GROUP BY COALESCE(r.cloud, 'unknown')
  UNION ALL
  SELECT 5, 'version', COALESCE(i.sr_version, 'unknown'), COUNT(*)
  FROM active AS a LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = a.biz_id
  GROUP BY COALESCE(i.sr_version, 'unknown')
  UNION ALL
  SELECT 6, 'risk level', COALESCE(k.risk_level, 'none computed'), COUNT(*)
  FROM active AS a LEFT JOIN risk AS k ON k.cluster_id = a.biz_id AND k.age_rank = 1
  GROUP BY COALESCE(k.risk_level, 'none computed')
  UNION ALL
  SELECT 7, 'health class', COALESCE(h.classification, 'none computed'), COUNT(*)
  FROM active AS a LEFT JOIN health AS h ON h.cluster_id = a.biz_id AND h.age_rank = 1
  GROUP BY COALESCE(h.classification, 'none computed')
  UNION ALL
  SELECT 8, 'data', 'silent: no metrics for 3 h', COUNT(*)
  FROM active AS a LEFT JOIN seen AS s ON s.cluster_id = a.biz_id
  WHERE s.newest_hour IS NULL OR s.newest_hour < HOURS_SUB(%(now)s, 3)
  UNION ALL
  SELECT 9, 'alerts 24 h', 'clusters with an alert that fired', COUNT(DISTINCT cluster_id)
  FROM incidents
  WHERE last_firing IS NOT NULL
  UNION ALL
  SELECT 10, 'alerts 24 h', 'clusters with an alert still firing', COUNT(DISTINCT cluster_id)
  FROM incidents CROSS JOIN newest
  WHERE last_firing >= HOURS_SUB(known_until, 1) AND (last_resolved IS NULL OR last_resolved < last_firing)
  UNION ALL
  SELECT 11, 'issues', CONCAT('clusters with an ongoing ', severity, ' issue'), COUNT(DISTINCT cluster_id)
  FROM alerts.issues
  WHERE status = 'Ongoing'
  GROUP BY severity
) AS counts
ORDER BY place, clusters DESC, value
