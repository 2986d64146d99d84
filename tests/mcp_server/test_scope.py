"""What a scope shows: for any statement exactly what it shows where the other customers do not exist."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

import schema
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import Code, DoorError, Refusal
from mcp_server.guard import Guard, tenancy
from mcp_server.limits import Allowance
from mcp_server.principal import Caller, Principal, Scope
from mcp_server.scope import Scopes, load_scopes
from sandbox.launch import Options, running
from tests.mcp_server import corpus, tenants
from tests.mcp_server.tenants import ACME, BOLT

CLOSED = {"alerts.patrol_reports", "alerts.alert_recommendations"}
CHANNELS = {ACME: Caller(Principal("slack", "C-ACME")), BOLT: Caller(Principal("slack", "C-BOLT"))}
NOBODY = Caller(Principal("slack", "C-NOBODY"))
FILE = f"""
scopes:
  - {{surface: slack, channel: C-ACME, accounts: [{ACME}]}}
  - {{surface: slack, channel: C-BOLT, accounts: [{BOLT}]}}
  - {{surface: slack, channel: C-NOBODY, accounts: []}}
"""


@dataclass(frozen=True)
class Town:
    """A door to a warehouse of both customers with a channel for each, and doors to warehouses of one alone."""

    runner: asyncio.Runner
    both: Door
    alone: dict[str, Door]

    def scoped(self, account: str, sql: str) -> list[str]:
        return self.rows(self.both, sql, CHANNELS[account])

    def lonely(self, account: str, sql: str) -> list[str]:
        return self.rows(self.alone[account], sql, Caller(Principal("local")))

    def rows(self, door: Door, sql: str, caller: Caller) -> list[str]:
        try:
            result = self.runner.run(door.read(sql, 5_000, caller))
        except DoorError as error:
            return [f"{error.code}"]
        return sorted(repr(list(row)) for row in result.rows)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three small warehouses, for as long as this module's tests."""
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "scopes.yaml").write_text(FILE)
    scopes = load_scopes(folder / "scopes.yaml", schema.TABLES)

    async def door(stack: AsyncExitStack, name: str, accounts: list[str], scopes: Scopes | None) -> Door:
        endpoint = await stack.enter_async_context(running(Options(load=tenants.write(folder / name, accounts))))
        user, password = endpoint.reader
        config = WarehouseConfig(host=endpoint.host, port=endpoint.port, user=user, password=SecretStr(password))
        calm = Allowance(per_minute=100_000)
        return await stack.enter_async_context(Door(config, scopes=scopes, allowance=calm))

    async def build(stack: AsyncExitStack) -> tuple[Door, Door, Door]:
        return await asyncio.gather(
            door(stack, "both", [ACME, BOLT], scopes),
            door(stack, "acme", [ACME], None),
            door(stack, "bolt", [BOLT], None),
        )

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        both, acme, bolt = runner.run(build(stack))
        yield Town(runner, both, {ACME: acme, BOLT: bolt})
        runner.run(stack.aclose())


@pytest.mark.parametrize("table", sorted(set(schema.TABLES) - CLOSED))
@pytest.mark.parametrize("account", [ACME, BOLT])
def test_every_open_table_shows_a_channel_its_own_rows_and_all_of_them(town: Town, account: str, table: str) -> None:
    rows = town.scoped(account, f"SELECT * FROM {table}")
    assert rows == town.lonely(account, f"SELECT * FROM {table}")
    assert rows and rows[0].startswith("[")


@pytest.mark.parametrize("table", sorted(CLOSED))
def test_a_table_that_tells_of_several_accounts_is_closed_to_a_channel_of_one(town: Town, table: str) -> None:
    assert town.scoped(ACME, f"SELECT * FROM {table}") == ["permission"]
    assert town.scoped(ACME, f"WITH a AS (SELECT 1 AS x FROM {table}) SELECT * FROM a") == ["permission"]


def test_every_table_is_owned_or_shared_or_closed_on_purpose() -> None:
    assert set(tenancy.OWNERSHIP) | tenancy.SHARED | CLOSED == set(schema.TABLES)
    assert not set(tenancy.OWNERSHIP) & tenancy.SHARED


