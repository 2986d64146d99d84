-- Alerts of one cluster as incidents: the copies of one event are one event, and repeats within an hour one incident.
WITH parts AS (
  SELECT
    SPLIT_PART(alert_name, '|', 1) AS name, SPLIT_PART(alert_status, '|', 1) AS state, created_at_utc, alert_detail
  FROM alerts.lark_alerts
  WHERE cluster_id = %(cluster)s AND alert_status IS NOT NULL AND created_at_utc >= DAYS_SUB(NOW(), %(days)s)
  UNION ALL
  SELECT
    COALESCE(NULLIF(SPLIT_PART(alert_name, '|', 2), ''), SPLIT_PART(alert_name, '|', 1)) AS name,
    SPLIT_PART(alert_status, '|', 2) AS state, created_at_utc, alert_detail
  FROM alerts.lark_alerts
  WHERE cluster_id = %(cluster)s AND alert_status LIKE '%%|%%' AND created_at_utc >= DAYS_SUB(NOW(), %(days)s)
),
events AS (
  SELECT name, state, DATE_TRUNC('minute', created_at_utc) AS happened_at, MAX(alert_detail) AS detail
  FROM parts
  GROUP BY name, state, DATE_TRUNC('minute', created_at_utc)
),
ordered AS (
  SELECT
    name, state, happened_at, detail,
    LAG(state) OVER (PARTITION BY name ORDER BY happened_at, state) AS earlier_state,
    LAG(happened_at) OVER (PARTITION BY name ORDER BY happened_at, state) AS earlier_at
  FROM events
),
counted AS (
  SELECT
    name, state, happened_at, detail,
    CASE
      WHEN state <> 'Firing' THEN 0
      WHEN earlier_at IS NULL OR earlier_state = 'Resolved' OR earlier_at < HOURS_SUB(happened_at, 1) THEN 1
      ELSE 0
    END AS opens
  FROM ordered
)
SELECT
  name AS alert_name,
  CASE
    WHEN MAX(CASE WHEN state = 'Firing' THEN happened_at END) IS NULL THEN 'resolved'
    WHEN MAX(CASE WHEN state = 'Resolved' THEN happened_at END) >= MAX(CASE WHEN state = 'Firing' THEN happened_at END)
      THEN 'resolved'
    WHEN MAX(CASE WHEN state = 'Firing' THEN happened_at END) < HOURS_SUB(NOW(), 1) THEN 'quiet, not resolved'
    ELSE 'firing'
  END AS state,
  SUM(opens) AS incidents,
  SUM(CASE WHEN state = 'Firing' THEN 1 ELSE 0 END) AS repeats,
  MIN(CASE WHEN state = 'Firing' THEN happened_at END) AS first_firing,
  MAX(CASE WHEN opens = 1 THEN happened_at END) AS last_incident_began,
  MAX(CASE WHEN state = 'Firing' THEN happened_at END) AS last_firing,
  MAX(CASE WHEN state = 'Resolved' THEN happened_at END) AS last_resolved,
  MAX_BY(detail, happened_at) AS last_detail
FROM counted
GROUP BY name
ORDER BY last_firing DESC, alert_name
