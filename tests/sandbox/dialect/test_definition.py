"""CREATE statements as StarRocks writes them."""

import pytest

from sandbox.dialect.definition import read
from sandbox.dialect.statement import split
from sandbox.engine import Engine
from sandbox.errors import StatementError

FULL = """
CREATE TABLE IF NOT EXISTS d.t (
  `k` BIGINT NOT NULL AUTO_INCREMENT COMMENT "the key, it's (one)",
  day DATE NOT NULL DEFAULT "2026-01-01",
  `order` VARCHAR(65533) NULL COMMENT 'reserved word',
  amount DECIMAL(10, 2) DEFAULT '0',
  tags ARRAY<VARCHAR(20)>,
  m MAP<VARCHAR(10), INT>,
  s STRUCT<a INT, b STRING>,
  j JSON,
  big LARGEINT,
  at DATETIME DEFAULT CURRENT_TIMESTAMP,
  flag BOOLEAN
) ENGINE = OLAP
PRIMARY KEY (k, `day`)
COMMENT "a table"
PARTITION BY date_trunc('day', day)
DISTRIBUTED BY HASH(k) BUCKETS 8
ORDER BY (k)
PROPERTIES ("replication_num" = "1", "comment" = "no");
"""


def test_a_table_keeps_columns_keys_and_comments() -> None:
    definition = read(split(FULL)[0], None)
    assert (definition.database, definition.name, definition.model) == ("d", "t", "PRIMARY_KEYS")
    assert definition.comment == "a table"
    assert definition.if_not_exists
    by_name = {column.name: column for column in definition.columns}
    assert by_name["k"].comment == "the key, it's (one)"
    assert (by_name["k"].nullable, by_name["k"].key) == (False, True)
    assert (by_name["order"].nullable, by_name["order"].type) == (True, "varchar(65533)")
    assert by_name["amount"].type == "decimal(10, 2)"
    assert by_name["day"].default == "2026-01-01"
    assert by_name["j"].base_type == "json"


def test_duckdb_accepts_every_column_type(own_engine: Engine) -> None:
    own_engine.define("CREATE DATABASE d")
    own_engine.define(FULL)
    kinds = dict(row[:2] for row in own_engine.connection.execute("DESCRIBE d.t").fetchall())
    assert kinds["tags"] == "VARCHAR[]"
    assert kinds["big"] == "HUGEINT"
    assert kinds["at"] == "TIMESTAMP"
    assert kinds["s"] == "STRUCT(a INTEGER, b VARCHAR)"


@pytest.mark.parametrize(
    ("clauses", "model", "keys"),
    [
        ("DUPLICATE KEY(a) DISTRIBUTED BY HASH(a)", "DUP_KEYS", ["a"]),
        ("UNIQUE KEY(a, b)", "UNQ_KEYS", ["a", "b"]),
        ("PARTITION BY RANGE(a) (PARTITION p1 VALUES LESS THAN ('2026-01-01'))", "DUP_KEYS", []),
        ("PARTITION BY RANGE(a) (START ('2026-01-01') END ('2027-01-01') EVERY (INTERVAL 1 DAY))", "DUP_KEYS", []),
        ("DISTRIBUTED BY RANDOM BUCKETS 1", "DUP_KEYS", []),
        ("", "DUP_KEYS", []),
    ],
)
def test_storage_clauses_are_read_or_skipped(clauses: str, model: str, keys: list[str]) -> None:
    definition = read(split(f"CREATE TABLE d.t (a DATE, b INT) {clauses}")[0], None)
    assert definition.model == model
    assert [column.name for column in definition.columns if column.key] == keys


