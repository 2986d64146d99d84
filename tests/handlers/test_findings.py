"""How a report compares with the one before it, and how long a decision keeps a finding quiet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.earlier import clearly_worse
from agent.patrol.report import PatrolReport
from handlers.findings import (
    LOST_FOR,
    Changes,
    Decision,
    Entry,
    Mode,
    Tracked,
    changes_json,
    changes_of,
    compare,
    decided,
    key_of,
    tracked_json,
    tracked_of,
    worst_first,
)
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled

HOURS = timedelta(hours=12)
KEY = key_of(ID.format(1), "disk_used_pct")


def after(
    report: PatrolReport, known: Mapping[str, Tracked] = {}, hours: int = 0
) -> tuple[Changes, dict[str, Tracked]]:
    """The comparison, and what stays open."""
    now = MOMENT + timedelta(hours=hours)
    changes, tracked = compare(report, known, now, MOMENT if known else None)
    return changes, {one.key: one for one in tracked if one.closed_at is None}


def first() -> dict[str, Tracked]:
    return after(patrolled("R-1", flagged(1)))[1]


def second(report: PatrolReport, known: Mapping[str, Tracked] | None = None, hours: int = 12) -> Entry:
    (entry,) = after(report, first() if known is None else known, hours)[0].entries
    return entry


def quieted(mode: Mode, until: datetime | None = None) -> dict[str, Tracked]:
    return {KEY: decided(first()[KEY], Decision(mode, until), "U1", "Anna", MOMENT)}


def test_a_finding_of_the_first_report_is_new_and_as_old_as_its_onset() -> None:
    changes, known = after(patrolled("R-1", flagged(1)))
    assert changes.since is None
    assert [(entry.key, entry.change, entry.quiet) for entry in changes.entries] == [(KEY, "new", False)]
    assert known[KEY].days(MOMENT) == 2
    assert known[KEY].first_seen == datetime(2026, 11, 18, 8, tzinfo=UTC)


STEPS = [
    (finding(86.0), "same"),
    (finding(92.0), "worse"),
    (finding(79.0), "better"),
    (finding(85.0, "Critical"), "worse"),
    (finding(85.0, "Unknown"), "better"),
]


@pytest.mark.parametrize(("now", "change"), STEPS)
def test_a_known_finding_is_held_against_the_last_report(now, change: str) -> None:
    entry = second(patrolled("R-2", flagged(1, now)))
    assert (entry.change, entry.before, entry.was) == (change, 85.0, "Warning")


def test_the_onset_that_people_remember_stays_when_it_is_estimated_anew() -> None:
    entry = second(patrolled("R-2", flagged(1, finding(since="2026-11-20 05:00"))))
    assert entry.tracked.first_seen == datetime(2026, 11, 18, 8, tzinfo=UTC)


def test_what_is_not_flagged_any_more_has_recovered_where_it_could_be_judged() -> None:
    entry = second(patrolled("R-2"))
    assert (entry.change, entry.tracked.closed_at) == ("recovered", MOMENT + HOURS)


def test_a_cluster_that_fell_silent_has_not_recovered() -> None:
    silent = finding(9, "Unknown", "freshness", unit="h")
    changes, known = after(patrolled("R-2", flagged(1, silent), judged=0), first(), 12)
    assert [(entry.tracked.dimension, entry.change) for entry in changes.entries] == [
        ("freshness", "new"),
        ("disk_used_pct", "lost"),
    ]
    assert set(known) == {KEY, key_of(ID.format(1), "freshness")}


def test_what_nobody_could_look_at_for_a_week_is_closed() -> None:
    week = int(LOST_FOR / timedelta(hours=1))
    assert second(patrolled("R-2", judged=0), hours=week - 1).tracked.closed_at is None
    assert second(patrolled("R-2", judged=0), hours=week).tracked.closed_at is not None


@pytest.mark.parametrize("mode", ["acknowledged", "known"])
def test_what_somebody_took_note_of_stays_quiet(mode: Mode) -> None:
    entry = second(patrolled("R-2", flagged(1, finding(86.0))), quieted(mode))
    assert (entry.change, entry.quiet, entry.tracked.handling.name) == ("same", True, "Anna")


@pytest.mark.parametrize("mode", ["acknowledged", "known", "snoozed"])
@pytest.mark.parametrize("worse", [finding(90.0), finding(85.0, "Critical")])
def test_it_comes_back_when_it_gets_clearly_worse_than_it_was_then(mode: Mode, worse) -> None:
    entry = second(patrolled("R-2", flagged(1, worse)), quieted(mode, MOMENT + timedelta(days=3)))
    assert (entry.change, entry.why, entry.quiet) == ("returned", "worse", False)
    assert entry.tracked.handling.mode == "open"


def test_small_steps_add_up_against_the_moment_of_the_decision() -> None:
    known, quiet = quieted("acknowledged"), []
    for number, value in enumerate((87.0, 89.0, 91.0)):
        changes, known = after(patrolled(f"R-{number}", flagged(1, finding(value))), known, 12 * number)
        quiet.append(changes.entries[0].quiet)
    assert quiet == [True, True, False]


def test_a_snooze_keeps_quiet_until_its_end_and_not_longer() -> None:
    known = quieted("snoozed", MOMENT + HOURS)
    assert second(patrolled("R-2", flagged(1)), known, hours=11).quiet
    ended = second(patrolled("R-2", flagged(1)), known, hours=12)
    assert (ended.change, ended.why, ended.quiet) == ("returned", "ended", False)


def test_what_recovers_while_it_is_quiet_begins_anew_the_next_time() -> None:
    _, known = after(patrolled("R-2"), quieted("acknowledged"), 12)
    assert known == {}
    entry = second(patrolled("R-3", flagged(1)), known, hours=24)
    assert (entry.change, entry.quiet) == ("new", False)


def test_whom_it_was_assigned_to_is_kept() -> None:
    known = {KEY: replace(first()[KEY], assignee="U2", assignee_name="Bob")}
    assert second(patrolled("R-2", flagged(1)), known).tracked.assignee_name == "Bob"


CLEAR = [
    (100, 124, "ms", False, False),
    (100, 125, "ms", False, True),
    (0, 0, "", False, False),
    (80, 84.9, "%", False, False),
    (80, 85, "%", False, True),
    (0.4, 0.5, "%", False, True),
    (20, 15, "%", True, True),
    (20, 17, "%", True, False),
    (10, 8, "GB", True, True),
    (0, 0, "", True, False),
    (3, 0, "", True, True),
]


@pytest.mark.parametrize(("before", "now", "unit", "down", "worse"), CLEAR)
def test_clearly_worse_is_a_quarter_or_five_points(
    before: float, now: float, unit: str, down: bool, worse: bool
) -> None:
    assert clearly_worse(before, now, unit, down=down) is worse


def test_silence_grows_older_by_itself_and_that_is_nothing_worse() -> None:
    assert not clearly_worse(3, 300, "h", down=False, dimension="freshness")


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.booleans(), st.sampled_from(["%", "ms"]))
def test_nothing_is_worse_both_ways(one: float, other: float, down: bool, unit: str) -> None:
    there, back = clearly_worse(one, other, unit, down=down), clearly_worse(other, one, unit, down=down)
    assert not (there and back)
    assert one != other or not there


def test_the_worst_of_the_most_important_come_first() -> None:
    clusters = (flagged(1), flagged(2, finding(95, "Critical")), flagged(3, tier="S"))
    _, known = after(patrolled("R-1", *clusters))
    assert [one.cluster_name for one in worst_first(list(known.values()))] == ["prod-2", "prod-3", "prod-1"]


def test_among_equals_the_tier_decides_then_the_age_then_the_name() -> None:
    clusters = [flagged(n, tier=tier) for n, tier in enumerate("BASSA")]
    _, known = after(patrolled("R-1", *clusters))
    older = {
        one.key: replace(one, first_seen=MOMENT - 30 * HOURS) for one in known.values() if one.cluster_name == "prod-3"
    }
    ranked = worst_first(list((known | older).values()))
    assert [one.cluster_name for one in ranked] == ["prod-3", "prod-2", "prod-1", "prod-4", "prod-0"]


def test_comparisons_and_findings_survive_being_kept() -> None:
    changes, known = after(patrolled("R-2", flagged(1), flagged(2)), quieted("snoozed", MOMENT + HOURS), 3)
    assert changes_of(changes_json(changes)) == changes
    assert [tracked_of(tracked_json(one)) for one in known.values()] == list(known.values())


@given(st.text(max_size=400), st.text(max_size=100))
def test_a_key_fits_whatever_the_data_holds(cluster_id: str, dimension: str) -> None:
    assert len(key_of(cluster_id, dimension)) <= 255
