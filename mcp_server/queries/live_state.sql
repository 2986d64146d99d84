-- The newest known value of a cluster's vital metrics, with its age.
WITH points AS (
  SELECT
    s.metric_name, d.unit, d.metric_type, s.snapshot_hour, s.avg_value, s.max_value, s.last_value, s.sample_count,
    LAG(s.last_value) OVER (PARTITION BY s.metric_name ORDER BY s.snapshot_hour) AS earlier,
    ROW_NUMBER() OVER (PARTITION BY s.metric_name ORDER BY s.snapshot_hour DESC) AS age_rank
  FROM metrics.amv_hourly_snapshots_v1 AS s
  LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name
  WHERE s.cluster_id = %(cluster)s AND s.metric_name IN (%(metrics)s) AND s.snapshot_hour >= DAYS_SUB(%(now)s, 7)
    AND s.snapshot_hour <= %(now)s
)
SELECT
  metric_name, unit, snapshot_hour AS hour, HOURS_DIFF(%(now)s, snapshot_hour) AS age_hours,
  CASE WHEN HOURS_ADD(snapshot_hour, 1) > %(now)s THEN 1 ELSE 0 END AS partial,
  CASE WHEN metric_type = 'counter' THEN NULL ELSE last_value END AS last_value,
  CASE WHEN metric_type = 'counter' THEN NULL ELSE avg_value END AS avg_value,
  CASE WHEN metric_type = 'counter' THEN NULL ELSE max_value END AS max_value,
  CASE
    WHEN metric_type <> 'counter' OR earlier IS NULL THEN NULL
    WHEN last_value >= earlier THEN last_value - earlier
    ELSE GREATEST(max_value - earlier, 0) + last_value
  END AS increase,
  sample_count
FROM points
WHERE age_rank = 1
ORDER BY metric_name
