-- Alerts of one cluster as incidents: copies of one event are one event, and repeats within an hour one incident.
-- A webhook's row may hold UTC in the Pacific column: it then has no UTC of its own, or one that is still to come.
WITH cards AS (
  SELECT
    alert_name, LOWER(alert_status) AS states, alert_detail,
    CASE
      WHEN LEFT(message_id, 3) = 'wh_' AND (created_at_utc IS NULL OR created_at_utc > MINUTES_ADD(%(now)s, 10))
        THEN created_at
      WHEN created_at_utc IS NULL THEN CONVERT_TZ(created_at, 'America/Los_Angeles', 'UTC')
      ELSE created_at_utc
    END AS happened
  FROM alerts.lark_alerts
  WHERE cluster_id = %(cluster)s AND alert_status IS NOT NULL AND created_at >= DAYS_SUB(%(since)s, 2)
),
-- A day before the window is read as well: what fires at its beginning may have begun earlier.
parts AS (
  SELECT
    SPLIT_PART(alert_name, '|', 1) AS name, TRIM(SPLIT_PART(states, '|', 1)) AS state, happened, alert_detail
  FROM cards
  WHERE happened >= DAYS_SUB(%(since)s, 1) AND happened <= %(until)s
  UNION ALL
  SELECT
    COALESCE(NULLIF(SPLIT_PART(alert_name, '|', 2), ''), SPLIT_PART(alert_name, '|', 1)) AS name,
    TRIM(SPLIT_PART(states, '|', 2)) AS state, happened, alert_detail
  FROM cards
  WHERE states LIKE '%%|%%' AND happened >= DAYS_SUB(%(since)s, 1) AND happened <= %(until)s
),
events AS (
  SELECT name, state, DATE_TRUNC('minute', happened) AS happened_at, MAX(alert_detail) AS detail
  FROM parts
  GROUP BY name, state, DATE_TRUNC('minute', happened)
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
      WHEN state <> 'firing' THEN 0
      WHEN earlier_at IS NULL OR earlier_state = 'resolved' OR earlier_at < HOURS_SUB(happened_at, 1) THEN 1
      ELSE 0
    END AS opens
  FROM ordered
),
-- What came after the newest row of all clusters is not known: silence counts only up to there.
newest AS (
  SELECT COALESCE(MAX(created_at_utc), %(until)s) AS known_until
  FROM alerts.lark_alerts
  WHERE created_at >= DAYS_SUB(%(since)s, 1) AND created_at_utc >= %(since)s AND created_at_utc <= %(until)s
),
conditions AS (
  SELECT
    name,
    SUM(opens) AS incidents,
    SUM(CASE WHEN state = 'firing' THEN 1 ELSE 0 END) AS repeats,
    MIN(CASE WHEN state = 'firing' THEN happened_at END) AS first_firing,
    MIN(CASE WHEN opens = 1 THEN happened_at END) AS first_opening,
    MAX(CASE WHEN opens = 1 THEN happened_at END) AS last_incident_began,
    MAX(CASE WHEN state = 'firing' THEN happened_at END) AS last_firing,
    MAX(CASE WHEN state = 'resolved' THEN happened_at END) AS last_resolved,
    MAX_BY(detail, happened_at) AS last_detail
  FROM counted
  WHERE happened_at >= %(since)s
  GROUP BY name
),
lasting AS (
  SELECT name AS lasting_name, CASE WHEN first_firing < COALESCE(first_opening, %(until)s) THEN 1 ELSE 0 END AS older
  FROM conditions
)
SELECT
  c.name AS alert_name,
  CASE
    WHEN c.last_firing IS NULL OR c.last_resolved >= c.last_firing THEN 'resolved'
    WHEN c.last_firing < HOURS_SUB(n.known_until, 1) THEN 'quiet, not resolved'
    ELSE 'firing'
  END AS state,
  c.incidents + o.older AS incidents, o.older AS began_before_window, c.repeats,
  c.first_firing, c.last_incident_began, c.last_firing, c.last_resolved,
  n.known_until AS alerts_known_until, c.last_detail
FROM conditions AS c
JOIN lasting AS o ON o.lasting_name = c.name
CROSS JOIN newest AS n
ORDER BY c.last_firing DESC, c.name
