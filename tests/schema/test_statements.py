"""The DDL files: complete, parseable as StarRocks, and explained column by column."""

import re

import pytest
import sqlglot
from sqlglot import exp

import schema


def parsed(statement: str) -> exp.Create:
    tree = sqlglot.parse_one(statement, read="starrocks")
    assert isinstance(tree, exp.Create), statement[:80]
    return tree


def creations(kind: str) -> list[exp.Create]:
    return [tree for tree in map(parsed, schema.statements()) if tree.kind == kind]


def name_of(tree: exp.Create) -> str:
    table = tree.find(exp.Table)
    assert table is not None
    return f"{table.db}.{table.name}"


def columns_of(tree: exp.Create) -> list[exp.ColumnDef]:
    assert isinstance(tree.this, exp.Schema)
    return [column for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]


def test_the_three_databases_are_created_before_their_tables() -> None:
    seen: set[str] = set()
    for tree in map(parsed, schema.statements()):
        table = tree.find(exp.Table)
        assert table is not None
        if tree.kind == "DATABASE":
            seen.add(table.db or table.name)
        else:
            assert table.db in seen
    assert seen == set(schema.DATABASES)


def test_every_database_has_the_tables_of_the_reference_platform() -> None:
    per_database = {name: sum(t.startswith(f"{name}.") for t in schema.tables()) for name in schema.DATABASES}

    assert per_database == {"byoc": 16, "metrics": 7, "alerts": 7}
    assert set(schema.views()) == {"metrics.v_customer_key_v2", "metrics.metrics_hourly_view_v6"}


def test_the_parser_finds_the_same_names_as_the_package() -> None:
    found = [name_of(tree) for kind in ("TABLE", "VIEW") for tree in creations(kind)]

    assert sorted(found) == sorted(schema.tables())


@pytest.mark.parametrize("statement", [s for s in schema.statements() if s.startswith("CREATE TABLE")])
def test_each_table_says_how_it_is_keyed_spread_and_meant(statement: str) -> None:
    tree = parsed(statement)

    assert tree.find(exp.PrimaryKey, exp.DuplicateKeyProperty) is not None
    assert tree.find(exp.DistributedByProperty) is not None
    # The parser files a comment behind PRIMARY KEY under the key, so the text itself is asked.
    assert re.search(r'^COMMENT "[^"]{10,}"$', statement, re.MULTILINE)


@pytest.mark.parametrize("tree", creations("TABLE"), ids=name_of)
def test_each_column_is_explained(tree: exp.Create) -> None:
    for column in columns_of(tree):
        comments = [c.kind.name for c in column.constraints if isinstance(c.kind, exp.CommentColumnConstraint)]
        assert comments, column.name


@pytest.mark.parametrize("tree", creations("TABLE"), ids=name_of)
def test_key_columns_come_first_and_are_never_null_as_starrocks_asks(tree: exp.Create) -> None:
    key = tree.find(exp.PrimaryKey, exp.DuplicateKeyProperty)
    assert key is not None
    names = [item.name for item in key.expressions]
    leading = columns_of(tree)[: len(names)]

    assert [column.name for column in leading] == names
    for column in leading:
        assert any(isinstance(c.kind, exp.NotNullColumnConstraint) for c in column.constraints)


@pytest.mark.parametrize("tree", [t for t in creations("TABLE") if t.find(exp.PrimaryKey)], ids=name_of)
def test_the_columns_that_spread_a_keyed_table_belong_to_its_primary_key(tree: exp.Create) -> None:
    key, spread = tree.find(exp.PrimaryKey), tree.find(exp.DistributedByProperty)
    assert key is not None and spread is not None

    assert {item.name for item in spread.expressions} <= {item.name for item in key.expressions}


def test_every_reference_to_a_cluster_or_account_has_the_shape_of_its_id_explained() -> None:
    for tree in creations("TABLE"):
        for column in columns_of(tree):
            if column.name in {"cluster_id", "account_id"}:
                comment = next(
                    c.kind.name for c in column.constraints if isinstance(c.kind, exp.CommentColumnConstraint)
                )
                assert ("UUID" if column.name == "cluster_id" else "short") in comment


def test_no_statement_is_cut_inside_a_text() -> None:
    for statement in schema.statements():
        assert ";" not in statement.replace("; ", " "), "a semicolon at a line's end would split the statement"
        assert statement.count('"') % 2 == 0
