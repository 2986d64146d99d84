-- Database metrics: time series of every cluster, their dictionary and the customer profiles.
-- Replication follows the front end's default_replication_num, so the same text serves one node and twenty.

CREATE DATABASE IF NOT EXISTS metrics;

CREATE TABLE IF NOT EXISTS metrics.metrics_table (
  event_time DATETIME NOT NULL COMMENT "sample time, UTC",
  account_id VARCHAR(32) NOT NULL COMMENT "short account id, = byoc.accounts.biz_id",
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = byoc.clusters.biz_id",
  metric_name VARCHAR(128) NOT NULL COMMENT "= metrics.metrics_dict_v2.metric_name",
  value DOUBLE COMMENT "sample as scraped, unit in metrics_dict_v2",
  tags JSON COMMENT "labels of the series: node, type, path, quantile"
)
DUPLICATE KEY(event_time, account_id, cluster_id, metric_name)
COMMENT "Raw samples per node. Very large: always filter event_time; prefer amv_hourly_snapshots_v1"
PARTITION BY date_trunc('day', event_time)
DISTRIBUTED BY HASH(cluster_id) BUCKETS 16
PROPERTIES ("compression" = "ZSTD");

CREATE TABLE IF NOT EXISTS metrics.metrics_dict_v2 (
  metric_name VARCHAR(128) NOT NULL COMMENT "name as stored in the snapshots",
  category VARCHAR(64) COMMENT "subject, e.g. compaction, disk capacity, query errors",
  unit VARCHAR(32) COMMENT "bytes, percent, ms, count, ratio, bytes/s, queries/s",
  description VARCHAR(512) COMMENT "what is measured and over what",
  metric_type VARCHAR(16) COMMENT "gauge, counter (cumulative, back to 0 at a process restart) or histogram",
  aggregation VARCHAR(16) COMMENT "how the nodes of a cluster are joined into one value: sum, max, min, avg"
)
PRIMARY KEY(metric_name)
COMMENT "Dictionary of metrics: unit, kind and aggregation. Counters need increases, never raw values"
DISTRIBUTED BY HASH(metric_name) BUCKETS 1;

CREATE TABLE IF NOT EXISTS metrics.dim_customer_profile (
  account_id VARCHAR(32) NOT NULL COMMENT "short account id, = byoc.accounts.biz_id",
  customer_name VARCHAR(256) COMMENT "display name of the customer",
  tier VARCHAR(8) COMMENT "S (most important), A, B; an account without a row counts as B",
  stage VARCHAR(32) COMMENT "production, poc, onboarding, churn_risk",
  use_case VARCHAR(256) COMMENT "what the customer runs on StarRocks"
)
PRIMARY KEY(account_id)
COMMENT "Profiles of the few named customers (about 30); use LEFT JOIN"
DISTRIBUTED BY HASH(account_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS metrics.amv_hourly_snapshots_v1 (
  snapshot_hour DATETIME NOT NULL COMMENT "start of the hour, UTC",
  account_id VARCHAR(32) NOT NULL COMMENT "short account id, = byoc.accounts.biz_id",
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = byoc.clusters.biz_id",
  metric_name VARCHAR(128) NOT NULL COMMENT "= metrics.metrics_dict_v2.metric_name",
  avg_value DOUBLE COMMENT "mean over the samples of the hour",
  max_value DOUBLE COMMENT "largest sample of the hour",
  min_value DOUBLE COMMENT "smallest sample of the hour",
  sum_value DOUBLE COMMENT "sum of the samples; of no use for counters",
  sample_count BIGINT COMMENT "samples in the hour; 60 when complete",
  last_value DOUBLE COMMENT "last sample of the hour; use it for increases of counters"
)
DUPLICATE KEY(snapshot_hour, account_id, cluster_id, metric_name)
COMMENT "Main metrics table: one row per cluster, metric and hour (UTC). A missing hour means no data, not zero"
PARTITION BY date_trunc('day', snapshot_hour)
DISTRIBUTED BY HASH(cluster_id) BUCKETS 8
PROPERTIES ("compression" = "ZSTD");

CREATE TABLE IF NOT EXISTS metrics.v_customer_daily_360_v2 (
  report_day DATE NOT NULL COMMENT "calendar day, UTC",
  account_id VARCHAR(32) NOT NULL COMMENT "short account id, = byoc.accounts.biz_id",
  customer_name VARCHAR(256) COMMENT "display name of the customer",
  tier VARCHAR(8) COMMENT "S, A or B",
  active_clusters INT COMMENT "clusters with data on that day",
  queries DOUBLE COMMENT "queries of the day over all clusters",
  query_errors DOUBLE COMMENT "failed queries of the day",
  avg_qps DOUBLE COMMENT "mean queries per second, summed over the clusters",
  max_p99_latency_ms DOUBLE COMMENT "worst hourly p99 latency of the day, ms",
  max_compaction_score DOUBLE COMMENT "highest tablet compaction score of the day",
  max_disk_used_pct DOUBLE COMMENT "fullest node of the day, percent",
  max_cpu_util_pct DOUBLE COMMENT "highest hourly mean CPU use, percent",
  firing_alerts BIGINT COMMENT "alert rows in state Firing; repeats every 15 minutes are counted"
)
DUPLICATE KEY(report_day, account_id)
COMMENT "Daily summary of each profiled customer; for other accounts read the snapshots"
DISTRIBUTED BY HASH(account_id) BUCKETS 1;

CREATE VIEW IF NOT EXISTS metrics.v_customer_key_v2 (
  biz_id COMMENT "short account id, = byoc.accounts.biz_id",
  customer_name COMMENT "display name: the profile's, else the account's"
)
COMMENT "Account id to customer display name"
AS
SELECT a.biz_id AS biz_id, coalesce(p.customer_name, a.name) AS customer_name
FROM byoc.accounts AS a
LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = a.biz_id;

CREATE VIEW IF NOT EXISTS metrics.metrics_hourly_view_v6 (
  snapshot_hour COMMENT "start of the hour, UTC",
  account_id COMMENT "short account id, = byoc.accounts.biz_id",
  cluster_id COMMENT "cluster UUID, = byoc.clusters.biz_id",
  metric_name COMMENT "= metrics.metrics_dict_v2.metric_name",
  avg_value COMMENT "mean over the samples of the hour",
  max_value COMMENT "largest sample of the hour",
  min_value COMMENT "smallest sample of the hour",
  sum_value COMMENT "sum of the samples",
  sample_count COMMENT "samples in the hour",
  last_value COMMENT "last sample of the hour",
  category COMMENT "subject of the metric",
  unit COMMENT "unit of the values",
  metric_type COMMENT "gauge, counter or histogram"
)
COMMENT "Hourly snapshots with unit and kind from the dictionary; the place to read latency (histogram) metrics"
AS
SELECT
  s.snapshot_hour AS snapshot_hour, s.account_id AS account_id, s.cluster_id AS cluster_id, s.metric_name AS metric_name,
  s.avg_value AS avg_value, s.max_value AS max_value, s.min_value AS min_value, s.sum_value AS sum_value,
  s.sample_count AS sample_count, s.last_value AS last_value,
  d.category AS category, d.unit AS unit, d.metric_type AS metric_type
FROM metrics.amv_hourly_snapshots_v1 AS s
LEFT JOIN metrics.metrics_dict_v2 AS d ON d.metric_name = s.metric_name;
