"""Findings over any run of reports, decisions and silences: what must hold after each of them."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.patrol.report import FlaggedCluster
from handlers.findings import (
    LOST_FOR,
    SNOOZES,
    Changes,
    Decision,
    Entry,
    Mode,
    Tracked,
    changes_json,
    changes_of,
    compare,
    decided,
    keys_of,
)
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled

CLUSTERS = range(3)
VALUES = (0.0, 0.01, 5.0, 80.0, 84.0, 85.0, 95.0)
FOUND = st.builds(
    finding,
    st.sampled_from(VALUES),
    st.sampled_from(["Critical", "Warning"]),
    st.sampled_from(["disk_used_pct", "nodes_up", "freshness"]),
    unit=st.sampled_from(["%", "h", ""]),
    down=st.booleans(),
    since=st.sampled_from(["", "2026-11-18 08:00", "last week"]),
)
FLEET = st.dictionaries(st.sampled_from(CLUSTERS), st.lists(FOUND, max_size=3, unique_by=lambda one: one.dimension))
QUIETING: list[Mode] = ["acknowledged", "snoozed", "known"]


def clusters(fleet: dict[int, list]) -> list[FlaggedCluster]:
    return [flagged(number, *found) for number, found in fleet.items() if found]


class Weeks(RuleBasedStateMachine):
    """Reports follow each other by hours or days; in between people decide, assign and take decisions back."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = MOMENT
        self.since: datetime | None = None
        self.open: dict[str, Tracked] = {}
        self.before: dict[str, Tracked] = {}
        self.last: Changes | None = None
        self.flagged: set[str] = set()
        self.judged = len(CLUSTERS)

    def report(self, found: list[FlaggedCluster], judged: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.before, self.judged = self.open, judged
        self.flagged = {key for one in found for key in keys_of(one)}
        self.last, tracked = compare(patrolled("R", *found, judged=judged), self.open, self.now, self.since)
        self.since = self.now
        self.open = {one.key: one for one in tracked if one.closed_at is None}

    @rule(fleet=FLEET, judged=st.integers(0, len(CLUSTERS)), hours=st.sampled_from([1, 12, 24, 100]))
    def a_patrol_reports(self, fleet: dict[int, list], judged: int, hours: int) -> None:
        self.report(clusters(fleet), judged, hours)

    @precondition(lambda self: self.open)
    @rule(mode=st.sampled_from(QUIETING), span=st.sampled_from(sorted(SNOOZES)), data=st.data())
    def somebody_decides(self, mode: Mode, span: str, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.open)))
        until = self.now + SNOOZES[span] if mode == "snoozed" else None
        self.open[key] = decided(self.open[key], Decision(mode, until), "U1", "Anna", self.now)
        assert self.open[key].handling.quiet(self.now)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def somebody_takes_it_on(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.open)))
        self.open[key] = replace(self.open[key], assignee="U2", assignee_name="Bob")

    @precondition(lambda self: self.open)
    @rule()
    def nothing_changes_for_an_hour(self) -> None:
        same = [
            flagged(number, *found)
            for number in CLUSTERS
            if (found := [self.as_found(one) for one in self.open.values() if one.cluster_id == ID.format(number)])
        ]
        quiet = {key for key, one in self.open.items() if one.handling.quiet(self.now + timedelta(hours=1))}
        worse = {key: one.handling.value for key, one in self.open.items()}
        self.report(same, len(CLUSTERS), 1)
        for entry in self.entries():
            assert entry.change in ("same", "returned")
            # what did not move since somebody decided on it stays as quiet as it was
            if entry.key in quiet and worse[entry.key] == entry.tracked.value:
                assert entry.quiet

    @staticmethod
    def as_found(one: Tracked):
        return finding(one.value, one.severity, one.dimension, unit=one.unit, down=one.down)

    def entries(self) -> tuple[Entry, ...]:
        return self.last.entries if self.last is not None else ()

    @invariant()
    def each_finding_has_one_line_and_none_is_dropped(self) -> None:
        keys = [entry.key for entry in self.entries()]
        assert len(keys) == len(set(keys))
        if self.last is not None:
            assert set(keys) == self.flagged | set(self.before)

    @invariant()
    def only_what_was_known_changes_and_only_what_is_flagged_is_there(self) -> None:
        for entry in self.entries():
            known = self.before.get(entry.key)
            assert (entry.change == "new") is (known is None)
            assert (entry.change in ("recovered", "lost")) is (entry.key not in self.flagged)
            assert (entry.before, entry.was) == ((known.value, known.severity) if known else (None, None))

    @invariant()
    def nothing_recovers_unseen_and_nothing_is_lost_in_plain_sight(self) -> None:
        seen = {ID.format(number) for number in range(self.judged)}
        for entry in self.entries():
            if entry.change == "recovered":
                assert entry.tracked.cluster_id in seen
                assert entry.tracked.closed_at is not None
            if entry.change == "lost":
                assert entry.tracked.cluster_id not in seen
                unseen = self.since - self.before[entry.key].last_seen  # type: ignore[operator]
                assert (entry.tracked.closed_at is not None) is (unseen >= LOST_FOR)

    @invariant()
    def nothing_is_quiet_without_a_decision_in_force_and_what_returns_is_loud(self) -> None:
        for entry in self.entries():
            held = self.before[entry.key].handling if entry.key in self.before else None
            if entry.quiet:
                assert held is not None
                assert held.quiet(self.since or self.now)
            if entry.change == "returned":
                assert not entry.quiet
                assert entry.why in ("worse", "ended")

    @invariant()
    def an_onset_never_moves_later_and_whoever_has_it_keeps_it(self) -> None:
        for entry in self.entries():
            known = self.before.get(entry.key)
            if known is not None:
                assert entry.tracked.first_seen <= known.first_seen
                assert entry.tracked.assignee_name == known.assignee_name
            assert entry.tracked.days(self.now) >= 0

    @invariant()
    def a_comparison_is_read_back_as_it_was_kept(self) -> None:
        if self.last is not None:
            assert changes_of(changes_json(self.last)) == self.last


TestWeeks = Weeks.TestCase
TestWeeks.settings = settings(max_examples=20, stateful_step_count=12)
