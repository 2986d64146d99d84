"""The sentinel of the whole bot: what it posts, remembers, investigates; over restarts, mutes and decisions."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import FlaggedCluster, FlaggedFinding, Severity
from agent.patrol.sentinel import Watched
from bot.compose import opened
from bot.desk import desk_of, rota_of
from bot.meters import Meters
from bot.patrols import SENTINEL, ByClock, schedules
from bot.sentinel import Sentinel, sentinel_of
from bot.settings import Settings
from bot.store import Store, open_store
from bot.store.sentinel import Memory, SentinelMemory
from bot.store.tables import SentinelRow
from handlers.deps import Deps
from handlers.document import Actions, Document
from handlers.findings import Decision, key_of
from handlers.flight import Flights
from handlers.locale import english
from handlers.surface import Event, Investigate
from handlers.timetable import FOREVER, Timetable
from sandbox.launch import Endpoint
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import Agents, Patrols, Surface
from tests.handlers.reports import patrolled

OPS, DBA = "slack:T:C", "lark:A:oc_1"
MOMENT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def cluster(name: str, severity: Severity | None, dimension: str = "disk_used_pct") -> ClusterEvidence:
    bad = Finding(name, dimension, severity, 95.0, "%", "disk <!here> at 95%", 60.0) if severity else None
    return ClusterEvidence(
        Identity(name, f"name-{name}", customer="Acme", tier="B"), score=50.0, findings=(bad,) if bad else ()
    )


class Post:
    """A sentinel with two channels and a fleet that a test sets."""

    def __init__(self, store: Store, clock: Clock, budget: int = 2) -> None:
        self.store, self.clock, self.surface, self.admitted = store, clock, Surface(), list[Event]()
        self.fleet: list[ClusterEvidence] = [cluster("a", None), cluster("b", None)]
        self.blind = False
        self.rota = rota_of(store, Timetable(OPS, "08:00"), sentinel=True)
        desk = desk_of(store, self.rota, clock)
        self.patrols = Patrols()
        self.deps = Deps(self.surface, Agents(), self.patrols, store, Flights(), lambda: "ref", desk=desk)
        self.budget, self.meters = budget, Meters()

    def counted(self, name: str, **labels: str) -> float | None:
        """A figure of the metrics; None for one that never was."""
        return self.meters.registry.get_sample_value(f"starwatch_sentinel_{name}_total", labels)

    async def admit(self, event: Event) -> bool:
        self.admitted.append(event)
        return True

    async def look(self, now: datetime) -> Evidence:
        if self.blind:
            raise WarehouseUnreadable("2003: 10.0.0.7")
        return Evidence(now, now, clusters=tuple(self.fleet))

    async def sees(self, *fleet: ClusterEvidence) -> list[Document]:
        """What is posted on the next look, by a sentinel that has just been started."""
        self.fleet = list(fleet) or self.fleet
        before = len(self.surface.posts)
        memory = SentinelMemory(self.store.database, self.clock)
        sentinel = Sentinel(
            self.look, memory, self.rota, self.deps, self.admit, self.clock, self.budget, meters=self.meters
        )
        await sentinel(self.clock.moment)
        self.clock.moment += QUARTER
        return [document for _, document in self.surface.posts[before:]]


@pytest.fixture
async def post(own_database: str) -> AsyncIterator[Post]:
    clock = Clock()
    clock.moment = MOMENT
    async with open_store(own_database, clock) as store:
        yield Post(store, clock)


BAD_A, BAD_B = cluster("a", "Critical"), cluster("b", "Critical", "cpu_util_pct")


async def test_a_new_critical_becomes_one_card_and_one_investigation(post: Post) -> None:
    assert await post.sees() == []
    (document,) = await post.sees(BAD_A, cluster("b", None))
    assert document.fallback == "Sentinel at 2026-11-20 08:15 UTC: one cluster turned bad: name-a"
    assert post.admitted == [Investigate("clock:sentinel:2026-11-20T08:15:a", OPS, "clock", "a", "sentinel")]
    for _ in range(8):
        assert await post.sees() == []
    assert len(post.admitted) == 1
    assert post.surface.marks[0] is not None and post.surface.marks[0].repeated


async def test_the_budget_of_a_day_holds_over_restarts_and_is_new_tomorrow(post: Post) -> None:
    await post.sees(*(cluster(name, None) for name in "abcd"))
    (document,) = await post.sees(*(cluster(name, "Critical") for name in "abcd"))
    assert [one.cluster_id for one in post.admitted if isinstance(one, Investigate)] == ["a", "b"]
    assert "Not investigated by itself: 2" in str(document.parts[-1])
    await post.sees(*(cluster(name, "Critical", "cpu_util_pct") for name in "abcd"))
    assert len(post.admitted) == 2
    post.clock.moment += timedelta(days=1)
    await post.sees(*(cluster(name, "Critical", "fe_heap_used_pct") for name in "abcd"))
    assert len(post.admitted) == 4


async def test_a_blind_look_is_no_recovery_and_says_nothing(post: Post) -> None:
    await post.sees()
    await post.sees(BAD_A)
    post.blind = True
    for _ in range(10):
        assert await post.sees() == []
    post.blind = False
    assert await post.sees(BAD_A) == []


async def test_looks_and_what_was_told_are_counted_once_however_many_channels_hear_it(post: Post) -> None:
    await post.rota.put(Timetable(DBA, "10:00"))
    await post.sees()
    assert (post.counted("looks", outcome="seen"), post.counted("sightings", trigger="critical")) == (1, None)
    await post.sees(BAD_A, BAD_B)
    post.blind = True
    await post.sees()
    assert len(post.surface.posts) == 2
    assert (post.counted("looks", outcome="seen"), post.counted("looks", outcome="blind")) == (2, 1)
    assert post.counted("sightings", trigger="critical") == 2


async def test_only_channels_that_may_see_the_fleet_and_are_not_muted_are_told(post: Post) -> None:
    await post.rota.put(Timetable(OPS, "08:00", muted_until=FOREVER))
    await post.rota.put(Timetable(DBA, "10:00"))
    await post.rota.put(Timetable("slack:T:C2", "10:00"))
    post.patrols.partial = {"slack:T:C2"}
    await post.sees()
    await post.sees(BAD_A)
    assert [place for place, _ in post.surface.posts] == [DBA]


async def test_what_people_have_acknowledged_is_not_told(post: Post) -> None:
    finding = FlaggedFinding("disk_used_pct", "Critical", 95.0, "%", "disk at 95%")
    flag = FlaggedCluster("a", "name-a", "Critical", "disk", {}, findings=(finding,))
    await post.store.findings.record(patrolled("R-7", flag))
    await post.store.findings.decide([key_of("a", "disk_used_pct")], Decision("acknowledged"), "U1", "Anna")
    await post.sees()
    assert await post.sees(BAD_A, cluster("b", None)) == []
    (document,) = await post.sees(BAD_A, BAD_B)
    assert document.fallback.endswith("name-b")


async def test_a_cluster_of_the_last_report_can_be_acknowledged_on_the_card(post: Post) -> None:
    finding = FlaggedFinding("disk_used_pct", "Warning", 85.0, "%", "disk at 85%")
    flag = FlaggedCluster("a", "name-a", "Warning", "disk", {}, findings=(finding,))
    await post.store.findings.record(patrolled("R-7", flag))
    await post.sees()
    (document,) = await post.sees(BAD_A, BAD_B)
    rows = [part.buttons for part in document.parts if isinstance(part, Actions)]
    assert [len(row) for row in rows] == [2, 1]
    assert post.admitted[0] == Investigate("clock:sentinel:2026-11-20T08:15:a", OPS, "clock", "a", "R-7")


async def test_a_channel_that_takes_nothing_costs_no_budget(post: Post) -> None:
    await post.sees()
    post.surface.refuse = 1
    assert await post.sees(BAD_A) == []
    assert post.admitted == []


async def test_a_memory_that_cannot_be_read_is_learned_anew(post: Post) -> None:
    memory = SentinelMemory(post.store.database, post.clock)
    assert await memory.load() == Memory()
    known = Memory({"a": Watched("Critical", ((MOMENT.replace(tzinfo=None), 40.0),))}, "2026-11-20", 1)
    await memory.keep(known)
    assert await memory.load() == known
    await memory.keep(replace(known, opened=2))
    assert (await memory.load()).opened == 2
    async with post.store.database.writing() as session:
        row = await session.get_one(SentinelRow, "fleet")
        row.body = {"clusters": {"a": {"severity": "Sunny"}}}
    assert await memory.load() == Memory()


async def test_the_clock_calls_it_every_quarter_of_an_hour_where_there_is_a_channel(post: Post) -> None:
    told: list[datetime] = []

    async def sentinel(moment: datetime) -> None:
        told.append(moment)

    async def tidy() -> None:
        raise AssertionError("nobody asked for it")

    by_clock = ByClock(post.rota, post.admit, post.surface, tidy, post.clock, english, post.store.findings, sentinel)
    await by_clock(SENTINEL, MOMENT)
    assert told == [MOMENT]
    (ours,) = [one for one in await post.rota.schedules() if one.name == SENTINEL]
    assert (ours.every, ours.made_up) == (15, False)
    assert SENTINEL not in [one.name for one in schedules([], sentinel=True)]
    assert SENTINEL not in [one.name for one in schedules([Timetable(OPS, "08:00")])]


async def test_over_the_simulated_fleet_it_learns_first_and_then_tells_of_what_is_critical(
    warehouse: Endpoint, truth: dict[str, Any], tmp_path: Path, post: Post
) -> None:
    user, password = warehouse.reader
    settings = Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=user,
        starrocks_password=SecretStr(password),
        database_url=f"sqlite:///{tmp_path}/whole.db",
        audit_file=tmp_path / "audit.jsonl",
    )
    async with opened(settings, lambda text: None) as starwatch:
        sentinel = sentinel_of(settings, starwatch, post.deps, post.rota, post.admit)
        await sentinel(MOMENT)
        assert post.surface.posts == []
        memory = await sentinel.memory.load()
        assert memory.clusters is not None
        critical = {name for name, one in memory.clusters.items() if one.severity == "Critical"}
        assert critical and critical <= set(truth["must_flag"])
        await sentinel.memory.keep(replace(memory, clusters=dict.fromkeys(memory.clusters, Watched())))
        await sentinel(MOMENT)
    ((place, document),) = post.surface.posts
    assert place == OPS and "turned bad" in document.fallback
    assert {one.cluster_id for one in post.admitted if isinstance(one, Investigate)} <= critical
    assert len(post.admitted) == min(3, len(critical))
