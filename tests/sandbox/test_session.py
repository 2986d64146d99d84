"""What a session answers: errors in StarRocks' words, privileges, settings, listings, rows written and read back."""

import asyncio
from typing import Any

import pytest
from pymysql.err import MySQLError

import schema
from tests.sandbox.conftest import Connect, rows

REFUSED = (
    ("SELEC 1", 1064, "Getting syntax error"),
    ("SELECT (1", 1064, "Getting syntax error"),
    ("SELECT 'open", 1064, "Getting syntax error"),
    ("FROM metrics.dim_customer_profile", 1064, "Unexpected input 'FROM'"),
    ("GRANT SELECT ON metrics.dim_customer_profile TO reader", 1064, "Unexpected input 'GRANT'"),
    ("COPY metrics.dim_customer_profile TO '/tmp/x'", 1064, "Unexpected input 'COPY'"),
    ("ATTACH '/tmp/x'", 1064, "Unexpected input 'ATTACH'"),
    ("PRAGMA version", 1064, "Unexpected input 'PRAGMA'"),
    ("INSTALL httpfs", 1064, "Unexpected input 'INSTALL'"),
    ("SELECT nope FROM metrics.dim_customer_profile", 1054, "Column 'nope' cannot be resolved"),
    ("SELECT p.nope FROM metrics.dim_customer_profile p", 1054, "Column 'nope' cannot be resolved"),
    ("SELECT q.tier FROM metrics.dim_customer_profile p", 1054, "Column 'q.*' cannot be resolved"),
    ("SELECT biz_id FROM byoc.accounts a JOIN byoc.organizations o ON a.org_id = o.biz_id", 1052, "ambiguous"),
    ("SELECT tier, count(*) FROM metrics.dim_customer_profile", 1064, "must be an aggregate expression"),
    ("SELECT * FROM nope.t", 1049, "Unknown database 'nope'"),
    ("SELECT * FROM metrics.nope", 5502, "Unknown table 'metrics.nope'"),
    ("SELECT * FROM t", 1046, "No database selected"),
    ("SELECT * FROM other.metrics.dim_customer_profile", 5078, "Unknown catalog 'other'"),
    ("SELECT * FROM '/etc/passwd'", 1046, "No database selected"),
    ("SELECT * FROM _information_schema.tables", 1049, "Unknown database"),
    ("SELECT * FROM main.sqlite_master", 1049, "Unknown database"),
    ("SELECT @mine", 1235, "User variables"),
    ("SELECT @@nope", 1193, "Unknown system variable"),
    ("USE nope", 1049, "Unknown database 'nope'"),
    ("SET nope = 1", 1193, "Unknown system variable"),
    ("SET query_timeout = 0", 1231, "can't be set"),
    ("SET query_timeout = soon", 1232, "Incorrect argument type"),
    ("SET version = '9'", 1621, "read only"),
    ("SET time_zone = 'US/Pacific'", 1298, "time zone"),
    ("SET GLOBAL query_timeout = 1", 5203, "Access denied"),
    ("SET PASSWORD = 'x'", 5203, "Access denied"),
    ("SET @a = 1", 1235, "User variables"),
    ("KILL 99999", 1094, "Unknown thread id: 99999"),
    ("KILL QUERY x", 1064, "KILL needs the id"),
    ("SHOW PLUGINS", 1235, "not supported"),
    ("EXPLAIN ANALYZE DELETE FROM metrics.dim_customer_profile", 1235, "EXPLAIN takes a query"),
    ("EXPLAIN DELETE FROM metrics.dim_customer_profile", 1235, "EXPLAIN takes a query"),
    ("INSERT INTO metrics.dim_customer_profile (account_id) VALUES ('a')", 5203, "need .* the INSERT privilege"),
    ("INSERT INTO alerts.patrol_reports (report_id) VALUES ('a')", 5203, "need .* the INSERT privilege"),
    ("INSERT OVERWRITE metrics.dim_customer_profile SELECT * FROM metrics.dim_customer_profile", 1235, "not supported"),
    ("UPDATE metrics.dim_customer_profile SET tier = 'S'", 5203, "Access denied"),
    ("DELETE FROM metrics.dim_customer_profile WHERE true", 5203, "Access denied"),
    ("WITH a AS (SELECT 1) DELETE FROM metrics.dim_customer_profile WHERE true", 5203, "Access denied"),
    ("TRUNCATE TABLE metrics.dim_customer_profile", 5203, "Access denied"),
    ("DROP TABLE metrics.dim_customer_profile", 5203, "Access denied"),
    ("DROP DATABASE metrics", 5203, "Access denied"),
    ("CREATE TABLE metrics.mine (a INT)", 5203, "Access denied"),
    ("CREATE VIEW metrics.mine AS SELECT 1", 5203, "Access denied"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, 1064, "nested too deeply"),
    ("SELECT '" + "x" * 70_000 + "'", 1064, "longer than"),
)


