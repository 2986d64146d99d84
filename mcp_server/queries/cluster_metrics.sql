-- Series of one cluster, a row per step of some hours, beside what was usual at these hours of the four weeks before.
-- Counters are increases, across a restart what was counted on both sides. coverage_pct: samples, of 60 an hour.
WITH points AS (
  SELECT
    s.metric_name, COALESCE(d.metric_type, 'gauge') AS metric_type, s.snapshot_hour,
    s.avg_value, s.max_value, s.min_value, s.last_value, s.sample_count,
    LAG(s.last_value) OVER (PARTITION BY s.metric_name ORDER BY s.snapshot_hour) AS earlier,
    LAG(s.snapshot_hour) OVER (PARTITION BY s.metric_name ORDER BY s.snapshot_hour) AS earlier_hour
  FROM metrics.amv_hourly_snapshots_v1 AS s
  LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name
  WHERE s.cluster_id = %(cluster)s AND s.metric_name IN (%(metrics)s)
    AND s.snapshot_hour >= HOURS_SUB(%(since)s, 673) AND s.snapshot_hour < %(until)s
),
hourly AS (
  SELECT
    metric_name, metric_type, snapshot_hour, sample_count, avg_value, min_value, max_value,
    DAYOFWEEK(snapshot_hour) * 24 + HOUR(snapshot_hour) AS week_hour,
    CASE
      WHEN metric_type <> 'counter' THEN avg_value
      -- What was counted in a hole that reaches back before the window is nobody's.
      WHEN earlier IS NULL OR (earlier_hour < HOURS_SUB(%(since)s, 1) AND snapshot_hour >= %(since)s) THEN NULL
      WHEN last_value >= earlier THEN last_value - earlier
      ELSE GREATEST(max_value - earlier, 0) + last_value
    END AS value,
    CASE WHEN metric_type = 'counter' AND earlier_hour < HOURS_SUB(snapshot_hour, 1) THEN 1 ELSE 0 END AS spans_a_gap
  FROM points
),
habits AS (
  SELECT metric_name AS habit_of, week_hour AS habit_hour, PERCENTILE_APPROX(value, 0.5) AS usual
  FROM hourly
  WHERE snapshot_hour < %(since)s AND spans_a_gap = 0 AND value IS NOT NULL
  GROUP BY metric_name, week_hour
),
steps AS (
  SELECT
    h.metric_name, HOURS_SUB(h.snapshot_hour, MOD(HOUR(h.snapshot_hour), %(step)s)) AS slot,
    LEAST(100 * SUM(h.sample_count) / (60 * %(step)s), 100) AS coverage,
    AVG(h.avg_value) AS average, MIN(h.min_value) AS lowest, MAX(h.max_value) AS highest, SUM(h.value) AS increase,
    CASE WHEN MAX(h.metric_type) = 'counter' THEN SUM(b.usual) ELSE AVG(b.usual) END AS usual
  FROM hourly AS h
  LEFT JOIN habits AS b ON b.habit_of = h.metric_name AND b.habit_hour = h.week_hour
  WHERE h.snapshot_hour >= %(since)s
  GROUP BY h.metric_name, HOURS_SUB(h.snapshot_hour, MOD(HOUR(h.snapshot_hour), %(step)s))
)
SELECT
  slot AS hour, CASE WHEN HOURS_ADD(slot, %(step)s) > %(until)s THEN 1 ELSE 0 END AS partial,
  CAST(MIN(coverage) AS BIGINT) AS coverage_pct,
  %(series)s
FROM steps
GROUP BY slot
ORDER BY slot
