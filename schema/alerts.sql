-- Database alerts: alert messages, issues made of them, scores, and what investigations and patrols wrote.

CREATE DATABASE IF NOT EXISTS alerts;

CREATE TABLE IF NOT EXISTS alerts.lark_alerts (
  message_id VARCHAR(64) NOT NULL COMMENT "om_x (ad hoc), om_x-f / om_x-r (daily pipeline), wh_ + 16 hex (webhook); one event can have a row of each",
  created_at DATETIME NOT NULL COMMENT "US/Pacific wall clock; for anything relative to now() use created_at_utc",
  created_at_utc DATETIME COMMENT "the same instant in UTC",
  cluster_name VARCHAR(256) COMMENT "as written on the card; untrusted text",
  admin_email VARCHAR(256) COMMENT "administrator of the account",
  region VARCHAR(64) COMMENT "region code",
  account_name VARCHAR(128) COMMENT "as written on the card",
  cluster_id VARCHAR(128) COMMENT "cluster UUID, = byoc.clusters.biz_id",
  alert_status VARCHAR(16) COMMENT "Firing, Resolved, Firing|Resolved (both states of one card), or NULL (card footer, no alert: drop it)",
  alert_name VARCHAR(256) COMMENT "name; joined by | where the status is",
  alert_detail VARCHAR(2048) COMMENT "text of the alert; untrusted text",
  admin_console_url VARCHAR(1024) COMMENT "link",
  dashboard_url VARCHAR(1024) COMMENT "link",
  silence_url VARCHAR(1024) COMMENT "link",
  raw_content STRING COMMENT "whole card text; untrusted text"
)
DUPLICATE KEY(message_id, created_at)
COMMENT "Alert rows. A lasting condition repeats every 15 minutes: rows measure duration. De-duplicate by cluster, name, state and minute"
PARTITION BY date_trunc('month', created_at)
DISTRIBUTED BY HASH(cluster_id) BUCKETS 8;

CREATE TABLE IF NOT EXISTS alerts.alert_recommendations (
  report_date DATE NOT NULL COMMENT "US/Pacific calendar day",
  alert_name VARCHAR(256) NOT NULL COMMENT "= lark_alerts.alert_name",
  severity VARCHAR(16) COMMENT "Critical, Warning or Info",
  fired_count BIGINT COMMENT "Firing rows of the day",
  resolved_count BIGINT COMMENT "Resolved rows of the day",
  cluster_count BIGINT COMMENT "distinct clusters",
  cluster_names VARCHAR(4096) COMMENT "comma separated; untrusted text",
  recommendation VARCHAR(2048) COMMENT "standing advice for this alert",
  is_noisy BOOLEAN COMMENT "fires often without consequence",
  noisy_note VARCHAR(512) COMMENT "why it counts as noisy"
)
PRIMARY KEY(report_date, alert_name)
COMMENT "Daily counts and advice per alert name"
DISTRIBUTED BY HASH(alert_name) BUCKETS 1;

