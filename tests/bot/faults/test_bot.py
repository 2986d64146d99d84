"""The whole bot while the world around it fails: what stands in the thread, and what model and warehouse are told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiomysql
import pytest
from sqlalchemy import Connection, event, text

from bot.clock import utc_now
from bot.settings import Settings
from bot.store import StoreUnwritable, open_store
from bot.store.database import Database
from sandbox.launch import Endpoint
from tests.bot.faults.conftest import two_rounds
from tests.bot.test_service import MINUTE, Line, at_work
from tests.fakes.messages_server import MessagesServer, Say, ToolUse
from tests.fakes.mysql_proxy import MysqlProxy, Weather, proxy
from tests.fakes.slack import BOT, FakeSlack, Post
from tests.fakes.slack.payloads import mention, message

ENDLESS = (
    "SELECT count(*) AS pairs FROM metrics.amv_hourly_snapshots_v1 AS a "
    "JOIN metrics.amv_hourly_snapshots_v1 AS b ON a.metric_name = b.metric_name "
    "JOIN metrics.amv_hourly_snapshots_v1 AS c ON a.metric_name = c.metric_name WHERE a.avg_value > b.avg_value"
)


@pytest.fixture
async def way(warehouse: Endpoint) -> AsyncIterator[MysqlProxy]:
    async with proxy(warehouse) as opened:
        yield opened


@pytest.fixture
def exposed(settings: Settings, way: MysqlProxy) -> Settings:
    """The warehouse is reached by a way that can be made bad."""
    return settings.model_copy(update={"starrocks_port": way.port})


def results(model: MessagesServer) -> list[str]:
    """What tools told the model, in the order in which it read it."""
    last = model.requests[-1]["messages"]
    blocks = [block for told in last if isinstance(told["content"], list) for block in told["content"]]
    return [str(block["content"]) for block in blocks if block["type"] == "tool_result"]


def asking(sql: str) -> Any:
    """The model asks this of the warehouse first."""

    def decide(body: dict[str, Any]) -> Say:
        said = two_rounds(body)
        calls = any(isinstance(block, ToolUse) for block in said.blocks)
        return Say((ToolUse("read_query", {"sql": sql}),)) if calls else said

    return decide


async def asked(line: Line, slack: FakeSlack, number: int) -> Post:
    """A question that is taken in."""
    post = slack.said(f"<@{BOT}> question {number}: how many clusters are there?")
    assert await line.event(mention(post)) == 200
    return post


async def answered(slack: FakeSlack, post: Post, text: str) -> None:
    """Wait for an answer; it stands alone in the thread and says so."""
    await slack.until(lambda: bool(slack.answers(post.ts)), MINUTE)
    (only,) = slack.answers(post.ts)
    assert text in f"{only.text}\n{only.words}"


async def thinking(model: MessagesServer) -> None:
    """Wait until the model thinks."""
    async with asyncio.timeout(MINUTE):
        while not model.thinking:
            await asyncio.sleep(0.01)


async def stop(line: Line, slack: FakeSlack, post: Post) -> None:
    """Somebody says stop in the thread."""
    assert await line.event(message(slack.said("stop", thread_ts=post.ts), "Ev99")) == 200


async def idle(warehouse: Endpoint) -> None:
    """Wait until nothing runs in the warehouse, as it tells itself."""
    user, password = warehouse.reader
    connection = await aiomysql.connect(host=warehouse.host, port=warehouse.port, user=user, password=password)
    try:
        async with asyncio.timeout(MINUTE), connection.cursor() as cursor:
            while True:
                await cursor.execute("SHOW FULL PROCESSLIST")
                if not [row for row in await cursor.fetchall() if row[4] == "Query" and "amv_hourly" in str(row[8])]:
                    return
    finally:
        connection.close()


async def test_a_stop_while_the_model_thinks_closes_its_stream_and_tells_what_was_done(
    settings: Settings, slack: FakeSlack, model: MessagesServer
) -> None:
    async with at_work(settings) as (line, _):
        model.hold(lambda body: len(body["messages"]) > 1)
        post = await asked(line, slack, 1)
        await thinking(model)
        await stop(line, slack, post)
        await answered(slack, post, "Stopped.")
        assert "Querying the warehouse" in slack.thread(post.ts)[0].words
        async with asyncio.timeout(MINUTE):
            while not model.left:
                await asyncio.sleep(0.01)
        model.go_on()
        again = await asked(line, slack, 2)
        await answered(slack, again, "Answer 2.")
    assert len(slack.answers(post.ts)) == 1


async def test_a_stop_while_a_query_runs_kills_it(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy, warehouse: Endpoint
) -> None:
    model.decide = asking(ENDLESS)
    async with at_work(exposed) as (line, _):
        post = await asked(line, slack, 1)
        async with asyncio.timeout(MINUTE):
            while ENDLESS.split("JOIN")[0].split()[-3].encode() not in way.sent or b"c.metric_name" not in way.sent:
                await asyncio.sleep(0.01)
        await stop(line, slack, post)
        await answered(slack, post, "Stopped.")
        await idle(warehouse)
    assert len(way.killed()) == 1
    assert len(model.requests) == 1


async def test_a_query_out_of_time_is_killed_and_the_model_is_told_so_and_how_to_ask_for_less(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy, warehouse: Endpoint
) -> None:
    model.decide = asking(ENDLESS)
    async with at_work(exposed.model_copy(update={"query_seconds": 1.0})) as (line, _):
        post = await asked(line, slack, 1)
        await answered(slack, post, "Answer 1.")
        await idle(warehouse)
    (told,) = results(model)
    assert told.startswith("TIMEOUT: ")
    assert "read fewer hours or clusters" in told


async def test_a_result_that_stalls_is_given_up_in_time_and_its_query_killed(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy, warehouse: Endpoint
) -> None:
    model.decide = asking("SELECT metric_name, avg_value FROM metrics.amv_hourly_snapshots_v1")
    async with at_work(exposed.model_copy(update={"query_seconds": 1.0})) as (line, _):
        model.hold()
        post = await asked(line, slack, 1)
        await thinking(model)
        assert way.fall_silent() > 0  # connections that are open already; those for the kill are new
        model.go_on()
        await answered(slack, post, "Answer 1.")
        await idle(warehouse)
    assert results(model)[0].startswith("TIMEOUT: ")
    assert way.killed()


@pytest.mark.parametrize("ends", ["cut", "reset"])
async def test_a_connection_that_the_warehouse_ended_costs_one_more_try_and_nobody_notices(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy, ends: str
) -> None:
    async with at_work(exposed) as (line, _):
        model.hold()
        post = await asked(line, slack, 1)
        await thinking(model)
        assert (way.cut if ends == "cut" else way.reset)() > 0
        model.go_on()
        await answered(slack, post, "Answer 1.")
    assert "-- 1 row" in results(model)[0]


async def test_a_result_cut_off_each_time_is_tried_once_more_and_never_taken_for_whole(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy
) -> None:
    model.decide = asking("SELECT cluster_id, metric_name, avg_value FROM metrics.amv_hourly_snapshots_v1 LIMIT 400")
    async with at_work(exposed) as (line, _):
        model.hold()
        post = await asked(line, slack, 1)
        await thinking(model)
        way.cut()
        way.weather = Weather(ends_after=6_000, resets=True)
        before = way.accepted
        model.go_on()
        await answered(slack, post, "Answer 1.")
    # once more and not for ever, and never half of the rows as if they were all
    assert results(model)[0].startswith("UNAVAILABLE: ")
    assert way.accepted - before <= 4


async def test_a_warehouse_that_comes_back_is_used_again_without_a_restart(
    exposed: Settings, slack: FakeSlack, model: MessagesServer, way: MysqlProxy
) -> None:
    async with at_work(exposed) as (line, _):
        way.connected = False
        way.cut()
        before = way.accepted
        post = await asked(line, slack, 1)
        await answered(slack, post, "Answer 1.")
        assert results(model)[0].startswith("UNAVAILABLE: ")
        assert way.accepted - before <= 3
        way.connected = True
        again = await asked(line, slack, 2)
        await answered(slack, again, "Answer 2.")
    assert "-- 1 row" in results(model)[0]


async def full(database: Database) -> None:
    """Let the file of our own database grow no further, and fill what room is left in it."""

    def limit(connection: Connection) -> int:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        return int(connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one())

    pages = await database.write(limit)

    def limited(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(database.engine.sync_engine.pool, "checkout", limited)
    for number in range(1_000):
        row = {"key": f"filler{number}", "lane": "filler", "place": "0", "event": "{}", "state": "done", "attempts": 0}
        row |= {"received_at": "2026-11-20 00:00:00.000000", "changed_at": "2026-11-20 00:00:00.000000"}
        names = ", ".join(row)
        statement = text(f"INSERT INTO inbox ({names}) VALUES ({', '.join(f':{name}' for name in row)})")
        try:
            await database.write(lambda connection, statement=statement, row=row: connection.execute(statement, row))  # type: ignore[misc]
        except StoreUnwritable:
            return
    raise AssertionError("never full")


async def test_with_its_own_disk_full_new_questions_are_refused_in_the_thread_and_running_ones_are_answered(
    settings: Settings, slack: FakeSlack, model: MessagesServer
) -> None:
    async with at_work(settings) as (line, starwatch):
        model.hold()
        running = await asked(line, slack, 1)
        await thinking(model)
        await full(starwatch.store.database)
        late = slack.said(f"<@{BOT}> question 2: how many clusters are there?")
        assert await line.event(mention(late)) == 200
        await answered(slack, late, "my own database has no room left")
        model.go_on()
        await answered(slack, running, "Answer 1.")
    async with at_work(settings) as (line, _):
        again = await asked(line, slack, 3)
        await answered(slack, again, "Answer 3.")
    assert [len(slack.answers(post.ts)) for post in (running, late, again)] == [1, 1, 1]


async def test_with_its_own_database_read_only_the_thread_is_told_and_nothing_is_begun(
    settings: Settings, slack: FakeSlack, model: MessagesServer
) -> None:
    async with at_work(settings) as (line, starwatch):
        await starwatch.store.database.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))
        late = slack.said(f"<@{BOT}> question 2: how many clusters are there?")
        assert await line.event(mention(late)) == 200
        await answered(slack, late, "my own database may not be written to")
    assert model.requests == []
    async with open_store(str(settings.database_url), utc_now) as store:
        assert await store.load(f"slack:T0TEAM:C0OPS:{late.ts}") == []