@pytest.mark.parametrize(("sql", "code", "words"), REFUSED, ids=[sql[:50] for sql, _, _ in REFUSED])
async def test_a_refusal_has_starrocks_number_and_words(
    port: int, connect: Connect, sql: str, code: int, words: str
) -> None:
    connection = await connect(port)
    with pytest.raises(MySQLError, match=words.replace("*", r"\*") if "Column" in words else words) as refused:
        await rows(connection, sql)
    assert refused.value.args[0] == code
    assert await rows(connection, "SELECT 1") == [(1,)]


async def test_no_refusal_speaks_of_duckdb(port: int, connect: Connect) -> None:
    connection = await connect(port)
    for sql, _, _ in REFUSED:
        with pytest.raises(MySQLError) as refused:
            await rows(connection, sql)
        assert "duck" not in str(refused.value).lower()


async def test_the_server_says_that_it_is_a_stand_in(port: int, connect: Connect) -> None:
    connection = await connect(port)
    [(comment,)] = await rows(connection, "SELECT @@version_comment LIMIT 1")
    assert comment == "Starwatch sandbox: embedded stand-in for StarRocks"


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (
            "SELECT count(*), COUNT(DISTINCT tier) FROM metrics.dim_customer_profile",
            ["count(*)", "count(DISTINCT tier)"],
        ),
        ("SELECT tier, p.stage AS s, 1 + 1 FROM metrics.dim_customer_profile p", ["tier", "s", "1 + 1"]),
        ("SELECT 'a', NULL, @@autocommit", ["'a'", "NULL", "@@autocommit"]),
        ("SELECT * FROM (SELECT max(tier) FROM metrics.dim_customer_profile) t", ["max(tier)"]),
        ("SELECT table_name FROM information_schema.views LIMIT 0", ["TABLE_NAME"]),
    ],
)
async def test_columns_are_named_by_alias_or_source_text(
    port: int, connect: Connect, sql: str, names: list[str]
) -> None:
    connection = await connect(port)
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        assert [entry[0] for entry in cursor.description] == names


async def test_settings_take_effect_and_are_told_back(port: int, connect: Connect) -> None:
    connection = await connect(port)
    async with connection.cursor() as cursor:
        for sql in (
            "SET query_timeout = 11",
            "SET SESSION sql_select_limit = 2, @@session.autocommit = off",
            "SET NAMES utf8mb4",
            "SET time_zone = '+00:00'",
            "SET character_set_results = NULL",
            "SET SESSION TRANSACTION READ ONLY",
        ):
            await cursor.execute(sql)
    assert await rows(connection, "SELECT @@query_timeout, @@session.autocommit") == [(11, 0)]
    assert len(await rows(connection, "SELECT * FROM metrics.amv_hourly_snapshots_v1")) == 2
    assert await rows(connection, "SHOW VARIABLES LIKE 'query_timeout'") == [("query_timeout", "11")]
    assert await rows(connection, "SHOW VARIABLES WHERE Variable_name = 'autocommit'") == [("autocommit", "0")]
    await rows(connection, "SET sql_select_limit = DEFAULT")
    assert len(await rows(connection, "SELECT * FROM metrics.amv_hourly_snapshots_v1")) == 3000


