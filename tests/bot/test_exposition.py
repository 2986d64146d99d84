"""What Prometheus is told: read back by its own parser, out of the places where it is counted."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from agent.errors import ModelUnavailable
from agent.model import Reply, Request, Usage
from bot.errors import SettingsError
from bot.exposition import Exposition, exposed
from bot.meters import Metered, Meters
from bot.pace import HELD, Budget, Pace
from bot.prices import load_prices
from bot.settings import METRICS, Settings, load
from bot.store import Cause, Payer, Store, StoreUnreadable, open_store
from bot.store import Usage as Used
from bot.store.outbox import Outbox, Waiting
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.deps import Deps
from handlers.flight import Flights
from handlers.surface import PatrolRequest, Question
from handlers.turn import Turn
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import Refusal
from sandbox.launch import Endpoint
from tests.agent.doubles import ScriptedModel, say
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import Agents, Patrols, Reports, Surface, report
from tests.handlers.reports import patrolled

SONNET = "claude-sonnet-5-5"
ASKED = Question("k1", "slack:T:C:1.1", "U1", "how is <@U2>'s prod-secret-01?", "1.1")

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: bytes) -> Series:
    """Each series by name and labels."""
    return {
        (sample.name.removeprefix("starwatch_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(seen: Series, name: str, **labels: str) -> float | None:
    return seen.get((name, frozenset(labels.items())))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(own_database: str, clock: Clock) -> AsyncIterator[Store]:
    async with open_store(own_database, clock) as opened:
        yield opened


@pytest.fixture
def door(warehouse: Endpoint) -> Door:
    user, password = warehouse.reader
    return Door(WarehouseConfig(host=warehouse.host, port=warehouse.port, user=user, password=SecretStr(password)))


@pytest.fixture
def exposition(store: Store, clock: Clock, door: Door) -> Exposition:
    def load() -> Mapping[str, int]:
        return {"running": 3, "waiting": 7}

    return Exposition(Meters(), door, load, store, Outbox(store.database, clock), clock)


async def test_how_things_stand_is_read_from_our_own_database(
    exposition: Exposition, store: Store, clock: Clock
) -> None:
    empty = read(await exposition.text())
    assert (value(empty, "turns_running"), value(empty, "events_waiting")) == (3, 7)
    assert (value(empty, "outbox_posts"), value(empty, "day_dollars")) == (0, 0)
    assert value(empty, "report_age_seconds") is None
    await exposition.outbox.put("slack:T:C", "t", "p", {}, "away")
    await store.findings.record(patrolled("R-1"))
    await store.usage.charge("k", [Payer("workspace", "slack:T"), Payer("user", "slack:T:U")], Used(0, 50, 2_500_000))
    clock.forward(minutes=5)
    seen = read(await exposition.text())
    assert (value(seen, "outbox_posts"), value(seen, "outbox_oldest_seconds")) == (1, 300)
    assert value(seen, "report_age_seconds") == 300
    assert (value(seen, "day_dollars"), value(seen, "day_tokens")) == (2.5, 50)


async def test_what_cannot_be_read_is_left_out_and_said(exposition: Exposition, store: Store, clock: Clock) -> None:
    class Closed(Outbox):
        async def waiting(self) -> Waiting:
            raise StoreUnreadable(Cause.UNREACHABLE)

    closed = Exposition(
        exposition.meters, exposition.door, exposition.load, store, Closed(store.database, clock), clock
    )
    seen = read(await closed.text())
    assert (value(seen, "unread_outbox"), value(seen, "unread_reports")) == (1, 0)
    assert value(seen, "outbox_posts") is None
    assert value(seen, "day_tokens") == 0


async def test_what_the_door_counts_is_told_as_it_is(exposition: Exposition, door: Door) -> None:
    async with door:
        await door.read("SELECT count(*) AS c FROM byoc.clusters")
        with pytest.raises(Refusal):
            await door.read("DROP TABLE byoc.clusters")
        seen = read(await exposition.text())
    assert value(seen, "door_calls_total", verdict="ok") == 1
    assert sum(amount for (name, _), amount in seen.items() if name == "door_refusals_total") == 1
    assert value(seen, "door_statement_seconds_bucket", le="+Inf") == value(seen, "door_statement_seconds_count") == 2
    assert value(seen, "door_connections_opened_total") == 1
    assert value(seen, "door_warehouse_lost") == 0


async def test_turns_are_counted_by_what_they_were_about_and_how_they_ended(exposition: Exposition) -> None:
    agents = Agents()
    work = Handling(Deps(Surface(), agents, Patrols(), Reports(), Flights(), lambda: "ref"), meters=exposition.meters)
    turns = LocalTurns(work)
    await turns.submit(ASKED)
    await turns.idle()
    agents.fault = RuntimeError("broken")
    await work.handle(Question("k2", "slack:T:C:2.1", "U1", "and now?", "2.1"), Turn())
    await work.handle(PatrolRequest("k3", "slack:T:C", "U1", "morning"), Turn())
    agents.hold.clear()
    held = asyncio.create_task(work.handle(Question("k4", "slack:T:C:4.1", "U1", "long?", "4.1"), Turn()))
    while "long?" not in str(agents.threads):
        await asyncio.sleep(0)
    held.cancel()
    await asyncio.wait({held})
    await work.stopped(ASKED, Turn())
    await work.given_up(ASKED, Turn())
    text = await exposition.text()
    seen = read(text)
    ends = {end: value(seen, "turns_total", about="question", end=end) for end in ("done", "failed", "cut")}
    assert ends == {"done": 1, "failed": 1, "cut": 1}
    assert value(seen, "turns_total", about="question", end="stopped") == 1
    assert value(seen, "turns_total", about="question", end="given_up") == 1
    assert value(seen, "turns_total", about="patrol", end="done") == 1
    assert value(seen, "turn_seconds_count", about="question") == 3
    # of nobody's names and words anything is told
    assert not any(word in text.decode() for word in ("prod-secret", "U1", "slack:T", "k1"))


class Wasteful:
    """A model that takes tokens for a broken try and then answers, or fails."""

    name, analyst = SONNET, "claude"

    def __init__(self, *script: Reply | ModelUnavailable) -> None:
        self.inner = ScriptedModel(*script, name=SONNET)

    async def reply(self, request: Request, on_text: object = None) -> Reply:
        assert request.on_wasted is not None
        request.on_wasted(SONNET, Usage(input_tokens=1_000))
        return await self.inner.reply(request)


async def test_model_calls_are_counted_with_what_broken_tries_took(exposition: Exposition) -> None:
    heard: list[tuple[str, Usage]] = []
    model = Metered(Wasteful(say("yes"), ModelUnavailable("gone")), exposition.meters, load_prices())  # type: ignore[arg-type]
    request = Request(
        "s", [{"role": "user", "content": [{"type": "text", "text": "q"}]}], on_wasted=lambda *one: heard.append(one)
    )
    assert (await model.reply(request)).text == "yes"
    with pytest.raises(ModelUnavailable):
        await model.reply(request)
    seen = read(await exposition.text())
    assert (model.name, model.analyst) == (SONNET, "claude")
    assert heard == [(SONNET, Usage(input_tokens=1_000))] * 2
    assert value(seen, "model_calls_total", model=SONNET, outcome="ok") == 1
    assert value(seen, "model_calls_total", model=SONNET, outcome="ModelUnavailable") == 1
    assert value(seen, "model_seconds_count", model=SONNET) == 2
    assert value(seen, "model_tokens_total", model=SONNET, kind="input") == 2_010
    assert value(seen, "model_tokens_total", model=SONNET, kind="output") == 1
    assert value(seen, "model_dollars_total", model=SONNET) == pytest.approx((2_010 * 2 + 10) / 1e6, abs=3e-6)


async def test_patrols_figures_slots_and_posts_begin_at_zero_and_count(exposition: Exposition) -> None:
    meters = exposition.meters
    before = read(await exposition.text())
    assert value(before, "slots_total", end="overdue") == value(before, "posts_total", end="kept") == 0
    meters.patrolled(report(figures=10, unbound=3))
    meters.stated("answer", 5, 2)
    seen = read(await exposition.text())
    assert value(seen, "patrols_total", type="morning", analyst="claude") == 1
    assert value(seen, "patrol_seconds_sum", type="morning") == 12.4
    assert value(seen, "figures_total", where="report", bound="yes") == 7
    assert value(seen, "figures_total", where="report", bound="no") == 3
    assert value(seen, "figures_total", where="answer", bound="no") == 2


async def test_a_platform_that_asks_to_wait_is_counted_by_method(exposition: Exposition) -> None:
    before = HELD["chat.postMessage"]
    Pace({}, Budget(60)).hold("chat.postMessage", "C", 3.0)
    seen = read(await exposition.text())
    assert value(seen, "platform_waits_total", method="chat.postMessage") == before + 1


async def test_the_page_is_served_on_loopback_and_nothing_else_is(exposition: Exposition) -> None:
    async with exposed(Settings(metrics="0"), exposition.text) as place:
        assert place.startswith("http://127.0.0.1:")
        async with httpx2.AsyncClient() as client:
            page = await client.get(place)
            other = await client.get(place.replace("/metrics", "/"))
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/plain; version=")
    assert value(read(page.content), "turns_running") == 3
    assert other.status_code == 404


async def test_a_taken_port_stops_only_who_named_it(exposition: Exposition) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        named = Settings(metrics=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SettingsError, match="STARWATCH_METRICS: cannot listen on"):
            async with exposed(named, exposition.text):
                pass


async def test_a_port_that_nobody_named_costs_the_metrics_and_not_the_start(exposition: Exposition) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, structlog.testing.capture_logs() as lines:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        async with exposed(Settings(metrics=place), exposition.text, unasked=place) as served:
            assert served == ""
    assert [line["log_level"] for line in lines] == ["warning"]
    assert Settings().metrics == METRICS


async def test_it_can_be_turned_off(exposition: Exposition) -> None:
    async with exposed(Settings(metrics="off"), exposition.text) as place:
        assert place == ""


@pytest.mark.parametrize(
    ("said", "meant"),
    [("9999", "127.0.0.1:9999"), ("0.0.0.0:80", "0.0.0.0:80"), ("[::1]:9464", "[::1]:9464"), ("off", "")],
)
def test_where_it_is_served_is_said_by_port_or_by_host_and_port(tmp_path: Path, said: str, meant: str) -> None:
    assert load({"STARWATCH_METRICS": said}, tmp_path).metrics == meant


@pytest.mark.parametrize("said", ["here", "host:", "host:99999", "127.0.0.1:-1"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(SettingsError, match="STARWATCH_METRICS"):
        load({"STARWATCH_METRICS": said}, tmp_path)
