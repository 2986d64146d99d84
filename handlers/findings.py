"""Findings over time: how a report compares with the one before it, and what people decided about each finding.

Pure: `bot.store.findings` keeps these values, the views show them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter

from agent.patrol.earlier import Earlier, moved
from agent.patrol.finding import SEVERITY_RANK
from agent.patrol.report import FlaggedCluster, FlaggedFinding, PatrolReport, Severity, Tier
from handlers.words import Language

Mode = Literal["open", "acknowledged", "snoozed", "known"]
"""What people made of a finding. All but `open` keep it quiet in later reports."""

Change = Literal["new", "returned", "worse", "better", "same", "recovered", "lost"]
"""`returned` = was kept quiet and is not any more; `lost` = its cluster cannot be judged now, so nobody knows."""

SNOOZES: Mapping[str, timedelta] = {"1h": timedelta(hours=1), "8h": timedelta(hours=8), "3d": timedelta(days=3)}

LOST_FOR = timedelta(days=7)
"""A finding that nobody could look at for so long is closed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided. `until` ends a snooze (aware UTC); `note` says what is known."""

    mode: Mode
    until: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Handling:
    """The decision in force: by whom (as the surface names them, and as people do), when, and how bad it was then."""

    mode: Mode = "open"
    until: datetime | None = None
    note: str = ""
    user: str = ""
    name: str = ""
    at: datetime | None = None
    severity: Severity = "Unknown"
    value: float = 0.0

    def quiet(self, now: datetime) -> bool:
        """Whether it is kept out of the way at this moment."""
        return self.mode in ("acknowledged", "known") or (
            self.mode == "snoozed" and self.until is not None and now < self.until
        )


@dataclass(frozen=True, slots=True)
class Tracked:
    """One finding from its first report to its recovery. Moments are aware UTC; names are untrusted. `first_seen` is
    the estimated onset where there is one; `closed_at` is None while it lasts."""

    key: str
    cluster_id: str
    dimension: str
    cluster_name: str
    customer: str
    tier: Tier
    severity: Severity
    value: float
    unit: str
    down: bool
    first_seen: datetime
    last_seen: datetime
    report_id: str
    closed_at: datetime | None = None
    handling: Handling = field(default_factory=Handling)
    assignee: str = ""
    assignee_name: str = ""

    def days(self, now: datetime) -> int:
        """Whole days that it has been open."""
        return max(0, ((self.closed_at or now) - self.first_seen).days)


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one finding in one report. `before` and `was` are figure and severity of the report before.
    `quiet` = collapsed in this report, because of what somebody decided; `why` tells why it returned."""

    key: str
    change: Change
    tracked: Tracked
    before: float | None = None
    was: Severity | None = None
    quiet: bool = False
    why: Literal["", "worse", "ended"] = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """A report beside the one before it, of whatever type. `since` is when that one was made, None for the first."""

    report_id: str
    at: datetime
    since: datetime | None
    entries: tuple[Entry, ...]

    def by_key(self) -> dict[str, Entry]:
        """The entries by finding."""
        return {entry.key: entry for entry in self.entries}


Act = Literal["new", "returned", "worse", "recovered", "acknowledged", "snoozed", "known", "open", "assigned"]
"""What can happen to a finding; the first four come from reports, the others from people."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of a finding's history. `user` and `name` are empty for what a report found; `note` says to whom it was
    assigned, until when it is quiet, or what is known."""

    at: datetime
    key: str
    cluster_name: str
    dimension: str
    act: Act
    user: str = ""
    name: str = ""
    note: str = ""


UNDRAWN = -1
"""The number of a page that is never drawn again."""

Plan = tuple[tuple[str, ...], ...]
"""Which clusters stand on which page of a report, each by its `handlers.buttons.short_id`."""


@dataclass(frozen=True, slots=True)
class Page:
    """A message that shows a part of a report: which page of it, and for whom it was written. `plan` holds to what the
    pages of that report show, however a later version would lay them out; empty where nothing is known of it."""

    message: str
    report_id: str
    number: int
    language: Language
    zone: str
    plan: Plan = ()


def key_of(cluster_id: str, dimension: str) -> str:
    """The name of a condition, the same in every report; 255 characters at most, whatever the data holds."""
    return f"{cluster_id[:180]}/{dimension[:60]}"


def keys_of(cluster: FlaggedCluster) -> tuple[str, ...]:
    """The findings of a flagged cluster."""
    return tuple(key_of(cluster.cluster_id, one.dimension) for one in cluster.findings)


