"""The door as of a moment that is over: later rows are not there, and the present is that moment."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlglot import exp

import schema
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard import Guard
from mcp_server.guard.past import MOMENTS, condition
from mcp_server.principal import Principal, Scope
from mcp_server.scope import Scopes
from sandbox.launch import Endpoint
from tests.mcp_server import corpus

GUARD = Guard(schema.TABLES)
THEN = datetime(2026, 11, 18, 6, 30, tzinfo=UTC)
PAST = Scope(until=THEN)
SNAPSHOTS = "metrics.amv_hourly_snapshots_v1"
TIMELESS = frozenset(
    {
        "byoc.accounts",
        "byoc.cluster_info",
        "byoc.region_details",
        "byoc.resource_node",
        "byoc.resource_usage",
        "byoc.resource_item",
        "byoc.vm_category",
        "metrics.metrics_dict_v2",
        "metrics.dim_customer_profile",
        "metrics.v_customer_key_v2",
    }
)
"""Tables that no column of theirs dates: they are those of today in every replay."""
_CREATED = re.compile(r"CREATE (?:TABLE|VIEW) IF NOT EXISTS (\w+\.\w+)")


def admitted(sql: str, scope: Scope = PAST) -> str:
    return GUARD.admit(sql, 5, scope).sql


def test_every_table_with_rows_of_a_moment_is_narrowed_and_the_others_stay_whole() -> None:
    for table in schema.TABLES:
        assert ("'2026-11-18 06:30:00'" in admitted(f"SELECT * FROM {table}")) == (table in MOMENTS)
    assert set(schema.TABLES) >= MOMENTS.keys()


def ddl() -> dict[str, str]:
    """Table → the statement that creates it."""
    return {found[1]: statement for statement in schema.statements() if (found := _CREATED.match(statement))}


def test_every_table_of_the_schema_has_its_moment_or_stands_among_those_without_a_time() -> None:
    assert MOMENTS.keys() | TIMELESS == set(schema.TABLES)
    assert not MOMENTS.keys() & TIMELESS
    timed = {name for name, sql in ddl().items() if re.search(r"^\s+\w+ DATE(TIME)?\b", sql, re.MULTILINE)}
    # the columns of a view have no types of their own: it is dated by what it reads
    timed |= {name for name in schema.views() if any(table in ddl()[name] for table in timed)}
    assert timed == MOMENTS.keys()


def test_a_moment_is_made_of_columns_that_its_table_has() -> None:
    for table, when in MOMENTS.items():
        (read,) = GRAMMAR.parse(f"SELECT {when} AS t FROM {table}")
        assert read is not None
        used = {column.name for column in read.find_all(exp.Column)}
        assert used and used <= set(re.findall(r"^\s+(\w+) ", ddl()[table], re.MULTILINE)), table


@pytest.mark.parametrize(
    "call", ["now()", "NOW(6)", "current_timestamp()", "utc_timestamp()", "localtimestamp()", "localtime()"]
)
def test_the_present_is_the_moment(call: str) -> None:
    assert admitted(f"SELECT {call} AS t") == "SELECT CAST('2026-11-18 06:30:00' AS DATETIME) AS t LIMIT 6"


def test_today_is_its_day_and_a_count_of_seconds_is_its_own() -> None:
    assert admitted("SELECT curdate() AS d") == "SELECT CAST('2026-11-18' AS DATE) AS d LIMIT 6"
    assert f"SELECT {int(THEN.timestamp())} AS s" in admitted("SELECT unix_timestamp() AS s")
    assert "unix_timestamp(" in admitted("SELECT unix_timestamp(snapshot_hour) AS s FROM " + SNAPSHOTS).lower()


def test_a_scope_of_accounts_holds_in_the_past_too() -> None:
    both = admitted(f"SELECT 1 FROM {SNAPSHOTS}", Scope(accounts=frozenset({"acme12345"}), until=THEN))
    assert "acme12345" in both and "<= '2026-11-18 06:30:00'" in both
    with pytest.raises(Refusal, match="closed in this channel"):
        admitted("SELECT 1 FROM alerts.patrol_reports", Scope(accounts=frozenset({"acme12345"}), until=THEN))


@pytest.mark.parametrize("sql", corpus.allowed())
def test_a_statement_about_the_past_is_itself_one_that_may_pass(sql: str) -> None:
    try:
        narrowed = GUARD.admit(sql, 500, PAST).sql
    except Refusal as error:
        assert error.rule == "scope"
        assert sql.upper().startswith(("EXPLAIN", "SHOW"))
        return
    assert GUARD.admit(narrowed, 500).sql == narrowed


def test_a_table_without_moments_has_no_condition() -> None:
    with pytest.raises(KeyError):
        condition("byoc.accounts", THEN)


def test_the_moment_goes_before_whatever_a_file_of_scopes_says() -> None:
    assert Scopes(until=THEN).of(Principal("patrol")) == Scope(until=THEN)
    assert Scopes().of(Principal("patrol")) == Scope()


async def test_of_the_simulated_fleet_nothing_is_seen_that_came_later(warehouse: Endpoint) -> None:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    newest = f"SELECT max(snapshot_hour) AS newest, count(*) AS c FROM {SNAPSHOTS}"
    async with Door(config) as present:
        ((end, count),) = (await present.read(newest)).rows
    then = datetime.fromisoformat(str(end)).replace(tzinfo=UTC) - timedelta(days=2)
    async with Door(config, scopes=Scopes(until=then)) as door:
        assert door.now() == then
        ((seen, fewer),) = (await door.read(newest)).rows
        assert datetime.fromisoformat(str(seen)).replace(tzinfo=UTC) == then
        assert 0 < int(str(fewer)) < int(str(count))
        for table, when in MOMENTS.items():
            ((late,),) = (await door.read(f"SELECT count(*) AS c FROM {table} WHERE {when} > '{end}'")).rows
            assert late == 0, table
        hours = f"SELECT count(*) AS c FROM {SNAPSHOTS} WHERE snapshot_hour > now() - INTERVAL 1 HOUR"
        ((last,),) = (await door.read(hours)).rows
        assert int(str(last)) > 0


@pytest.fixture
def config(warehouse: Endpoint) -> WarehouseConfig:
    user, password = warehouse.reader
    return WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))


@pytest.fixture
async def then(config: WarehouseConfig) -> datetime:
    """Two days before the newest hour of the simulated fleet."""
    async with Door(config) as door:
        ((end,),) = (await door.read(f"SELECT max(snapshot_hour) AS at FROM {SNAPSHOTS}")).rows
    return datetime.fromisoformat(str(end)).replace(tzinfo=UTC) - timedelta(days=2)


WHOLE_DAYS = (
    ("byoc.bill_detail", "bill_day", 1),
    ("byoc.ccu_weekly", "week_start", 7),
    ("metrics.v_customer_daily_360_v2", "report_day", 1),
    ("alerts.alert_recommendations", "report_date", 1),
)
"""Table, column and how many days a row of it tells of."""


@pytest.mark.parametrize(("table", "column", "days"), WHOLE_DAYS)
async def test_what_tells_of_a_whole_day_is_not_there_before_the_day_is_over(
    config: WarehouseConfig, then: datetime, table: str, column: str, days: int
) -> None:
    asked = f"SELECT max({column}) AS newest FROM {table}"
    async with Door(config) as present, Door(config, scopes=Scopes(until=then)) as past:
        ((now,),) = (await present.read(asked)).rows
        ((seen,),) = (await past.read(asked)).rows
    newest, known = (datetime.fromisoformat(str(at)).replace(tzinfo=UTC) for at in (now, seen))
    assert newest + timedelta(days=days) > then
    assert known + timedelta(days=days) <= then


async def test_a_cluster_that_was_made_later_is_not_there(config: WarehouseConfig) -> None:
    asked = "SELECT biz_id, created_at FROM byoc.clusters ORDER BY created_at DESC LIMIT 1"
    async with Door(config) as present:
        ((youngest, made),) = (await present.read(asked)).rows
    moment = datetime.fromisoformat(str(made)).replace(tzinfo=UTC)
    for until, there in ((moment, 1), (moment - timedelta(seconds=1), 0)):
        async with Door(config, scopes=Scopes(until=until)) as past:
            counted = f"SELECT count(*) AS c FROM byoc.clusters WHERE biz_id = '{youngest}'"
            assert (await past.read(counted)).rows == [[there]]


SHAPES = (
    "SELECT count(*) AS c FROM {s}",
    "SELECT count(*) AS c FROM {s} AS a JOIN byoc.clusters AS b ON a.cluster_id = b.biz_id",
    "SELECT count(*) AS c FROM byoc.clusters AS b LEFT JOIN {s} AS a ON a.cluster_id = b.biz_id",
    "WITH recent AS (SELECT cluster_id, snapshot_hour FROM {s}) SELECT count(*) AS c FROM recent",
    "SELECT count(*) AS c FROM (SELECT 1 AS x FROM {s} UNION ALL SELECT 2 FROM {s}) AS t",
    "SELECT count(*) AS c FROM byoc.clusters WHERE biz_id IN (SELECT cluster_id FROM {s} WHERE up_to)",
    "SELECT max(snapshot_hour) AS c FROM {s} WHERE EXISTS (SELECT 1 FROM {s} AS inner_one WHERE up_to)",
)
"""Statements with the table in every place where a table may stand."""


@pytest.mark.parametrize("shape", SHAPES)
async def test_wherever_the_table_stands_its_later_rows_are_not_there(
    config: WarehouseConfig, then: datetime, shape: str
) -> None:
    # what whoever knows of the moment would have to write by hand, everywhere
    by_hand = f"(SELECT * FROM {SNAPSHOTS} WHERE snapshot_hour <= '{then:%Y-%m-%d %H:%M:%S}')"
    plain = shape.replace("up_to", "avg_value > 0")
    named = plain.replace("{s} AS", f"{SNAPSHOTS} AS").replace("{s}", SNAPSHOTS)
    hand = plain.replace("{s} AS", f"{by_hand} AS").replace("{s}", f"{by_hand} AS amv_hourly_snapshots_v1")
    async with Door(config) as present, Door(config, scopes=Scopes(until=then)) as past:
        expected = (await present.read(hand)).rows
        assert (await past.read(named)).rows == expected
        if "IN (" not in shape:
            # clusters that sent two days ago send now as well, so only there the present says the same
            assert (await present.read(named)).rows != expected


@pytest.mark.parametrize("asked", ["EXPLAIN SELECT 1 FROM {s}", "SHOW TABLE STATUS FROM metrics"])
async def test_what_tells_of_whole_tables_is_closed_in_the_past(
    config: WarehouseConfig, then: datetime, asked: str
) -> None:
    async with Door(config, scopes=Scopes(until=then)) as past:
        with pytest.raises(Refusal):
            await past.read(asked.replace("{s}", SNAPSHOTS))