ATTACKS = (
    "SELECT byoc.clusters.biz_id FROM byoc.clusters WHERE TRUE OR account_id <> ''",
    "SELECT clusters.*, byoc.clusters.biz_id FROM default_catalog.byoc.clusters",
    "SELECT * FROM (byoc.clusters a JOIN byoc.accounts b ON a.account_id = b.biz_id)",
    "SELECT x.biz_id FROM (SELECT * FROM (SELECT * FROM byoc.clusters) AS y) AS x",
    "WITH clusters AS (SELECT * FROM byoc.clusters) SELECT * FROM clusters UNION ALL SELECT * FROM byoc.clusters",
    "WITH a AS (SELECT * FROM byoc.clusters), b AS (SELECT * FROM a) SELECT COUNT(*) FROM b",
    "SELECT a.biz_id FROM byoc.clusters a JOIN byoc.clusters b USING (cluster_name) WHERE a.biz_id < b.biz_id",
    "SELECT biz_id FROM byoc.clusters c WHERE EXISTS (SELECT 1 FROM alerts.issues i WHERE i.cluster_id <> c.biz_id)",
    "SELECT biz_id, (SELECT COUNT(*) FROM byoc.clusters d WHERE d.biz_id > c.biz_id) FROM byoc.clusters c",
    "SELECT i.cluster_id FROM alerts.issues i LEFT ANTI JOIN byoc.clusters c ON c.biz_id = i.cluster_id",
    "SELECT i.cluster_id FROM alerts.issues i FULL OUTER JOIN byoc.clusters c ON c.biz_id = i.cluster_id",
    "SELECT biz_id FROM byoc.clusters WHERE account_id NOT IN (SELECT account_id FROM byoc.bill_detail)",
    "SELECT sr_version FROM byoc.cluster_info JOIN byoc.resource USING (cluster_id)",
    "SELECT biz_id FROM byoc.clusters EXCEPT SELECT cluster_id FROM byoc.cluster_info",
    "SELECT COUNT(*), MAX(amount), SUM(ccu) FROM byoc.bill_detail",
    "SELECT cluster_id, RANK() OVER (ORDER BY amount) FROM byoc.bill_detail",
    "SELECT cluster_id FROM byoc.bill_detail QUALIFY ROW_NUMBER() OVER (ORDER BY amount DESC) = 1",
    "SELECT k.cluster_id, r.reason FROM alerts.cluster_risk_snapshots k, "
    "UNNEST(CAST(k.risk_reasons AS ARRAY<VARCHAR(100)>)) AS r(reason)",
    "SELECT a.n FROM (SELECT COUNT(*) AS n FROM byoc.clusters) a CROSS JOIN (SELECT MAX(ccu) FROM byoc.bill_detail) b",
    "SELECT accounts.biz_id FROM byoc.clusters AS accounts JOIN byoc.accounts AS clusters "
    "ON clusters.biz_id = accounts.account_id",
    "SELECT account_id, cluster_id, COUNT(*) FROM byoc.bill_detail GROUP BY ROLLUP (account_id, cluster_id)",
    "SELECT IF((SELECT COUNT(*) FROM byoc.accounts) > 1, 'more', 'one')",
)


@pytest.mark.parametrize("account", [ACME, BOLT])
@pytest.mark.parametrize("sql", ATTACKS)
def test_no_form_of_statement_reaches_around_the_scope(town: Town, account: str, sql: str) -> None:
    rows = town.scoped(account, sql)
    assert rows == town.lonely(account, sql)
    assert not rows or rows[0].startswith("[")


KEYS = {
    "cluster": (
        *("byoc.clusters.biz_id", "byoc.cluster_info.cluster_id", "byoc.resource.cluster_id"),
        *("byoc.bill_detail.cluster_id", "byoc.cluster_log.cluster_id", "byoc.billing_order.cluster_id"),
        *("metrics.amv_hourly_snapshots_v1.cluster_id", "metrics.metrics_hourly_view_v6.cluster_id"),
        *("alerts.issues.cluster_id", "alerts.lark_alerts.cluster_id", "alerts.cluster_risk_snapshots.cluster_id"),
    ),
    "account": (
        *("byoc.accounts.biz_id", "byoc.clusters.account_id", "byoc.bill_detail.account_id"),
        *("metrics.dim_customer_profile.account_id", "metrics.v_customer_key_v2.biz_id"),
        *("metrics.amv_hourly_snapshots_v1.account_id", "alerts.cluster_health_scores.account_id"),
    ),
    "resource": ("byoc.resource.resource_id", "byoc.resource_node.resource_id", "byoc.resource_usage.resource_id"),
}
VALUES = [f"'{value}'" for value in (ACME, BOLT, *tenants.cluster_ids(ACME), *tenants.cluster_ids(BOLT), "", "m")]