def compare(
    report: PatrolReport, known: Mapping[str, Tracked], now: datetime, since: datetime | None
) -> tuple[Changes, tuple[Tracked, ...]]:
    """How a report differs from what was known before it, and what is known from now on. `known` holds open findings
    by key, `since` is when the report before was made."""
    entries = [*_flagged(report, known, now), *_gone(report, known, now)]
    return Changes(report.report_id, now, since, tuple(entries)), tuple(entry.tracked for entry in entries)


def _flagged(report: PatrolReport, known: Mapping[str, Tracked], now: datetime) -> Iterator[Entry]:
    for cluster in report.flagged_clusters:
        for finding in cluster.findings:
            seen = _seen(report, cluster, finding, now)
            before = known.get(seen.key)
            yield Entry(seen.key, "new", seen) if before is None else _again(before, seen, now)


def _seen(report: PatrolReport, cluster: FlaggedCluster, finding: FlaggedFinding, now: datetime) -> Tracked:
    return Tracked(
        key=key_of(cluster.cluster_id, finding.dimension),
        cluster_id=cluster.cluster_id,
        dimension=finding.dimension,
        cluster_name=cluster.cluster_name,
        customer=cluster.customer,
        tier=cluster.tier,
        severity=finding.severity,
        value=finding.value,
        unit=finding.unit,
        down=finding.down,
        first_seen=_onset(finding.since) or now,
        last_seen=now,
        report_id=report.report_id,
    )


def _onset(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _again(before: Tracked, seen: Tracked, now: datetime) -> Entry:
    """A finding that was known already: compared with the last report, and with what it was when somebody decided."""
    change = moved(Earlier(before.severity, before.value), seen)
    handling, why = _returned(before.handling, seen, now)
    # the onset is estimated anew each time; the first estimate is what people remember
    kept = replace(
        seen,
        first_seen=min(before.first_seen, seen.first_seen),
        handling=handling,
        assignee=before.assignee,
        assignee_name=before.assignee_name,
    )
    found: Change = "returned" if why else change
    return Entry(seen.key, found, kept, before.value, before.severity, handling.quiet(now), why)


def _returned(held: Handling, seen: Tracked, now: datetime) -> tuple[Handling, Literal["", "worse", "ended"]]:
    """What stays of a decision: a snooze ends by time, and each ends when things get clearly worse than they were."""
    if held.mode == "open":
        return held, ""
    if not held.quiet(now):
        return Handling(), "ended"
    return (Handling(), "worse") if moved(Earlier(held.severity, held.value), seen) == "worse" else (held, "")


def _gone(report: PatrolReport, known: Mapping[str, Tracked], now: datetime) -> Iterator[Entry]:
    flagged = {key for cluster in report.flagged_clusters for key in keys_of(cluster)}
    judged = frozenset(report.judged)
    for key, before in known.items():
        if key in flagged:
            continue
        if _is_well(before, judged):
            yield Entry(key, "recovered", replace(before, closed_at=now), before.value, before.severity)
        else:
            closed = now if now - before.last_seen >= LOST_FOR else None
            quiet = before.handling.quiet(now)
            yield Entry(key, "lost", replace(before, closed_at=closed), before.value, before.severity, quiet)


def _is_well(before: Tracked, judged: Collection[str]) -> bool:
    """A cluster that sends nothing is not well; one that could be judged and is not flagged is."""
    return before.cluster_id in judged


def decided(tracked: Tracked, decision: Decision, user: str, name: str, now: datetime) -> Tracked:
    """The finding after somebody's decision."""
    handling = Handling(
        decision.mode,
        decision.until,
        decision.note,
        user,
        name,
        now,
        tracked.severity,
        tracked.value,
    )
    return replace(tracked, handling=handling)


def worst_first(found: Sequence[Tracked]) -> list[Tracked]:
    """By severity, then tier, then age."""
    return sorted(found, key=lambda one: (SEVERITY_RANK[one.severity], "SAB".index(one.tier), one.first_seen, one.key))


_TRACKED: TypeAdapter[Tracked] = TypeAdapter(Tracked)
_CHANGES: TypeAdapter[Changes] = TypeAdapter(Changes)


def tracked_json(tracked: Tracked) -> Any:
    """As plain JSON; read back by `tracked_of`."""
    return _TRACKED.dump_python(tracked, mode="json")


def tracked_of(body: Any) -> Tracked:
    """Raises ValueError for what `tracked_json` did not make."""
    return _TRACKED.validate_python(body)


def changes_json(changes: Changes) -> Any:
    """As plain JSON; read back by `changes_of`."""
    return _CHANGES.dump_python(changes, mode="json")


def changes_of(body: Any) -> Changes:
    """Raises ValueError for what `changes_json` did not make."""
    return _CHANGES.validate_python(body)
