"""What the clock's slots lead to: a patrol in time, word of one that was missed, silence, tidying up; and whose they
are."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from bot.desk import rota_of
from bot.patrols import HOUSEKEEPING, ByClock, Rota, by_settings, schedules
from bot.settings import Settings
from bot.store import Store, open_store
from bot.store.outbox import Outbox, message_of, stand_in_of
from bot.turns.schedule import Schedule
from handlers.findings import Page
from handlers.locale import english
from handlers.surface import Event, Mark, PatrolRequest
from handlers.timetable import FOREVER, Timetable
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import Surface

SLOT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
OPS, DBA = "slack:T:C", "lark:A:oc_1"
DEFAULT = Timetable(OPS, "08:00", "18:00", zone="Asia/Tokyo")


class Bench:
    """A rota whose settings name the channel OPS, and what was admitted."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.clock, self.admitted, self.surface, self.tidied = clock, list[Event](), Surface(), 0
        self.rota = rota_of(store, DEFAULT)
        self.by_clock = ByClock(self.rota, self.admit, self.surface, self.tidy, clock, english, store.findings)

    async def tidy(self) -> None:
        self.tidied += 1

    async def admit(self, event: Event) -> bool:
        self.admitted.append(event)
        return True


class Alarm:
    """Keeps the schedules that it was told."""

    def __init__(self) -> None:
        self.told: list[Sequence[Schedule]] = []

    async def apply(self, schedules: Sequence[Schedule]) -> None:
        self.told.append(schedules)


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.moment = SLOT
    return clock


@pytest.fixture
async def store(own_database: str, clock: Clock) -> AsyncIterator[Store]:
    async with open_store(own_database, clock) as opened:
        yield opened


@pytest.fixture
def bench(store: Store, clock: Clock) -> Bench:
    return Bench(store, clock)


def slots(found: Sequence[Schedule]) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.at, one.zone, one.day) for one in found if not one.name.startswith("due-")]


def due(found: Sequence[Schedule]) -> list[tuple[str, str, str]]:
    return [(one.name, one.at, one.day) for one in found if one.name.startswith("due-")]


async def test_without_a_channel_only_the_housekeeping_is_scheduled(store: Store) -> None:
    assert by_settings(Settings(), "") is None
    assert await rota_of(store).all() == []
    assert [one.name for one in schedules([])] == [HOUSEKEEPING]
    assert rota_of(store).home == ""


async def test_the_settings_give_their_channel_two_slots_a_day() -> None:
    told = by_settings(Settings(patrol_channel="C", patrol_morning="07:30", timezone="Asia/Tokyo"), OPS)
    assert told is not None
    assert slots(schedules([told]))[1:] == [
        (f"morning@{OPS}", "07:30", "Asia/Tokyo", ""),
        (f"evening@{OPS}", "18:00", "Asia/Tokyo", ""),
    ]


async def test_what_a_channel_set_goes_before_the_settings_and_is_told_to_the_clock(bench: Bench) -> None:
    alarm = Alarm()
    bench.rota.clock = alarm
    assert await bench.rota.of(OPS) == DEFAULT
    assert await bench.rota.of(DBA) == Timetable(DBA)
    await bench.rota.put(Timetable(OPS, "09:15", zone="UTC", name="Anna"))
    await bench.rota.put(Timetable(DBA, weekly="mon 10:00", zone="Asia/Shanghai"))
    assert slots(alarm.told[-1])[1:] == [
        (f"weekly@{DBA}", "10:00", "Asia/Shanghai", "mon"),
        (f"morning@{OPS}", "09:15", "UTC", ""),
    ]
    assert (await bench.rota.of(OPS)).name == "Anna"


async def test_another_channels_timetable_leaves_that_of_the_settings_in_force(store: Store) -> None:
    rota: Rota = rota_of(store, DEFAULT)
    await rota.put(Timetable(DBA, "10:00"))
    assert [one.place for one in await rota_of(store, DEFAULT).all()] == [OPS, DBA]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=2)])