async def test_a_setting_of_one_session_is_not_seen_by_another(port: int, connect: Connect) -> None:
    first, second = await connect(port), await connect(port)
    await rows(first, "SET query_timeout = 11")
    await rows(first, "USE metrics")
    assert await rows(second, "SELECT @@query_timeout, database()") == [(300, "")]


@pytest.mark.parametrize(
    "sql", ["USE metrics", "use `metrics`", "USE default_catalog.metrics", "USE /* this */ metrics -- please"]
)
async def test_use_chooses_the_database(port: int, connect: Connect, sql: str) -> None:
    connection = await connect(port)
    await rows(connection, sql)
    assert await rows(connection, "SELECT database()") == [("metrics",)]
    [shown] = await rows(connection, "SHOW PROCESSLIST")
    assert shown[3] == "metrics"


@pytest.mark.parametrize(
    "where",
    [
        "snapshot_hour >= '2026-01-02'",
        "snapshot_hour >= date_sub('2026-01-03', INTERVAL 1 DAY)",
        "date(snapshot_hour) > '2026-01-01'",
        "snapshot_hour BETWEEN '2026-01-02 00:00:00' AND '2036-01-01'",
        "date_trunc('day', snapshot_hour) >= '2026-01-02'",
        "unix_timestamp(snapshot_hour) >= unix_timestamp('2026-01-02')",
        "hours_diff(snapshot_hour, '2026-01-01') >= 24",
        "datediff(snapshot_hour, '2026-01-01') >= 1",
        "snapshot_hour >= CAST('2026-01-02' AS DATETIME)",
        "date_format(snapshot_hour, '%Y-%m-%d') <> '2026-01-01'",
    ],
)
async def test_every_way_to_filter_by_time_gives_the_same_rows(port: int, connect: Connect, where: str) -> None:
    connection = await connect(port, db="metrics")
    assert await rows(connection, f"SELECT count(*) FROM amv_hourly_snapshots_v1 WHERE {where}") == [(2976,)]


async def test_counter_increases_and_shares_are_computed_as_the_patrol_writes_them(port: int, connect: Connect) -> None:
    connection = await connect(port, db="metrics")
    increases = await rows(
        connection,
        "WITH steps AS (SELECT cluster_id, snapshot_hour, last_value - lag(last_value) OVER "
        "(PARTITION BY cluster_id, metric_name ORDER BY snapshot_hour) AS step FROM amv_hourly_snapshots_v1) "
        "SELECT cluster_id, sum(greatest(step, 0)) AS increase, sum(if(step > 0, 1, 0)) / count(*) AS share, "
        "percentile_approx(step, 0.5) FROM steps WHERE step IS NOT NULL GROUP BY cluster_id "
        "HAVING count(*) > 1 ORDER BY increase DESC, cluster_id LIMIT 10",
    )
    assert increases == [("c0", 2997.0, 1.0, 3.0), ("c1", 2997.0, 1.0, 3.0), ("c2", 2997.0, 1.0, 3.0)]


async def test_transactions_are_accepted_and_change_nothing(port: int, connect: Connect) -> None:
    connection = await connect(port, autocommit=False)
    await connection.begin()
    await connection.commit()
    await connection.rollback()
    assert await rows(connection, "START TRANSACTION") == []


async def test_databases_and_tables_are_listed(port: int, connect: Connect) -> None:
    connection = await connect(port)
    names = [name for (name,) in await rows(connection, "SHOW DATABASES")]
    assert names == ["alerts", "byoc", "information_schema", "metrics"]
    assert await rows(connection, "SHOW DATABASES LIKE 'by%'") == [("byoc",)]
    await rows(connection, "USE metrics")
    assert ("metrics_table",) in await rows(connection, "SHOW TABLES")
    for pattern in ("v\\_customer\\_key%", "v_customer_key%"):
        assert await rows(connection, f"SHOW FULL TABLES FROM metrics LIKE '{pattern}'") == [
            ("v_customer_key_v2", "VIEW")
        ]