CREATE TABLE IF NOT EXISTS alerts.issues (
  issue_id VARCHAR(64) NOT NULL COMMENT "UUID",
  cluster_id VARCHAR(64) COMMENT "cluster UUID, = byoc.clusters.biz_id",
  cluster_name VARCHAR(256) COMMENT "untrusted text",
  account_name VARCHAR(256) COMMENT "display name of the account",
  alert_name VARCHAR(256) COMMENT "alert that opened the issue",
  category VARCHAR(16) COMMENT "anomaly (a lasting condition) or failure (an event)",
  status VARCHAR(16) COMMENT "Ongoing or Resolved",
  severity VARCHAR(16) COMMENT "Critical, Warning or Info",
  triage_status VARCHAR(64) COMMENT "New, Acknowledged, Monitoring/Investigating, Mitigating, Closed - Fixed Issue, Closed - Auto Resolved, Closed - False Positive",
  disposition_status VARCHAR(64) COMMENT "New, No Action Needed, JIRA Created",
  first_seen DATETIME COMMENT "UTC",
  last_seen DATETIME COMMENT "UTC",
  resolved_at DATETIME COMMENT "UTC; NULL while Ongoing",
  alert_count BIGINT COMMENT "alert rows joined into the issue",
  assignee VARCHAR(128) COMMENT "who works on it; NULL when nobody",
  notes VARCHAR(4096) COMMENT "people's notes; untrusted text"
)
PRIMARY KEY(issue_id)
COMMENT "Issues: alerts of one cluster and kind joined together"
DISTRIBUTED BY HASH(issue_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS alerts.cluster_health_scores (
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = byoc.clusters.biz_id",
  computed_at DATETIME NOT NULL COMMENT "UTC; take the newest row of each cluster",
  account_id VARCHAR(32) COMMENT "short account id, = byoc.accounts.biz_id",
  overall_score DOUBLE COMMENT "0..100, higher is healthier",
  classification VARCHAR(16) COMMENT "Healthy (>= 80), Warning (>= 50), Critical",
  metrics_score DOUBLE COMMENT "0..100, weighted mean of the dimensions",
  alerts_score DOUBLE COMMENT "0..100, from firing rows of 7 days",
  tier_adjusted_score DOUBLE COMMENT "0..100, losses multiplied by the customer's tier",
  dimension_scores JSON COMMENT "list of {name, score, value, weight, description}"
)
PRIMARY KEY(cluster_id, computed_at)
COMMENT "Health scores, one row per cluster and scoring run"
DISTRIBUTED BY HASH(cluster_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS alerts.cluster_risk_snapshots (
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = byoc.clusters.biz_id",
  computed_at DATETIME NOT NULL COMMENT "UTC; take the newest row of each cluster",
  account_id VARCHAR(32) COMMENT "short account id, = byoc.accounts.biz_id",
  account_name VARCHAR(256) COMMENT "display name of the account",
  risk_level VARCHAR(16) COMMENT "Critical, Warning or Healthy; the worst dimension decides",
  risk_reasons JSON COMMENT "list of texts",
  suggested_actions JSON COMMENT "list of texts",
  compaction_score DOUBLE COMMENT "highest tablet compaction score",
  disk_used_pct DOUBLE COMMENT "percent",
  data_growth_pct DOUBLE COMMENT "percent over 7 days",
  query_errors_7d DOUBLE COMMENT "count over 7 days",
  query_error_pct DOUBLE COMMENT "failed queries of 7 days, percent",
  query_timeouts_7d DOUBLE COMMENT "count over 7 days",
  slow_queries_7d DOUBLE COMMENT "count over 7 days",
  internal_errors_7d DOUBLE COMMENT "count over 7 days",
  txn_failures_7d DOUBLE COMMENT "count over 7 days",
  txn_rejects_7d DOUBLE COMMENT "count over 7 days",
  memory_available_pct DOUBLE COMMENT "percent, lowest node",
  fe_heap_used_pct DOUBLE COMMENT "percent",
  be_process_mem_gb DOUBLE COMMENT "GB, highest node",
  fe_journal_write_latency_ms DOUBLE COMMENT "ms, p99",
  fe_connection_total DOUBLE COMMENT "open client connections",
  be_fd_usage DOUBLE COMMENT "open file descriptors, highest node",
  qps DOUBLE COMMENT "queries per second, mean of the last day",
  node_count INT COMMENT "FE and BE or CN nodes",
  avg_latency_ms DOUBLE COMMENT "mean query latency of the last day, ms"
)
PRIMARY KEY(cluster_id, computed_at)
COMMENT "Risk level of a cluster with its raw values, one row per cluster and run"
DISTRIBUTED BY HASH(cluster_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS alerts.agent_investigations (
  investigation_id VARCHAR(64) NOT NULL COMMENT "id of the investigation",
  task_id VARCHAR(64) COMMENT "task that asked for it; NULL when a person did",
  cluster_id VARCHAR(64) COMMENT "cluster UUID, = byoc.clusters.biz_id",
  cluster_name VARCHAR(256) COMMENT "untrusted text",
  customer_name VARCHAR(256) COMMENT "display name of the customer",
  severity VARCHAR(16) COMMENT "Critical, Warning, Info (nothing wrong), or Unknown (silent)",
  confidence DOUBLE COMMENT "0..1",
  root_cause VARCHAR(4096) COMMENT "what was found to be the cause",
  evidence VARCHAR(8192) COMMENT "figures that support it",
  recommended_actions VARCHAR(4096) COMMENT "what to do",
  provider VARCHAR(64) COMMENT "who served the model",
  model VARCHAR(128) COMMENT "name of the model, or rules-only",
  input_tokens BIGINT COMMENT "tokens",
  output_tokens BIGINT COMMENT "tokens",
  duration_seconds DOUBLE COMMENT "seconds",
  created_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(investigation_id)
COMMENT "Past investigations of clusters: the memory of what was wrong before"
DISTRIBUTED BY HASH(investigation_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS alerts.patrol_reports (
  report_id VARCHAR(64) NOT NULL COMMENT "id of the report",
  created_at DATETIME COMMENT "UTC",
  report_type VARCHAR(32) COMMENT "morning, evening, weekly, on_demand",
  fleet_narrative STRING COMMENT "two to four paragraphs on the fleet",
  clusters_flagged JSON COMMENT "list of {cluster_id, cluster_name, severity, reason, key_metrics}",
  predictions JSON COMMENT "list of {text, confidence}",
  customer_summaries JSON COMMENT "list of {customer, tier, text}",
  recommended_actions JSON COMMENT "list of {urgency, text}",
  fleet_summary JSON COMMENT "the aggregates that the report started from",
  provider VARCHAR(64) COMMENT "who served the model",
  model VARCHAR(128) COMMENT "name of the model, or rules-only",
  input_tokens BIGINT COMMENT "tokens",
  output_tokens BIGINT COMMENT "tokens",
  tool_rounds INT COMMENT "model calls",
  duration_seconds DOUBLE COMMENT "seconds",
  triggered_by VARCHAR(128) COMMENT "schedule, or the person or channel that asked"
)
PRIMARY KEY(report_id)
COMMENT "Patrol reports, one column per section"
DISTRIBUTED BY HASH(report_id) BUCKETS 1;
