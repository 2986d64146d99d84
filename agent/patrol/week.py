"""What a weekly report tells beside the findings of the day, as value types: made by code, kept with the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

DAYS = 7
"""Days that a weekly report looks back on; it compares the newest with the same one a week before."""

Severity = Literal["Critical", "Warning", "Unknown"]
Part = Literal["scores", "capacity", "noise", "recurring"]


@dataclass(frozen=True, slots=True)
class Shift:
    """The mean of a dimension over the newest 24 hours, and over the same day a week before, in `unit`."""

    dimension: str
    unit: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Standing:
    """The score (0..100) of one cluster over the newest 24 hours and a week before, the scores of the days between,
    oldest first (None where too little is known), and what moved it most. Names are untrusted."""

    cluster_id: str
    cluster_name: str
    now: float
    before: float | None = None
    course: tuple[float | None, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def change(self) -> float:
        """Points won (or lost, below zero) in the week."""
        return 0.0 if self.before is None else self.now - self.before


@dataclass(frozen=True, slots=True)
class Rising:
    """A dimension that became worse on more clusters than it became better on; `before` and `now` are the fleet's
    medians."""

    dimension: str
    unit: str
    worse: int
    better: int
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class FleetTrend:
    """Mean score of the clusters that could be scored on both days, how many of them moved clearly, and the means of
    the days, oldest first."""

    now: float
    before: float
    clusters: int
    better: int
    worse: int
    course: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Recurring:
    """A finding that stood in reports of at least three days. `times` counts how often it was opened; `lasting` tells
    that it is there now."""

    cluster_id: str
    cluster_name: str
    dimension: str
    severity: Severity
    days: int
    times: int
    lasting: bool


@dataclass(frozen=True, slots=True)
class Noisy:
    """An alert that fires much and means little: `idle` of its `incidents` fell into no finding and no bad day of their
    cluster, `brief` were over within the hour, on `restless` clusters it came back at least three times. `name` is
    untrusted."""

    name: str
    incidents: int
    clusters: int
    idle: int
    brief: int
    restless: int

    @property
    def share(self) -> float:
        """Percent of its incidents that were without consequence."""
        return 100 * self.idle / self.incidents if self.incidents else 0.0


@dataclass(frozen=True, slots=True)
class Filling:
    """A measure on a steady way to its limit: reached in `days` if it goes on, between `soonest` and `latest` with 90 %
    confidence; `per_week` is the pace, all in `unit`."""

    cluster_id: str
    cluster_name: str
    dimension: str
    unit: str
    value: float
    limit: float
    per_week: float
    days: float
    soonest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Week:
    """The week up to `until` (ISO UTC). Lists hold the most important first and all that was found; views shorten them.
    `receipts` names the query ids behind each part, `missing` the parts that could not be made. `reports` are the
    ids of the reports of the week that are remembered: what `recurring` rests on. `names` and `incidents` count what
    alerted at all."""

    until: str
    fleet: FleetTrend | None = None
    rising: tuple[Rising, ...] = ()
    worst: tuple[Standing, ...] = ()
    fell: tuple[Standing, ...] = ()
    rose: tuple[Standing, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    reports: tuple[str, ...] = ()
    noise: tuple[Noisy, ...] = ()
    incidents: int = 0
    names: int = 0
    capacity: tuple[Filling, ...] = ()
    receipts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[Part, ...] = ()

    @property
    def query_ids(self) -> frozenset[str]:
        """The ids of all queries that it rests on."""
        return frozenset(one for ids in self.receipts.values() for one in ids)

    def standings(self) -> Iterator[Standing]:
        """Every cluster whose score is told, once."""
        yield from {one.cluster_id: one for one in (*self.worst, *self.fell, *self.rose)}.values()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding in a report that was made `at` (naive UTC); `opened` tells that it was not there in the one before."""

    cluster_id: str
    dimension: str
    at: datetime
    severity: Severity
    opened: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What the reports of some days flagged, and the ids of these reports, the oldest first."""

    sightings: Sequence[Sighting] = ()
    reports: tuple[str, ...] = ()


class PastReports(Protocol):
    """Remembers reports. A patrol survives one that cannot."""

    async def flagged_since(self, since: datetime) -> Past:
        """What the reports flagged that were made after a moment (aware)."""
        ...