async def test_a_slot_that_is_little_late_becomes_a_patrol_with_one_key(bench: Bench, late: timedelta) -> None:
    bench.clock.moment += late
    await bench.by_clock(f"morning@{OPS}", SLOT)
    key = f"clock:morning@{OPS}:2026-11-20T08:00"
    assert bench.admitted == [PatrolRequest(key, OPS, "clock", "morning")]
    assert bench.surface.posts == []


async def test_a_slot_of_an_earlier_version_belongs_to_the_channel_of_the_settings(bench: Bench) -> None:
    await bench.by_clock("evening", SLOT)
    assert bench.admitted == [PatrolRequest("clock:evening:2026-11-20T08:00", OPS, "clock", "evening")]


async def test_a_slot_missed_by_more_is_told_of_instead(bench: Bench) -> None:
    bench.clock.forward(hours=2, seconds=1)
    await bench.by_clock(f"morning@{OPS}", SLOT)
    assert bench.admitted == []
    ((place, document),) = bench.surface.posts
    assert place == OPS
    assert "Morning patrol of 2026-11-20 08:00 UTC did not run" in document.fallback


@pytest.mark.parametrize(("until", "patrols"), [(FOREVER, 0), (SLOT + timedelta(hours=1), 0), (SLOT, 1)])
async def test_a_muted_channel_gets_neither_patrol_nor_word_of_it(bench: Bench, until: datetime, patrols: int) -> None:
    await bench.rota.put(Timetable(OPS, "08:00", muted_until=until))
    await bench.by_clock(f"morning@{OPS}", SLOT)
    assert (len(bench.admitted), bench.surface.posts) == (patrols, [])


async def test_the_housekeeping_posts_nothing_and_tidies_up(bench: Bench) -> None:
    await bench.by_clock(HOUSEKEEPING, SLOT)
    assert (bench.tidied, bench.admitted, bench.surface.posts) == (1, [], [])


async def test_every_slot_has_a_deadline_half_an_hour_later_though_that_be_the_next_day() -> None:
    table = Timetable(OPS, "08:00", "23:45", "sun 23:30", zone="UTC")
    assert due(schedules([table])) == [
        (f"due-morning@{OPS}", "08:30", ""),
        (f"due-evening@{OPS}", "00:15", ""),
        (f"due-weekly@{OPS}", "00:00", "mon"),
    ]
    assert not any(one.made_up for one in schedules([table]) if one.name.startswith("due-"))


DEADLINE = SLOT + timedelta(minutes=30)


async def test_a_slot_without_a_report_at_its_deadline_raises_an_alarm_that_is_posted_once(bench: Bench) -> None:
    bench.clock.moment = DEADLINE
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    ((place, document),) = bench.surface.posts
    assert place == OPS and bench.admitted == []
    assert "Morning patrol of 2026-11-20 08:00 UTC has no report after 30 minutes" in document.fallback
    assert bench.surface.marks[-1] == Mark(f"clock:morning@{OPS}:2026-11-20T08:00", "overdue", repeated=True)


@pytest.mark.parametrize(
    ("message", "minute", "alarms"),
    [(f"{OPS}:1.1", 10, 0), (f"{OPS}:1.1", -10, 1), (f"{OPS}X:1.1", 10, 1), (f"{DBA}:om_1", 10, 1)],
)
async def test_only_a_report_in_this_channel_since_the_slot_keeps_the_alarm_away(
    bench: Bench, store: Store, message: str, minute: int, alarms: int
) -> None:
    bench.clock.moment = SLOT + timedelta(minutes=minute)
    await store.findings.remember([Page(message, "R-1", 0, "en", "UTC")])
    bench.clock.moment = DEADLINE
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert len(bench.surface.posts) == alarms