async def test_columns_come_with_types_keys_and_comments(port: int, connect: Connect) -> None:
    connection = await connect(port)
    described = await rows(connection, "DESC metrics.dim_customer_profile")
    assert described[0] == ("account_id", "varchar(32)", "NO", "true", None, "")
    assert await rows(connection, "SHOW COLUMNS FROM metrics.dim_customer_profile") == described
    [tier] = await rows(connection, "SHOW FULL COLUMNS FROM metrics.dim_customer_profile LIKE 'tier'")
    assert tier[0] == "tier"
    assert "S (most important)" in tier[-1]
    view = await rows(connection, "DESCRIBE `metrics`.`metrics_hourly_view_v6`")
    assert ("snapshot_hour", "datetime", "YES", "false", None, "") in view


async def test_the_definition_of_a_table_is_shown_as_written(port: int, connect: Connect) -> None:
    connection = await connect(port)
    [(name, ddl)] = await rows(connection, "SHOW CREATE TABLE metrics.amv_hourly_snapshots_v1")
    assert name == "amv_hourly_snapshots_v1"
    assert "DUPLICATE KEY(snapshot_hour" in ddl
    [view] = await rows(connection, "SHOW CREATE VIEW metrics.v_customer_key_v2")
    assert view[1].startswith("CREATE VIEW")


async def test_information_schema_has_starrocks_shape(port: int, connect: Connect) -> None:
    connection = await connect(port)
    sql = (
        "SELECT TABLE_TYPE, ENGINE, TABLE_ROWS, TABLE_COMMENT FROM information_schema.tables "
        "WHERE TABLE_SCHEMA = 'metrics' AND TABLE_NAME = %s"
    )
    [table] = await rows(connection, sql, ("amv_hourly_snapshots_v1",))
    assert table[:3] == ("BASE TABLE", "StarRocks", 3000)
    assert table[3].startswith("Main metrics table")
    columns = await rows(
        connection,
        "SELECT column_name, data_type, column_type, character_maximum_length, is_nullable, column_key, column_comment "
        "FROM information_schema.columns WHERE table_name = 'metrics_dict_v2' ORDER BY ordinal_position LIMIT 1",
    )
    assert columns == [("metric_name", "varchar", "varchar(128)", 128, "NO", "PRI", "name as stored in the snapshots")]
    names = await rows(connection, "SELECT schema_name FROM information_schema.schemata ORDER BY 1")
    assert ("byoc",) in names
    keys = await rows(
        connection, "SELECT PRIMARY_KEY FROM information_schema.tables_config WHERE TABLE_NAME = 'issues'"
    )
    assert keys == [("`issue_id`",)]


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("SHOW FRONTENDS", "1"),
        ("SHOW BACKENDS", "10001"),
        ("SHOW CATALOGS", "default_catalog"),
        ("SHOW ENGINES", "OLAP"),
    ],
)
async def test_the_node_listings_have_one_row_of_this_server(port: int, connect: Connect, sql: str, first: str) -> None:
    [row] = await rows(await connect(port), sql)
    assert row[0] == first


@pytest.mark.parametrize("sql", ["SHOW COMPUTE NODES", "SHOW WARNINGS"])
async def test_what_does_not_exist_here_is_an_empty_listing(port: int, connect: Connect, sql: str) -> None:
    assert await rows(await connect(port), sql) == []


async def test_grants_are_told_per_table(port: int, connect: Connect) -> None:
    reader = await rows(await connect(port), "SHOW GRANTS")
    grants = {grant.removesuffix(" TO USER 'reader'@'%'") for _, _, grant in reader}
    assert grants == {f"GRANT SELECT ON {'VIEW' if t in schema.views() else 'TABLE'} {t}" for t in schema.TABLES}
    writer = await rows(await connect(port, "writer"), "SHOW GRANTS")
    assert len(writer) == 4
    assert all(grant.startswith("GRANT SELECT, INSERT ON TABLE alerts.") for _, _, grant in writer)


