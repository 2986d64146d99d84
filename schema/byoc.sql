-- Database byoc: replica of the control plane. Who owns which cluster, where it runs, on what machines, and what was done to it.
-- Two id shapes live here: short ids (9 characters, organizations and accounts) and UUIDs (everything else). They never join.

CREATE DATABASE IF NOT EXISTS byoc;

CREATE TABLE IF NOT EXISTS byoc.organizations (
  biz_id VARCHAR(32) NOT NULL COMMENT "short organization id (9 lower-case characters); accounts.org_id points here",
  state TINYINT COMMENT "1 active, 0 inactive",
  region_mode VARCHAR(32) COMMENT "SINGLE or MULTI region",
  identity VARCHAR(256) COMMENT "company identity: domain or e-mail",
  name VARCHAR(256) COMMENT "display name",
  created_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(biz_id)
COMMENT "Customer organizations"
DISTRIBUTED BY HASH(biz_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.accounts (
  biz_id VARCHAR(32) NOT NULL COMMENT "short account id (9 lower-case characters); every account_id column points here",
  org_id VARCHAR(32) COMMENT "= organizations.biz_id",
  state TINYINT COMMENT "1 active, 4 internal, -1 suspended, -2 deleted",
  name VARCHAR(256) COMMENT "display name",
  email VARCHAR(256) COMMENT "administrator's e-mail"
)
PRIMARY KEY(biz_id)
COMMENT "Accounts; each belongs to one organization and owns clusters"
DISTRIBUTED BY HASH(biz_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.clusters (
  biz_id VARCHAR(64) NOT NULL COMMENT "cluster UUID; every cluster_id column points here",
  account_id VARCHAR(32) COMMENT "short account id, = accounts.biz_id",
  cluster_name VARCHAR(256) COMMENT "name given by the customer; mostly but not surely unique; untrusted text",
  cluster_type VARCHAR(16) COMMENT "CLASSIC (shared-nothing), ELASTIC (shared-data) or NULL",
  region_id VARCHAR(64) COMMENT "UUID, = region_details.region_id",
  stopped BOOLEAN COMMENT "NULL counts as false",
  deleted BOOLEAN COMMENT "NULL counts as false",
  created_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(biz_id)
COMMENT "All clusters ever created. Active = NOT coalesce(stopped, false) AND NOT coalesce(deleted, false); most rows are deleted"
DISTRIBUTED BY HASH(biz_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.cluster_info (
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = clusters.biz_id",
  sr_version VARCHAR(32) COMMENT "StarRocks version, shape 3.4.7-ee",
  is_cn_deployment BOOLEAN COMMENT "runs in mainland China",
  cluster_type VARCHAR(16) COMMENT "CLASSIC or ELASTIC",
  deleted BOOLEAN COMMENT "as in clusters"
)
PRIMARY KEY(cluster_id)
COMMENT "Version of a cluster; about one cluster in ten has no row here, so LEFT JOIN"
DISTRIBUTED BY HASH(cluster_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.region_details (
  region_id VARCHAR(64) NOT NULL COMMENT "UUID; clusters.region_id points here",
  display_name VARCHAR(128) COMMENT "e.g. US East (N. Virginia) us-east-1",
  cloud VARCHAR(16) COMMENT "AWS, GCP or Azure"
)
PRIMARY KEY(region_id)
COMMENT "Cloud regions"
DISTRIBUTED BY HASH(region_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.resource (
  resource_id VARCHAR(64) NOT NULL COMMENT "UUID",
  cluster_id VARCHAR(64) COMMENT "cluster UUID, = clusters.biz_id (one to one)",
  account_id VARCHAR(32) COMMENT "short account id, = accounts.biz_id",
  resource_struct VARCHAR(16) COMMENT "CLASSIC or ELASTIC; may disagree with clusters.cluster_type",
  pay_type VARCHAR(16) COMMENT "POST_PAY",
  state VARCHAR(16) COMMENT "RUNNING, STOP, RELEASE, CREATING, ERROR",
  created_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(resource_id)
COMMENT "Cloud resources of a cluster; head of the resource family"
DISTRIBUTED BY HASH(resource_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.resource_node (
  resource_node_id VARCHAR(64) NOT NULL COMMENT "UUID",
  resource_id VARCHAR(64) COMMENT "= resource.resource_id",
  type VARCHAR(16) COMMENT "FE or WAREHOUSE (the group of BE or CN nodes)",
  name VARCHAR(64) COMMENT "name of the node group"
)
PRIMARY KEY(resource_node_id)
COMMENT "Node groups of a resource"
DISTRIBUTED BY HASH(resource_node_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.resource_node_conf (
  conf_id VARCHAR(64) NOT NULL COMMENT "UUID",
  resource_node_id VARCHAR(64) COMMENT "= resource_node.resource_node_id",
  vm_category_id VARCHAR(64) COMMENT "= vm_category.vm_category_id",
  vm_count INT COMMENT "machines in the group",
  volume_gb INT COMMENT "disk per machine, GB",
  in_use BOOLEAN COMMENT "true for the present configuration; filter on it, the rest is history",
  created_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(conf_id)
COMMENT "Configurations of node groups over time; without in_use = true history multiplies rows"
DISTRIBUTED BY HASH(conf_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.resource_usage (
  resource_usage_id VARCHAR(64) NOT NULL COMMENT "UUID",
  resource_id VARCHAR(64) COMMENT "= resource.resource_id",
  start_time BIGINT COMMENT "epoch seconds, UTC",
  end_time BIGINT COMMENT "epoch seconds, UTC; NULL while it lasts",
  in_use BOOLEAN COMMENT "true for the running period"
)
PRIMARY KEY(resource_usage_id)
COMMENT "Periods in which a resource ran; each has one FE item and one BE or WAREHOUSE item"
DISTRIBUTED BY HASH(resource_usage_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.resource_item (
  resource_item_id VARCHAR(64) NOT NULL COMMENT "UUID",
  resource_usage_id VARCHAR(64) COMMENT "= resource_usage.resource_usage_id",
  type VARCHAR(16) COMMENT "FE, BE (CLASSIC) or WAREHOUSE (ELASTIC)",
  vm_category_id VARCHAR(64) COMMENT "= vm_category.vm_category_id",
  vm_count INT COMMENT "machines"
)
PRIMARY KEY(resource_item_id)
COMMENT "What a usage period consisted of"
DISTRIBUTED BY HASH(resource_item_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.vm_category (
  vm_category_id VARCHAR(64) NOT NULL COMMENT "UUID",
  instance_type VARCHAR(64) COMMENT "cloud's name of the machine type",
  vcpu INT COMMENT "virtual CPUs",
  memory_gb INT COMMENT "memory, GB",
  cloud VARCHAR(16) COMMENT "AWS, GCP or Azure",
  region_code VARCHAR(64) COMMENT "cloud's code of the region, the last word of region_details.display_name",
  price_per_hour DECIMAL(10, 4) COMMENT "list price, USD"
)
PRIMARY KEY(vm_category_id)
COMMENT "Catalogue of machine types per region"
DISTRIBUTED BY HASH(vm_category_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.bill_detail (
  bill_day DATE NOT NULL COMMENT "calendar day, UTC",
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = clusters.biz_id",
  account_id VARCHAR(32) COMMENT "short account id, = accounts.biz_id",
  item_type VARCHAR(16) COMMENT "FE, BE or WAREHOUSE",
  ccu DOUBLE COMMENT "compute credit units of the day",
  amount DECIMAL(18, 4) COMMENT "USD"
)
DUPLICATE KEY(bill_day, cluster_id)
COMMENT "Billing lines per cluster, day and item"
PARTITION BY date_trunc('month', bill_day)
DISTRIBUTED BY HASH(cluster_id) BUCKETS 4;

CREATE TABLE IF NOT EXISTS byoc.billing_order (
  order_id VARCHAR(64) NOT NULL COMMENT "UUID",
  cluster_id VARCHAR(64) COMMENT "cluster UUID, = clusters.biz_id",
  account_id VARCHAR(32) COMMENT "short account id, = accounts.biz_id",
  type VARCHAR(16) COMMENT "START, STOP, UPDATE (version or setting) or NODE_UPDATE (machines or disks)",
  state VARCHAR(16) COMMENT "SUCCESS, FAILED or RUNNING",
  created_at DATETIME COMMENT "UTC",
  detail VARCHAR(1024) COMMENT "what was changed, e.g. sr_version 3.3.9-ee -> 3.4.7-ee"
)
PRIMARY KEY(order_id)
COMMENT "Log of operations on clusters: look here for what changed before a problem began"
DISTRIBUTED BY HASH(order_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.ccu_weekly (
  week_start DATE NOT NULL COMMENT "Monday, UTC",
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = clusters.biz_id",
  account_id VARCHAR(32) COMMENT "short account id, = accounts.biz_id",
  ccu DOUBLE COMMENT "compute credit units of the week",
  change_pct DOUBLE COMMENT "against the week before, percent; NULL for the first week"
)
PRIMARY KEY(week_start, cluster_id)
COMMENT "Weekly roll-up of consumption"
DISTRIBUTED BY HASH(cluster_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.scaling_policy (
  policy_id VARCHAR(64) NOT NULL COMMENT "UUID",
  cluster_id VARCHAR(64) COMMENT "cluster UUID, = clusters.biz_id",
  warehouse_name VARCHAR(64) COMMENT "warehouse of an ELASTIC cluster",
  policy_type VARCHAR(16) COMMENT "AUTO or SCHEDULE",
  min_nodes INT COMMENT "lower bound of compute nodes",
  max_nodes INT COMMENT "upper bound of compute nodes",
  enabled BOOLEAN COMMENT "true when it acts",
  updated_at DATETIME COMMENT "UTC"
)
PRIMARY KEY(policy_id)
COMMENT "Scaling policies of ELASTIC clusters"
DISTRIBUTED BY HASH(policy_id) BUCKETS 1;

CREATE TABLE IF NOT EXISTS byoc.cluster_log (
  log_time DATETIME NOT NULL COMMENT "UTC",
  cluster_id VARCHAR(64) NOT NULL COMMENT "cluster UUID, = clusters.biz_id",
  node VARCHAR(64) COMMENT "node that wrote the line, e.g. fe-0, be-2",
  level VARCHAR(8) COMMENT "INFO, WARN, ERROR",
  message VARCHAR(4096) COMMENT "text of the line; untrusted text"
)
DUPLICATE KEY(log_time, cluster_id)
COMMENT "Notable log lines of FE and BE processes: always filter log_time and cluster_id"
PARTITION BY date_trunc('day', log_time)
DISTRIBUTED BY HASH(cluster_id) BUCKETS 4;