async def waiting_report(bench: Bench, store: Store) -> tuple[Outbox, str, str]:
    """A report that the platform would not take: the outbox, the name of the post there, and what its message is."""
    outbox = Outbox(store.database, bench.clock)
    name = await outbox.put(OPS, "turn", "report", {"fallback": "all is well", "parts": []}, "away")
    bench.clock.forward(minutes=20)
    await store.findings.remember([Page(message_of(OPS, name), "R-1", 0, "en", "UTC")])
    bench.clock.moment = DEADLINE
    return outbox, name, stand_in_of(OPS, name)


async def test_a_report_that_waits_in_the_outbox_is_not_there_and_the_alarm_behind_it_says_that_it_was_late(
    bench: Bench, store: Store
) -> None:
    await waiting_report(bench, store)
    assert await store.findings.delivery(OPS, SLOT) == "waiting"
    with structlog.testing.capture_logs() as lines:
        await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert [(one["log_level"], one["delivery"]) for one in lines] == [("error", "waiting")]
    ((place, document),) = bench.surface.posts
    assert place == OPS and "stood ready, but for more than 30 minutes" in document.fallback
    assert "Nothing is known" not in document.fallback
    assert bench.surface.marks[-1] == Mark(f"clock:morning@{OPS}:2026-11-20T08:00", "overdue", repeated=True)


async def test_a_report_that_left_the_outbox_before_its_deadline_raises_no_alarm(bench: Bench, store: Store) -> None:
    outbox, name, stand_in = await waiting_report(bench, store)
    await outbox.posted(name, f"{OPS}:1.1", stand_in, (f"{OPS}:1.1",))
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert bench.surface.posts == []


async def test_a_report_of_which_a_part_still_waits_has_arrived(bench: Bench, store: Store) -> None:
    await waiting_report(bench, store)
    bench.clock.moment = SLOT + timedelta(minutes=1)
    await store.findings.remember([Page(f"{OPS}:1.1", "R-1", 0, "en", "UTC")])
    assert await store.findings.delivery(OPS, SLOT) == "posted"
    assert await store.findings.delivery(DBA, SLOT) == "none"


def counted(bench: Bench) -> dict[str, float]:
    """What became of slots so far, without what never happened."""
    registry = bench.by_clock.meters.registry
    ends = ("begun", "muted", "missed", "overdue")
    found = {end: registry.get_sample_value("starwatch_slots_total", {"end": end}) for end in ends}
    return {end: amount for end, amount in found.items() if amount}


async def test_what_becomes_of_slots_is_counted_and_an_overdue_one_is_the_alarm(bench: Bench, store: Store) -> None:
    await bench.by_clock(f"morning@{OPS}", SLOT)
    assert counted(bench) == {"begun": 1}
    bench.clock.moment = DEADLINE
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    await store.findings.remember([Page(f"{OPS}:1.1", "R-1", 0, "en", "UTC")])
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert counted(bench) == {"begun": 1, "overdue": 1}
    bench.clock.forward(hours=3)
    await bench.by_clock(f"morning@{OPS}", SLOT)
    await bench.rota.put(Timetable(OPS, "08:00", muted_until=FOREVER))
    await bench.by_clock(f"morning@{OPS}", SLOT)
    assert counted(bench) == {"begun": 1, "overdue": 1, "missed": 1, "muted": 1}


async def test_a_report_that_waits_raises_the_alarm_in_the_metrics_too(bench: Bench, store: Store) -> None:
    await waiting_report(bench, store)
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert counted(bench) == {"overdue": 1}


@pytest.mark.parametrize("until", [FOREVER, SLOT + timedelta(minutes=5)])
async def test_a_muted_slot_raises_no_alarm(bench: Bench, until: datetime) -> None:
    await bench.rota.put(Timetable(OPS, "08:00", muted_until=until))
    bench.clock.moment = DEADLINE
    await bench.by_clock(f"due-morning@{OPS}", DEADLINE)
    assert bench.surface.posts == []