def test_a_view_keeps_names_and_comments() -> None:
    text = 'CREATE VIEW IF NOT EXISTS v (a COMMENT "first", b) COMMENT "a view" AS SELECT x, y + 1 FROM t'
    definition = read(split(text)[0], "d")
    assert (definition.database, definition.name, definition.comment) == ("d", "v", "a view")
    assert [(column.name, column.comment) for column in definition.columns] == [("a", "first"), ("b", "")]
    assert '"d"."t"' in definition.sql


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CREATE TABLE t (a INT)", 1046),
        ("CREATE TABLE d.t", 1064),
        ("CREATE TABLE d.t (a INT", 1064),
        ("CREATE TABLE d.t (a NOSUCHTYPE(1)) x", 1064),
        ("CREATE TABLE", 1064),
        ("CREATE VIEW d.v", 1064),
        ("CREATE VIEW d.v AS", 1064),
        ("CREATE VIEW d.v AS SELECT read_csv('x')", 1064),
        ("CREATE FUNCTION f() RETURNS INT", 1235),
        ("CREATE EXTERNAL CATALOG c PROPERTIES ('type' = 'jdbc')", 1235),
        ("CREATE USER u", 1235),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", 1235),
    ],
)
def test_what_cannot_be_created_is_refused(text: str, code: int) -> None:
    with pytest.raises(StatementError) as refused:
        read(split(text)[0], None)
    assert refused.value.code == code


def test_a_definition_may_lack_what_it_does_not_need() -> None:
    assert read(split("CREATE DATABASE IF NOT EXISTS d")[0], None).sql == 'CREATE SCHEMA IF NOT EXISTS "d"'
    assert read(split('CREATE SCHEMA `a"b`')[0], None).sql == 'CREATE SCHEMA IF NOT EXISTS "a""b"'
    view = read(split("CREATE OR REPLACE VIEW v AS SELECT 1 AS one")[0], "d")
    assert (view.kind, view.columns, view.comment) == ("VIEW", (), "")


def test_a_table_is_not_made_twice_unless_that_is_allowed(own_engine: Engine) -> None:
    own_engine.define("CREATE DATABASE d; CREATE TABLE d.t (a INT)")
    own_engine.connection.execute("INSERT INTO d.t VALUES (1)")
    own_engine.define("CREATE TABLE IF NOT EXISTS d.t (a INT, b INT)")
    with pytest.raises(StatementError) as refused:
        own_engine.define("CREATE TABLE d.t (a INT)")
    assert refused.value.code == 1050
    assert own_engine.connection.execute("SELECT * FROM d.t").fetchall() == [(1,)]


def test_a_view_is_replaced_and_tells_its_new_columns(own_engine: Engine) -> None:
    own_engine.define("CREATE DATABASE d; CREATE TABLE d.t (a INT, b DECIMAL(9, 2))")
    own_engine.define("CREATE VIEW d.v AS SELECT a FROM d.t; CREATE VIEW d.v (x COMMENT 'sum') AS SELECT b FROM d.t")
    [column] = own_engine.catalogue.table("d", "v").columns
    assert (column.name, column.type, column.comment) == ("x", "decimal(9,2)", "sum")


def test_a_table_in_no_database_is_refused_by_its_name(own_engine: Engine) -> None:
    with pytest.raises(StatementError) as refused:
        own_engine.define("CREATE TABLE nowhere.t (a INT)")
    assert refused.value.code == 1049


def test_a_primary_key_replaces_and_a_duplicate_key_keeps(own_engine: Engine) -> None:
    own_engine.define("CREATE DATABASE d; CREATE TABLE d.p (a INT, b INT) PRIMARY KEY (a)")
    own_engine.define("CREATE TABLE d.k (a INT, b INT) DUPLICATE KEY (a)")
    for table in ("p", "k"):
        for value in (1, 2):
            own_engine.connection.execute(f"INSERT OR REPLACE INTO d.{table} VALUES (7, {value})" if table == "p"
                                          else f"INSERT INTO d.{table} VALUES (7, {value})")  # fmt: skip
    assert own_engine.connection.execute("SELECT b FROM d.p").fetchall() == [(2,)]
    assert own_engine.connection.execute("SELECT b FROM d.k ORDER BY b").fetchall() == [(1,), (2,)]
