-- Series of one cluster in steps of some hours; counters as increases, across a restart what was counted on both sides.
WITH points AS (
  SELECT
    s.metric_name, d.unit, d.metric_type, s.snapshot_hour, s.avg_value, s.max_value, s.min_value, s.last_value,
    LAG(s.last_value) OVER (PARTITION BY s.metric_name ORDER BY s.snapshot_hour) AS earlier
  FROM metrics.amv_hourly_snapshots_v1 AS s
  LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name
  WHERE s.cluster_id = %(cluster)s AND s.metric_name IN (%(metrics)s)
    AND s.snapshot_hour >= HOURS_SUB(NOW(), %(hours)s + 1)
),
hourly AS (
  SELECT
    metric_name, unit, snapshot_hour,
    HOURS_SUB(snapshot_hour, MOD(HOUR(snapshot_hour), %(step)s)) AS slot,
    CASE WHEN metric_type = 'counter' THEN NULL ELSE avg_value END AS avg_value,
    CASE WHEN metric_type = 'counter' THEN NULL ELSE min_value END AS min_value,
    CASE WHEN metric_type = 'counter' THEN NULL ELSE max_value END AS max_value,
    CASE
      WHEN metric_type <> 'counter' OR earlier IS NULL THEN NULL
      WHEN last_value >= earlier THEN last_value - earlier
      ELSE GREATEST(max_value - earlier, 0) + last_value
    END AS increase
  FROM points
)
SELECT
  metric_name, unit, slot AS hour, AVG(avg_value) AS avg_value, MIN(min_value) AS min_value,
  MAX(max_value) AS max_value, SUM(increase) AS increase, COUNT(*) AS hours_with_data
FROM hourly
WHERE snapshot_hour >= HOURS_SUB(NOW(), %(hours)s)
GROUP BY metric_name, unit, slot
ORDER BY metric_name, slot