@pytest.mark.parametrize(
    "sql", ["EXPLAIN SELECT {}", "EXPLAIN COSTS SELECT {}", "EXPLAIN ANALYZE SELECT {}", "DESC SELECT {}"]
)
async def test_explain_gives_a_plan_instead_of_rows(port: int, connect: Connect, sql: str) -> None:
    plan = await rows(
        await connect(port), sql.format("count(*) FROM metrics.amv_hourly_snapshots_v1 WHERE avg_value > 1")
    )
    assert any("snapshots" in str(line) or "Scan" in str(line) or "SCAN" in str(line) for (line,) in plan)


HOSTILE = "it's \\ back\\\\slash\n\t日本 \"x\"; DROP TABLE t; -- /* ' */ %s \x01"


async def test_hostile_text_survives_the_round_trip(own_port: int, connect: Connect) -> None:
    connection = await connect(own_port, "writer")
    async with connection.cursor() as cursor:
        changed = await cursor.execute(
            "INSERT INTO alerts.patrol_reports (report_id, fleet_narrative, clusters_flagged) VALUES (%s, %s, %s)",
            ("r1", HOSTILE, '[{"a": "' + "x" * 200_000 + '"}]'),
        )
    assert changed == 1
    sql = "SELECT fleet_narrative, char_length(json_string(clusters_flagged)) FROM alerts.patrol_reports"
    assert await rows(connection, sql) == [(HOSTILE, 200_011)]


async def test_an_insert_with_a_known_key_replaces_the_row(own_port: int, connect: Connect) -> None:
    connection = await connect(own_port, "writer")
    for narrative in ("first", "second"):
        await rows(
            connection,
            "INSERT INTO alerts.patrol_reports (report_id, fleet_narrative) VALUES ('r1', %s)",
            (narrative,),
        )
    assert await rows(connection, "SELECT fleet_narrative FROM alerts.patrol_reports") == [("second",)]


async def test_the_writer_reaches_its_own_tables_only(port: int, connect: Connect) -> None:
    connection = await connect(port, "writer")
    assert await rows(connection, "SELECT count(*) FROM alerts.cluster_health_scores") == [(0,)]
    for sql in (
        "SELECT count(*) FROM byoc.clusters",
        "INSERT INTO alerts.patrol_reports (report_id) SELECT biz_id FROM byoc.clusters",
        "INSERT INTO byoc.clusters (biz_id) VALUES ('a')",
        "DELETE FROM alerts.patrol_reports WHERE true",
        "DESC byoc.clusters",
    ):
        with pytest.raises(MySQLError, match="Access denied") as refused:
            await rows(connection, sql)
        assert refused.value.args[0] == 5203
    assert await rows(connection, "SHOW TABLES FROM byoc") == []


async def test_a_missing_required_value_is_refused(own_port: int, connect: Connect) -> None:
    connection = await connect(own_port, "writer")
    with pytest.raises(MySQLError, match="not null"):
        await rows(connection, "INSERT INTO alerts.patrol_reports (report_type) VALUES ('morning')")


async def test_an_administrator_creates_changes_and_drops(own_port: int, connect: Connect) -> None:
    root = await connect(own_port, "root", db="metrics")

    async def do(sql: str) -> int:
        async with root.cursor() as cursor:
            changed: int = await cursor.execute(sql)
            return changed

    await do("CREATE DATABASE IF NOT EXISTS extra")
    await do("CREATE TABLE extra.t (k INT NOT NULL, v STRING DEFAULT 'none' COMMENT 'value') PRIMARY KEY (k)")
    await do("CREATE TABLE IF NOT EXISTS extra.t (k INT)")
    with pytest.raises(MySQLError, match="already exists"):
        await do("CREATE TABLE extra.t (k INT)")
    assert await do("INSERT INTO extra.t (k) VALUES (1), (2), (3)") == 3
    assert await do("UPDATE extra.t SET v = 'x' WHERE k > 1") == 2
    assert await do("DELETE FROM extra.t WHERE k = 3") == 1
    await do("CREATE VIEW extra.v (key_ COMMENT 'the key') AS SELECT k FROM extra.t WHERE v = 'x'")
    assert await rows(root, "SELECT key_ FROM extra.v") == [(2,)]
    with pytest.raises(MySQLError, match="not insertable"):
        await do("INSERT INTO extra.v VALUES (1)")
    await do("TRUNCATE TABLE extra.t")
    assert await rows(root, "SELECT * FROM extra.t") == []
    await do("DROP VIEW extra.v")
    await do("DROP TABLE extra.t")
    with pytest.raises(MySQLError, match="Unknown table"):
        await rows(root, "SELECT * FROM extra.t")


