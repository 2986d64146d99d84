-- Daily summary of profiled customers, from the hourly snapshots and alerts that the fleet already holds.
INSERT INTO metrics.v_customer_daily_360_v2
WITH steps AS (
  SELECT account_id, cluster_id, metric_name, CAST(snapshot_hour AS DATE) AS report_day,
    greatest(last_value - coalesce(lag(last_value) OVER (PARTITION BY cluster_id, metric_name ORDER BY snapshot_hour), last_value), 0) AS rise
  FROM metrics.amv_hourly_snapshots_v1
  WHERE metric_name IN ('starrocks_fe_query_total', 'starrocks_fe_query_err')
    AND account_id IN (SELECT account_id FROM metrics.dim_customer_profile)
), counts AS (
  SELECT account_id, report_day,
    sum(rise) FILTER (WHERE metric_name = 'starrocks_fe_query_total') AS queries,
    sum(rise) FILTER (WHERE metric_name = 'starrocks_fe_query_err') AS query_errors
  FROM steps GROUP BY account_id, report_day
), gauges AS (
  SELECT account_id, CAST(snapshot_hour AS DATE) AS report_day,
    count(DISTINCT cluster_id) AS active_clusters,
    sum(avg_value) FILTER (WHERE metric_name = 'starrocks_fe_qps') / count(DISTINCT snapshot_hour) AS avg_qps,
    max(max_value) FILTER (WHERE metric_name = 'starrocks_fe_query_latency_ms_p99') AS max_p99_latency_ms,
    max(max_value) FILTER (WHERE metric_name = 'starrocks_fe_max_tablet_compaction_score') AS max_compaction_score,
    max(max_value) FILTER (WHERE metric_name = 'starrocks_be_disks_data_used_pct') AS max_disk_used_pct,
    max(avg_value) FILTER (WHERE metric_name = 'starrocks_be_cpu_util_percent') AS max_cpu_util_pct
  FROM metrics.amv_hourly_snapshots_v1
  WHERE metric_name IN ('starrocks_fe_qps', 'starrocks_fe_query_latency_ms_p99', 'starrocks_fe_max_tablet_compaction_score',
      'starrocks_be_disks_data_used_pct', 'starrocks_be_cpu_util_percent')
    AND account_id IN (SELECT account_id FROM metrics.dim_customer_profile)
  GROUP BY account_id, report_day
), fired AS (
  SELECT c.account_id, CAST(l.created_at_utc AS DATE) AS report_day, count(*) AS firing_alerts
  FROM alerts.lark_alerts AS l JOIN byoc.clusters AS c ON c.biz_id = l.cluster_id
  WHERE l.alert_status = 'Firing' GROUP BY ALL
)
SELECT g.report_day, g.account_id, p.customer_name, p.tier, g.active_clusters, n.queries, n.query_errors, g.avg_qps,
  g.max_p99_latency_ms, g.max_compaction_score, g.max_disk_used_pct, g.max_cpu_util_pct, coalesce(f.firing_alerts, 0)
FROM gauges AS g
JOIN metrics.dim_customer_profile AS p ON p.account_id = g.account_id
LEFT JOIN counts AS n ON n.account_id = g.account_id AND n.report_day = g.report_day
LEFT JOIN fired AS f ON f.account_id = g.account_id AND f.report_day = g.report_day
ORDER BY g.report_day, g.account_id;

-- Raw samples of the last two hours for the metrics that people look at first: one every five minutes, between low and high.
INSERT INTO metrics.metrics_table
SELECT s.snapshot_hour + to_minutes(CAST(5 * n.i AS INTEGER)), s.account_id, s.cluster_id, s.metric_name,
  s.min_value + (s.max_value - s.min_value) * (0.5 + 0.5 * sin(n.i * 2.1)), '{"node": "all"}'
FROM metrics.amv_hourly_snapshots_v1 AS s, range(12) AS n(i)
WHERE s.snapshot_hour >= (SELECT max(snapshot_hour) FROM metrics.amv_hourly_snapshots_v1) - INTERVAL 1 HOUR
  AND s.metric_name IN ('starrocks_be_cpu_util_percent', 'starrocks_fe_qps', 'starrocks_fe_query_latency_ms_p99',
    'starrocks_fe_max_tablet_compaction_score', 'node_memory_MemAvailable_bytes', 'starrocks_fe_connection_total')
ORDER BY 1, 2, 3, 4;
