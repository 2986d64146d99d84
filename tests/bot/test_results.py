"""Rows behind an answer, read again through the real door for whoever asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from bot.caller import caller_in, told
from bot.results import WarehouseResults
from handlers.kept import ResultGone, ResultUnread, Statement
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.principal import EVERYTHING, Principal, Scope
from mcp_server.server import build_server
from mcp_server.shelf import MAX_SECONDS
from sandbox.launch import Endpoint

THREAD = "slack:T1:C1:1.0"
HOURS = "SELECT snapshot_hour, metric_name FROM metrics.amv_hourly_snapshots_v1 ORDER BY snapshot_hour, metric_name"


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def opened(warehouse: Endpoint, clock: Clock) -> AsyncIterator[McpTools]:
    user, password = warehouse.reader
    config = WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password))
    async with (
        Door(config, clock=clock) as door,
        McpConnection(lambda: build_server(door), name="warehouse") as connection,
    ):
        yield McpTools(connection)


def everything(principal: Principal) -> Scope:
    return EVERYTHING


async def asked(tools: McpTools, sql: str, *, tool: str = "read_query", user: str = "U1", **more: object) -> Statement:
    """The statement of an answer to `user`."""
    own = tools.called_by(told(caller_in(THREAD, user)))
    result = await own.call(tool, {"sql": sql, **more})
    assert result.data is not None and not result.is_error, result.text
    data = result.data
    return Statement(
        data["query_id"],
        tool,
        data["sql"],
        tuple(data["tables"]),
        data["row_count"],
        data["truncated"],
        data["seconds"],
        data["result_id"] or "",
    )


async def test_the_rows_of_an_answer_come_back_as_they_were_stored(warehouse: Endpoint) -> None:
    async with opened(warehouse, Clock()) as tools:
        statement = await asked(tools, "SELECT utc_timestamp() AS t, biz_id FROM byoc.clusters", max_rows=500)
        results = WarehouseResults(tools, everything)
        first, second = [await results.rows(THREAD, "U1", statement) for _ in range(2)]
    assert (first.source, first.columns, first.cut) == ("stored", ("t", "biz_id"), False)
    assert len(first.rows) == statement.rows
    assert first.rows == second.rows, "the time of the reading would have moved"


async def test_rows_that_are_no_longer_kept_are_read_again_and_said_to_be(warehouse: Endpoint) -> None:
    clock = Clock()
    async with opened(warehouse, clock) as tools:
        statement = await asked(tools, "SELECT biz_id FROM byoc.clusters")
        clock.seconds += MAX_SECONDS + 1
        rows = await WarehouseResults(tools, everything).rows(THREAD, "U1", statement)
    assert rows.source == "again" and len(rows.rows) == statement.rows


async def test_what_is_kept_for_one_person_is_read_again_for_another(warehouse: Endpoint) -> None:
    async with opened(warehouse, Clock()) as tools:
        statement = await asked(tools, "SELECT biz_id FROM byoc.clusters", user="U1")
        assert (await WarehouseResults(tools, everything).rows(THREAD, "U2", statement)).source == "again"


async def test_a_result_that_was_cut_is_read_whole(warehouse: Endpoint) -> None:
    async with opened(warehouse, Clock()) as tools:
        statement = await asked(tools, HOURS, max_rows=10)
        assert statement.truncated and statement.rows == 10
        rows = await WarehouseResults(tools, everything).rows(THREAD, "U1", statement)
    assert rows.source == "whole" and rows.cut and len(rows.rows) == 20_000


async def test_a_limit_of_the_question_stays(warehouse: Endpoint) -> None:
    async with opened(warehouse, Clock()) as tools:
        statement = await asked(tools, f"{HOURS} LIMIT 7")
        rows = await WarehouseResults(tools, everything).rows(THREAD, "U2", statement)
    assert len(rows.rows) == 7 and not rows.cut


async def test_a_result_made_of_another_cannot_be_read_again(warehouse: Endpoint) -> None:
    clock = Clock()
    async with opened(warehouse, clock) as tools:
        first = await asked(tools, "SELECT biz_id FROM byoc.clusters")
        second = await asked(tools, "SELECT count(*) AS n FROM result", tool="query_result", result_id=first.result_id)
        results = WarehouseResults(tools, everything)
        assert (await results.rows(THREAD, "U1", second)).rows == [[first.rows]]
        clock.seconds += MAX_SECONDS + 1
        with pytest.raises(ResultGone):
            await results.rows(THREAD, "U1", second)


async def test_a_failure_is_told_without_the_words_of_a_server(warehouse: Endpoint) -> None:
    async with opened(warehouse, Clock()) as tools:
        gone = Statement("q-1", "read_query", "SELECT secret FROM byoc.nothing", ("byoc.nothing",), 1, False, 0.1, "")
        with pytest.raises(ResultUnread, match=r"^the statement failed$"):
            await WarehouseResults(tools, everything).rows(THREAD, "U1", gone)


ONE, BOTH = frozenset({"acct-1"}), frozenset({"acct-1", "acct-2"})


@pytest.mark.parametrize(
    ("reader", "asker", "may"),
    [
        (EVERYTHING, EVERYTHING, True),
        (EVERYTHING, Scope(accounts=ONE), True),
        (Scope(accounts=BOTH), Scope(accounts=ONE), True),
        (Scope(accounts=ONE), Scope(accounts=BOTH), False),
        (Scope(accounts=ONE), EVERYTHING, False),
        (Scope(tables=frozenset()), EVERYTHING, False),
        (Scope(databases=frozenset({"byoc"})), Scope(databases=frozenset({"byoc", "alerts"})), False),
    ],
)
def test_only_who_may_see_all_that_the_asker_saw_may_look_behind_an_answer(
    reader: Scope, asker: Scope, may: bool
) -> None:
    def scope_of(principal: Principal) -> Scope:
        assert (principal.surface, principal.channel) == ("slack", "C1")
        return {"reader": reader, "asker": asker}[principal.user]

    results = WarehouseResults(McpTools.__new__(McpTools), scope_of)
    assert results.may_read(THREAD, "reader", "asker") is may