async def test_two_writers_of_one_row_both_succeed(own_port: int, connect: Connect) -> None:
    writers: list[Any] = [await connect(own_port, "writer") for _ in range(4)]
    sql = "INSERT INTO alerts.patrol_reports (report_id, fleet_narrative) VALUES ('r1', %s)"
    await asyncio.gather(*(rows(writer, sql, (str(number),)) for number, writer in enumerate(writers)))
    assert await rows(writers[0], "SELECT count(*) FROM alerts.patrol_reports") == [(1,)]


async def test_a_kill_ends_only_the_statement_that_runs_and_never_the_next(port: int, connect: Connect) -> None:
    victim, watcher = await connect(port), await connect(port)
    [(number,)] = await rows(victim, "SELECT connection_id()")
    for _ in range(3):
        await rows(watcher, f"KILL QUERY {number}")
        assert await rows(victim, "SELECT 1") == [(1,)]


async def test_a_session_may_kill_its_own_statement_and_goes_on(port: int, connect: Connect) -> None:
    connection = await connect(port)
    [(number,)] = await rows(connection, "SELECT connection_id()")
    await rows(connection, f"KILL QUERY {number}")
    assert await rows(connection, "SELECT 1") == [(1,)]


async def test_a_row_limit_of_the_session_cuts_every_result(port: int, connect: Connect) -> None:
    connection = await connect(port)
    await rows(connection, "SET sql_select_limit = 1001")
    assert len(await rows(connection, "SELECT * FROM metrics.amv_hourly_snapshots_v1")) == 1001
    await rows(connection, "SET sql_select_limit = 0")
    assert await rows(connection, "SELECT * FROM metrics.amv_hourly_snapshots_v1") == []
    await rows(connection, "SET sql_select_limit = DEFAULT")
    assert len(await rows(connection, "SELECT * FROM metrics.amv_hourly_snapshots_v1")) == 3000


@pytest.mark.parametrize("count", [999, 1000, 1001, 2000])
async def test_a_result_that_ends_with_a_batch_is_whole(port: int, connect: Connect, count: int) -> None:
    connection = await connect(port)
    sql = f"SELECT last_value FROM metrics.amv_hourly_snapshots_v1 WHERE last_value < {count} ORDER BY 1"
    assert await rows(connection, sql) == [(float(number),) for number in range(count)]


async def test_two_sessions_keep_their_databases_and_statements_apart(port: int, connect: Connect) -> None:
    one, other = await connect(port, db="metrics"), await connect(port, db="byoc")
    answers = await asyncio.gather(
        *(rows(one, "SELECT database(), count(*) FROM amv_hourly_snapshots_v1") for _ in range(1)),
        *(rows(other, "SELECT database(), count(*) FROM clusters") for _ in range(1)),
    )
    assert answers == [[("metrics", 3000)], [("byoc", 0)]]
    with pytest.raises(MySQLError, match=r"Unknown table 'byoc\.amv_hourly_snapshots_v1'"):
        await rows(other, "SELECT * FROM amv_hourly_snapshots_v1")


async def test_a_refused_statement_leaves_the_session_as_it_was(port: int, connect: Connect) -> None:
    connection = await connect(port, db="metrics")
    await rows(connection, "SET query_timeout = 7")
    for sql, _, _ in REFUSED[:12]:
        with pytest.raises(MySQLError):
            await rows(connection, sql)
    assert await rows(connection, "SELECT database(), @@query_timeout") == [("metrics", 7)]
