"""Predictions as statements that can be tested, their grades, and what confidence they have earned by them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol, get_args

from agent.patrol.report import Confidence, LabelRecord
from agent.patrol.series import Hours

HORIZONS = (24, 48)
"""Within how many hours, counted from the newest data, a limit is said to be met."""
LABELS: Mapping[Confidence, float] = {"High": 0.8, "Medium": 0.5, "Low": 0.25}
"""From which probability on a prediction is called so; below the last it is not made."""

# How many graded statements weigh as much as the computation itself: five misses in a row undo a High.
_PRIOR = 4.0
# At or beyond the limit in two of three hours that follow each other: a single wild hour is no hit.
_SPAN, _WITHIN = 3, 2
_KNOWN_SHARE = 0.5

State = Literal["open", "hit", "missed", "void"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Statement:
    """`dimension` of `cluster_id` is at or beyond `threshold` (below it when `down`) within `horizon` hours after
    `made` (naive UTC, the newest data of then). `chance` is what was computed, `probability` what was stated after a
    look at the record. `void` is a statement that cannot be graded: too little data, or somebody acted in time."""

    cluster_id: str
    dimension: str
    threshold: float
    down: bool
    made: datetime
    horizon: int
    chance: float
    probability: float
    label: Confidence
    state: State = "open"

    @property
    def subject(self) -> tuple[str, str, int]:
        """What it is about; only one statement on a subject is open at a time, or one course would count often."""
        return (self.cluster_id, self.dimension, self.horizon)

    @property
    def key(self) -> str:
        """The same for the same statement, whoever makes it."""
        return f"{self.cluster_id}/{self.dimension}/{self.horizon}/{self.made:%Y%m%d%H}"

    @property
    def due(self) -> datetime:
        """When it can be graded."""
        return self.made + timedelta(hours=self.horizon)


class PredictionStore(Protocol):
    """Keeps statements over patrols. The patrol survives a store that fails."""

    async def open(self) -> Sequence[Statement]:
        """The statements that were not graded yet."""
        ...

    async def graded(self) -> Sequence[Statement]:
        """The statements that were graded lately, hits and misses."""
        ...

    async def keep(self, statements: Sequence[Statement]) -> None:
        """Add statements, or put them in the place of those with the same key."""
        ...


def label_of(probability: float) -> Confidence | None:
    """What a probability is called; None when it is too small to be stated."""
    return next((label for label, least in LABELS.items() if probability >= least), None)


def earned(chance: float, record: Iterable[Statement]) -> float:
    """The probability to state for a computed `chance`: moved towards how often statements computed alike came true."""
    band = label_of(chance)
    alike = [one for one in record if label_of(one.chance) == band]
    hits = sum(one.state == "hit" for one in alike)
    return (hits + _PRIOR * chance) / (len(alike) + _PRIOR)


def stated(chances: Mapping[int, float], about: Statement, record: Sequence[Statement]) -> Iterator[Statement]:
    """The statements worth making for the chances by horizon; `about` gives everything else."""
    for horizon, chance in sorted(chances.items()):
        probability = round(earned(chance, record), 3)
        label = label_of(probability)
        if label is not None:
            yield replace(about, horizon=horizon, chance=round(chance, 3), probability=probability, label=label)


def grade(statement: Statement, course: Hours, as_of: datetime, *, acted: bool) -> Statement:
    """The statement with what became of it, from the hourly `course` (by hours back from `as_of`). Not before it is
    due, except as a hit. `acted` tells that somebody did something to the cluster meanwhile: then no miss counts."""
    first = round((as_of - statement.due) / timedelta(hours=1))
    window = range(max(0, first), first + statement.horizon)
    values = [course.get(back) for back in window]
    bad = [value is not None and _beyond(statement, value) for value in values]
    if any(sum(bad[at : at + _SPAN]) >= _WITHIN for at in range(len(bad))):
        return replace(statement, state="hit")
    if first < 0:
        return statement
    known = sum(value is not None for value in values)
    return replace(statement, state="void" if acted or known < _KNOWN_SHARE * statement.horizon else "missed")


def _beyond(statement: Statement, value: float) -> bool:
    return value <= statement.threshold if statement.down else value >= statement.threshold


def tallies(record: Iterable[Statement]) -> tuple[LabelRecord, ...]:
    """How the graded statements of each label fared, surest label first; labels without any are left out."""
    known = list(record)
    return tuple(_tally(label, alike) for label in LABELS if (alike := [one for one in known if one.label == label]))


def _tally(label: Confidence, graded: Sequence[Statement]) -> LabelRecord:
    hits = sum(one.state == "hit" for one in graded)
    errors = [(one.probability - (one.state == "hit")) ** 2 for one in graded]
    return LabelRecord(label, len(graded), hits, round(sum(errors) / len(errors), 3))
