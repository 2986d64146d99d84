"""The budget of the workspace in the whole bot: what the clock spends counts, and beyond it rules do its work for
nothing; the model is the strict stand-in, the warehouse the simulated fleet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.admission import Role, admission
from bot.clock import utc_now
from bot.compose import Starwatch, opened
from bot.desk import desk_of, rota_of
from bot.gate import BY_CLOCK, Gate
from bot.settings import Settings
from bot.store import Payer
from bot.turns import LocalTurns
from bot.work import Handling
from handlers.deps import Deps
from handlers.document import Document
from handlers.flight import Flights
from handlers.locale import ENGLISH
from handlers.surface import Event, Investigate, PatrolRequest, Question
from handlers.timetable import Timetable
from sandbox.launch import Endpoint
from tests.fakes.messages_server import MessagesServer, Say, Text, serving
from tests.fakes.thinking import Surface

OPS = "slack:T1:C0OPS"
WORKSPACE = Payer("workspace", "slack:T1")
SAVED = ENGLISH.say("thrift.rules")
REPORT = (
    "## FLEET_NARRATIVE\nAll of it was looked at.\n## FLAGGED_CLUSTERS\n[]\n## PREDICTIONS\nNone\n"
    "## CUSTOMER_SUMMARIES\nNone\n## RECOMMENDED_ACTIONS\nNone"
)


class Members:
    """Everybody is one."""

    async def of(self, user: str) -> Role:
        return Role.MEMBER


@pytest.fixture
async def model() -> AsyncIterator[MessagesServer]:
    async with serving(MessagesServer(decide=lambda body: Say((Text(REPORT),)))) as server:
        yield server


@pytest.fixture
def settings(warehouse: Endpoint, tmp_path: Path, model: MessagesServer) -> Settings:
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        database_url=f"sqlite:///{tmp_path}/own.db",
        audit_file=tmp_path / "audit.jsonl",
        anthropic_api_key=SecretStr(model.key),
        anthropic_base_url=model.url,
        workspace_tokens_per_day=100,
    )


class Bot:
    """The bot behind its gate, on a surface that keeps what is posted."""

    def __init__(self, settings: Settings, starwatch: Starwatch) -> None:
        self.starwatch, self.surface = starwatch, Surface()
        store = starwatch.store
        self.gate = Gate(lambda: self.turns, store, self.surface, Members(), admission(settings))
        deps = Deps(
            self.surface,
            starwatch.agents,
            starwatch.patrols,
            store,
            Flights(),
            lambda: "ref-1",
            answers=store.answers,
            results=starwatch.results,
            desk=desk_of(store, rota_of(store, Timetable(OPS, "08:00")), utc_now),
            investigations=starwatch.investigations,
        )
        self.turns = LocalTurns(Handling(deps, self.gate, starwatch.meters))

    async def posts(self, event: Event) -> list[Document]:
        """What is posted on an event."""
        before = len(self.surface.posts)
        assert await self.gate.admit(event)
        await self.turns.idle()
        return [document for _, document in self.surface.posts[before:]]

    def counted(self, name: str, **labels: str) -> float | None:
        return self.starwatch.meters.registry.get_sample_value(f"starwatch_{name}", labels)


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[Bot]:
    async with opened(settings, lambda text: None) as starwatch:
        yield Bot(settings, starwatch)


def slot(day: int) -> PatrolRequest:
    return PatrolRequest(f"clock:morning@{OPS}:2026-11-{day}T08:00", OPS, BY_CLOCK, "morning")


def words(documents: list[Document]) -> str:
    return repr(documents)


async def test_the_first_slot_spends_and_the_next_has_its_report_by_rules_for_nothing(
    settings: Settings, model: MessagesServer, truth: dict[str, Any]
) -> None:
    async with at_work(settings) as bot:
        first = words(await bot.posts(slot(20)))
        spent = (await bot.starwatch.store.usage.of([WORKSPACE]))[WORKSPACE]
        asked = len(model.requests)
        second = words(await bot.posts(slot(21)))
        after = (await bot.starwatch.store.usage.of([WORKSPACE]))[WORKSPACE]
    assert asked == 1 and "All of it was looked at." in first and SAVED not in first
    # one model call: what it took is the day's, and people are held to what is left
    assert (spent.turns, spent.tokens > 100) == (0, True)
    assert (len(model.requests), after) == (asked, spent)
    assert SAVED in second and "All of it was looked at." not in second
    assert all(cluster in second for cluster in truth["must_flag"])
    assert bot.counted("patrols_total", type="morning", analyst="claude") == 1
    assert bot.counted("patrols_total", type="morning", analyst="rules-only") == 1
    assert bot.counted("model_calls_total", model=settings.model, outcome="ok") == 1
    assert bot.counted("turns_total", about="patrol", end="done") == 2


async def test_beyond_the_budget_the_sentinel_still_gets_its_investigation_and_people_are_refused(
    settings: Settings, model: MessagesServer, truth: dict[str, Any]
) -> None:
    cluster = truth["must_flag"][0]
    async with at_work(settings) as bot:
        await bot.posts(slot(20))
        asked = len(model.requests)
        event = Investigate(f"clock:sentinel:2026-11-20T08:15:{cluster}", f"{OPS}:1.1", BY_CLOCK, cluster, "sentinel")
        found = words(await bot.posts(event))
        told = words(await bot.posts(Question("k1", f"{OPS}:2.1", "U1", "how is the fleet?", "2.1")))
    assert len(model.requests) == asked
    assert SAVED in found and "ref-1" not in found
    assert ENGLISH.say("refused.workspace") in told
    assert bot.counted("turns_total", about="investigation", end="done") == 1
    assert bot.counted("figures_total", where="investigation", bound="no") == 0


async def test_without_a_limit_every_slot_is_the_models(settings: Settings, model: MessagesServer) -> None:
    free = settings.model_copy(update={"workspace_tokens_per_day": 0, "workspace_dollars_per_day": 0.0})
    async with at_work(free) as bot:
        for day in (20, 21):
            assert SAVED not in words(await bot.posts(slot(day)))
    assert len(model.requests) == 2
    assert bot.counted("model_tokens_total", model=settings.model, kind="input") == 200
    assert (bot.counted("model_dollars_total", model=settings.model) or 0) > 0
