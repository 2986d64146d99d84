"""Findings and decisions in our own database: once, in order, over restarts and replicas."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from agent.patrol.earlier import Earlier
from bot.store import Store, open_store
from bot.store.finding_tables import FindingRow
from handlers.findings import Decision, Page, key_of
from tests.bot.store.conftest import MOMENT, Clock
from tests.handlers.reports import ID, finding, flagged, patrolled

KEY = key_of(ID.format(1), "disk_used_pct")
ACKNOWLEDGED = Decision("acknowledged")
KEPT = timedelta(days=30)


async def acts(store: Store) -> list[tuple[str, str, str]]:
    return [(one.act, one.name, one.note) for one in await store.findings.deeds(MOMENT - timedelta(days=1))]


async def test_the_same_report_again_changes_nothing_and_is_compared_as_before(url: str, clock: Clock) -> None:
    report = patrolled("R-1", flagged(1))
    async with open_store(url, clock) as store:
        first = await store.findings.record(report)
        clock.forward(hours=12)
        await store.findings.record(patrolled("R-2", flagged(1, finding(95.0, "Critical"))))
        again = await store.findings.record(report)
        assert again == first
        assert await store.findings.changes("R-1") == first
        assert await store.findings.changes("R-9") is None
        assert (await store.findings.now([KEY]))[KEY].severity == "Critical"
        assert await acts(store) == [("new", "", ""), ("worse", "", "")]


async def test_a_report_is_compared_with_the_last_one_of_any_type_after_a_restart(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1), report_type="morning"))
    clock.forward(hours=10)
    async with open_store(url, clock) as store:
        changes = await store.findings.record(patrolled("R-2", report_type="on_demand"))
        assert changes.since == MOMENT
        assert [(entry.key, entry.change) for entry in changes.entries] == [(KEY, "recovered")]
        assert await store.findings.open() == []
        newest = await store.findings.latest()
        assert newest == changes


async def test_a_weekly_look_back_is_told_what_each_report_flagged(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-0", flagged(2)))
        clock.forward(hours=12)
        since = clock()
        for number, clusters in enumerate([(flagged(1),), (flagged(1, finding(95.0, "Critical")),), (), (flagged(1),)]):
            await store.findings.record(patrolled(f"R-{number + 1}", *clusters))
            clock.forward(hours=24)
        past = await store.findings.flagged_since(since)
    assert past.reports == ("R-1", "R-2", "R-3", "R-4")
    assert [(one.cluster_id, one.dimension, one.severity, one.opened) for one in past.sightings] == [
        (ID.format(1), "disk_used_pct", "Warning", True),
        (ID.format(1), "disk_used_pct", "Critical", False),
        (ID.format(1), "disk_used_pct", "Warning", True),
    ]
    assert [(one.at - since.replace(tzinfo=None)).days for one in past.sightings] == [0, 1, 3]


async def test_a_report_can_be_found_by_its_buttons_from_the_first_moment(url: str, clock: Clock) -> None:
    report = patrolled("R-1", flagged(1))
    async with open_store(url, clock) as store:
        assert await store.findings.latest() is None
        await store.findings.record(report)
        found = await store.find("R-1")
        assert found is not None
        assert found["flagged_clusters"][0]["findings"][0]["query_id"] == "q-1"


async def test_a_decision_is_in_force_with_who_and_when_and_stands_in_the_history(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1), flagged(2)))
        clock.forward(minutes=5)
        (one,) = await store.findings.decide([KEY, "unknown/one"], ACKNOWLEDGED, "U1", "Anna")
        assert (one.handling.mode, one.handling.name, one.handling.at) == ("acknowledged", "Anna", clock())
        await store.findings.assign([KEY], "U2", "Bob", "U1", "Anna")
        until = clock() + timedelta(hours=8)
        await store.findings.decide([KEY], Decision("snoozed", until), "U2", "Bob")
    async with open_store(url, clock) as store:
        found = (await store.findings.now([KEY]))[KEY]
        assert (found.handling.mode, found.handling.until, found.assignee_name) == ("snoozed", until, "Bob")
        assert await acts(store) == [
            ("new", "", ""),
            ("new", "", ""),
            ("acknowledged", "Anna", ""),
            ("assigned", "Anna", "Bob"),
            ("snoozed", "Bob", until.isoformat()),
        ]
        assert await store.findings.people() == [("U2", "Bob"), ("U1", "Anna")]
        assert await store.findings.deeds(clock() + timedelta(seconds=1)) == []


async def test_what_has_recovered_takes_no_decision(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1)))
        await store.findings.record(patrolled("R-2"))
        assert await store.findings.decide([KEY], ACKNOWLEDGED, "U1", "Anna") == []


async def test_an_acknowledged_finding_is_quiet_in_the_next_report_and_in_the_history(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1)))
        await store.findings.decide([KEY], ACKNOWLEDGED, "U1", "Anna")
        clock.forward(hours=12)
        (entry,) = (await store.findings.record(patrolled("R-2", flagged(1)))).entries
        assert (entry.quiet, entry.tracked.handling.name) == (True, "Anna")
        assert [act for act, _, _ in await acts(store)] == ["new", "acknowledged"]


async def test_two_who_press_at_once_are_both_written_down_and_the_later_one_stands(url: str, clock: Clock) -> None:
    keys = [key_of(ID.format(number), "disk_used_pct") for number in range(6)]
    async with open_store(url, clock) as store, open_store(url, clock) as replica:
        await store.findings.record(patrolled("R-1", *(flagged(number) for number in range(6))))
        await asyncio.gather(
            store.findings.decide(keys, ACKNOWLEDGED, "U1", "Anna"),
            replica.findings.assign(keys[::-1], "U3", "Cleo", "U2", "Bob"),
        )
        found = (await store.findings.now(keys)).values()
        assert {(one.handling.name, one.assignee_name) for one in found} == {("Anna", "Cleo")}
        assert len(await store.findings.deeds(MOMENT)) == 18


async def test_two_reports_at_once_are_compared_one_after_the_other(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store, open_store(url, clock) as replica:
        one, other = await asyncio.gather(
            store.findings.record(patrolled("R-1", flagged(1))),
            replica.findings.record(patrolled("R-2", flagged(1))),
        )
        assert sorted(entry.change for changes in (one, other) for entry in changes.entries) == ["new", "same"]


async def test_the_messages_of_a_report_are_remembered_once(url: str, clock: Clock) -> None:
    pages = [Page(f"slack:T:C:{number}", "R-1", number, "zh", "Asia/Shanghai") for number in range(2)]
    async with open_store(url, clock) as store:
        await store.findings.remember(pages)
        await store.findings.remember(pages)
        await store.findings.remember([Page("slack:T:D:7", "R-2", 0, "en", "UTC")])
        assert await store.findings.pages("R-1") == pages
        assert await store.findings.page("slack:T:D:7") == Page("slack:T:D:7", "R-2", 0, "en", "UTC")
        assert await store.findings.page("slack:T:C:9") is None


async def test_old_history_goes_and_open_findings_stay(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1), flagged(2)))
        await store.findings.record(patrolled("R-2", flagged(1)))
        await store.findings.remember([Page("slack:T:C:1", "R-2", 0, "en", "UTC")])
        assert await store.findings.prune(KEPT) == 0
        clock.forward(seconds=KEPT.total_seconds() + 1)
        # one closed finding, three lines of history, two comparisons, one message
        assert await store.findings.prune(KEPT) == 7
        assert [one.key for one in await store.findings.open()] == [KEY]
        async with store.database.reading() as session:
            assert (await session.scalars(select(func.count()).select_from(FindingRow))).one() == 1


@pytest.mark.parametrize("size", [300])
async def test_a_cluster_with_a_monstrous_id_is_kept_all_the_same(url: str, clock: Clock, size: int) -> None:
    async with open_store(url, clock) as store:
        await store.findings.record(patrolled("R-1", flagged(1, cluster_id="x" * size)))
        (found,) = await store.findings.open()
        assert found.cluster_id == "x" * size


async def test_the_next_patrol_is_told_what_lasts_and_how_bad_it_was(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        assert await store.findings.left_open() is None
        await store.findings.record(patrolled("R-1", flagged(1), flagged(2, finding(95.0, "Critical"))))
        clock.forward(hours=12)
        found = await store.findings.left_open()
        assert found is not None
        assert found[f"{ID.format(2)}/disk_used_pct"] == Earlier("Critical", 95.0)
        assert set(found) == {f"{ID.format(number)}/disk_used_pct" for number in (1, 2)}
        await store.findings.record(patrolled("R-2"))
        assert await store.findings.left_open() == {}