@st.composite
def statements(draw: st.DrawFn) -> str:
    """A random read: sources nested and joined, narrowed by comparisons and subqueries, counted or listed, united."""
    count = 0

    def named() -> str:
        nonlocal count
        count += 1
        return f"t{count}"

    def source(domain: str, depth: int) -> str:
        """Something with one column `k` of the domain."""
        table, _, column = draw(st.sampled_from(KEYS[domain])).rpartition(".")
        form = draw(
            st.sampled_from(["table", "table", "derived", "union", "joined", "grouped"] if depth else ["table"])
        )
        a, b = named(), named()
        if form == "derived":
            return (
                f"SELECT {a}.k FROM ({source(domain, depth - 1)}) AS {a} WHERE {condition(f'{a}.k', domain, depth - 1)}"
            )
        if form == "union":
            operator = draw(st.sampled_from(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]))
            return f"SELECT k FROM ({source(domain, depth - 1)} {operator} {source(domain, depth - 1)}) AS {a}"
        if form == "joined":
            join = draw(st.sampled_from(["JOIN", "LEFT JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "FULL OUTER JOIN"]))
            compare = draw(st.sampled_from(["=", "<>", "<"]) if join == "JOIN" else st.just("="))
            right = f"({source(domain, depth - 1)}) AS {b}"
            return f"SELECT {a}.{column} AS k FROM {table} {a} {join} {right} ON {a}.{column} {compare} {b}.k"
        if form == "grouped":
            pick = draw(st.sampled_from(["MAX", "MIN"]))
            return f"SELECT {pick}({a}.{column}) AS k FROM {table} {a} GROUP BY LENGTH({a}.{column})"
        return f"SELECT {a}.{column} AS k FROM {table} {a} WHERE {condition(f'{a}.{column}', domain, depth)}"

    def condition(key: str, domain: str, depth: int) -> str:
        inner = named()
        forms = [f"{key} {draw(st.sampled_from(['=', '<>', '>=', '<']))} {draw(st.sampled_from(VALUES))}", "TRUE"]
        if depth:
            member = f"{key} {draw(st.sampled_from(['IN', 'NOT IN']))} ({source(domain, depth - 1)})"
            compare = draw(st.sampled_from(["=", "<>"]))
            exists = f"EXISTS (SELECT 1 FROM ({source(domain, depth - 1)}) AS {inner} WHERE {inner}.k {compare} {key})"
            forms += [member, exists, f"({key} IS NULL OR NOT {exists})"]
        return draw(st.sampled_from(forms))

    domain = draw(st.sampled_from(sorted(KEYS)))
    body = source(domain, 2)
    form = draw(st.sampled_from(["list", "count", "window", "cte", "scalar"]))
    return {
        "list": f"SELECT k FROM ({body}) AS z",
        "count": f"SELECT COUNT(*), COUNT(DISTINCT k), MIN(k), MAX(k) FROM ({body}) AS z",
        "window": f"SELECT k, COUNT(*) OVER () FROM ({body}) AS z QUALIFY RANK() OVER (ORDER BY k) < 4",
        "cte": f"WITH clusters AS ({body}), i AS (SELECT k FROM clusters) SELECT k, COUNT(*) FROM i GROUP BY k",
        "scalar": f"SELECT (SELECT COUNT(*) FROM ({body}) AS z) AS n, (SELECT MAX(biz_id) FROM byoc.clusters) AS m",
    }[form]


@given(sql=statements(), account=st.sampled_from([ACME, BOLT]))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_statement_shows_a_channel_what_it_shows_where_nobody_else_exists(
    town: Town, sql: str, account: str
) -> None:
    assert town.scoped(account, sql) == town.lonely(account, sql)


GUARD = Guard(schema.TABLES)
OF_ACME = Scope(accounts=frozenset({ACME}))


@pytest.mark.parametrize("sql", corpus.allowed())
def test_a_narrowed_statement_is_itself_one_that_may_pass(sql: str) -> None:
    try:
        narrowed = GUARD.admit(sql, 500, OF_ACME).sql
    except Refusal as error:
        assert error.rule == "scope"
        assert sql.upper().startswith(("EXPLAIN", "SHOW"))
        return
    assert GUARD.admit(narrowed, 500).sql == narrowed


def test_a_scope_of_no_account_shows_no_row(town: Town) -> None:
    assert town.rows(town.both, "SELECT COUNT(*) FROM byoc.clusters", NOBODY) == ["[0]"]


def refused(sql: str, scope: Scope) -> Refusal:
    with pytest.raises(Refusal) as caught:
        GUARD.admit(sql, 5, scope)
    return caught.value


def test_databases_and_tables_outside_the_scope_are_closed_and_not_named_as_near() -> None:
    scope = Scope(databases=frozenset({"byoc"}), tables=frozenset({"byoc.clusters", "metrics.metrics_dict_v2"}))
    assert GUARD.admit("SELECT biz_id FROM byoc.clusters", 5, scope).tables == ("byoc.clusters",)
    for table in ("byoc.accounts", "metrics.metrics_dict_v2", "alerts.issues"):
        assert refused(f"SELECT 1 FROM {table}", scope).rule == "scope"
    assert refused("SELECT 1 FROM byoc.accountz", scope).near == ("byoc.clusters",)
    assert refused("DESC byoc.accounts", scope).code is Code.PERMISSION
    assert refused("SHOW TABLES FROM byoc", scope).rule == "scope"
    assert GUARD.admit("DESC byoc.clusters", 5, scope).sql == "DESC byoc.clusters"


def test_a_verdict_is_remembered_for_its_scope_alone() -> None:
    sql = "SELECT biz_id FROM byoc.clusters"
    assert GUARD.admit(sql, 5).sql != GUARD.admit(sql, 5, OF_ACME).sql
    assert ACME in GUARD.admit(sql, 5, OF_ACME).sql
    assert ACME not in GUARD.admit(sql, 5, Scope(accounts=frozenset({BOLT}))).sql


def test_an_account_that_is_no_plain_id_never_becomes_sql() -> None:
    with pytest.raises(ValueError, match="plain id"):
        tenancy.condition("byoc.clusters", frozenset({"x') OR ('1' = '1"}))


def test_entries_are_tried_in_order_and_own_surfaces_see_everything(tmp_path: Path) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text(
        f"default: {{databases: [metrics]}}\n"
        f"scopes:\n"
        f"  - {{surface: slack, channel: 'C0*', user: U-CHIEF}}\n"
        f"  - {{surface: slack, channel: 'C0*', accounts: [{ACME}]}}\n"
    )
    scopes = load_scopes(path, schema.TABLES)
    assert scopes.of(Principal("slack", "C01", "U-CHIEF")) == Scope()
    assert scopes.of(Principal("slack", "C01", "U2")) == Scope(accounts=frozenset({ACME}))
    assert scopes.of(Principal("lark", "C01", "U-CHIEF")) == Scope(databases=frozenset({"metrics"}))
    for surface in ("local", "terminal", "patrol"):
        assert scopes.of(Principal(surface)) == Scope()


def test_without_a_default_an_unlisted_channel_sees_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text(FILE)
    scope = load_scopes(path, schema.TABLES).of(Principal("slack", "C-OTHER"))
    assert refused("SELECT 1 FROM byoc.region_details", scope).rule == "scope"
    assert refused("SHOW DATABASES", scope).rule == "scope"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scopes: [{surface: slack, acounts: [x]}]", "scopes.0.acounts: no such key"),
        ("scopes: [{channel: C1}]", "scopes.0.surface: is missing"),
        ("scopes: [{surface: slack, accounts: 'a'}]", "scopes.0.accounts: Input should be a valid list"),
        ("scopes: [{surface: slack, accounts: [1]}]", "scopes.0.accounts.0: Input should be a valid string"),
        ('scopes: [{surface: slack, accounts: ["a\' OR 1"]}]', "scopes.0.accounts.0: is no account id"),
        ("scopes: [{surface: slack, databases: [mysql]}]", "scopes.0.databases: no such database 'mysql'"),
        ("default: {tables: [clusters]}\nscopes: []", "default.tables: no such table 'clusters'"),
        ("scope: []", "scopes: is missing"),
        ("scopes: []\nextra: 1", "extra: no such key; the keys are default, scopes"),
        ("scopes: [", "is no YAML at line 1"),
        ("scopes: []\nscopes: []", "is no YAML at line 1"),
        ("scopes: !!python/object/apply:os.system [x]", "is no YAML at line 1"),
        ("[]", "the file: Input should be a valid dictionary"),
        ("", "scopes: is missing"),
        ("#" * 300_000, "is larger than 256 KB"),
    ],
)
def test_a_broken_file_is_told_in_one_line_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"scopes\.yaml") as caught:
        load_scopes(path, schema.TABLES)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_example_of_the_documentation_is_a_good_file(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scopes.md").read_text(encoding="utf-8")
    path = tmp_path / "scopes.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    scopes = load_scopes(path, schema.TABLES)
    assert scopes.of(Principal("slack", "C0OPSROOM", "U1")) == Scope()
    assert scopes.of(Principal("slack", "C0SHAREDACME", "U1")) == Scope(accounts=frozenset({"k3v9x2m1q"}))
    assert scopes.of(Principal("slack", "C0SALES1", "U1")) == Scope(databases=frozenset({"metrics"}))


def test_a_missing_file_is_no_open_door(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        load_scopes(tmp_path / "none.yaml", schema.TABLES)
