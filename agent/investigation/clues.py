"""What the results of the calls say, as clues: metrics that moved with the trouble, operations before it, log lines
that came with it, peers that show the same."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from agent.investigation.plan import Ask, signs_of
from agent.investigation.scene import TOGETHER, Scene
from agent.investigation.signs import Deed, Pair, load_causes
from agent.rules_only.envelope import Failure, Outcome, Row, Sheet
from agent.untrusted import visible

NEAR = timedelta(hours=3)
"""An operation within this time of the onset is close to it."""
BEFORE = timedelta(hours=24)
_AFTER = timedelta(hours=1)
"""Onsets are measured in whole hours, so what set trouble off may seem to follow it."""
_HOURS = 24
_SHOWN = 140
_OFTEN = 3
_STILL = math.log(1.1)
_HALF_AS_FAR = 0.5
_EPSILON = 1e-9
_ALL = 1e6
"""Stands for a move from nothing."""


@dataclass(frozen=True, slots=True)
class Move:
    """How a metric beside the finding changed: `ratio` of the hours since the onset to the same hours of a day before;
    `after` and `before` are medians."""

    pair: Pair
    before: float
    after: float
    query_id: str

    @property
    def ratio(self) -> float:
        """After over before; a move from nothing is a very large one."""
        if self.before > _EPSILON:
            return self.after / self.before
        return _ALL if self.after > _EPSILON else 1.0

    @property
    def moved(self) -> bool:
        """Whether it is a move by the rules."""
        return self.pair.moved(self.ratio)


@dataclass(frozen=True, slots=True)
class Done:
    """An operation, `gap` before the onset (negative: after it). `deed` is None for one that nothing is known of."""

    at: datetime
    kind: str
    detail: str
    gap: timedelta
    deed: Deed | None
    query_id: str

    def explains(self, dimension: str) -> bool:
        """Whether it may have set trouble of this dimension off."""
        return self.deed is None or self.deed.explains(dimension)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that came again and again since the onset, and not before it; untrusted."""

    text: str
    level: str
    count: int
    first: datetime
    query_id: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The cluster's witness metric on its peers: how many were measured, and how many of them moved alike."""

    measured: int
    moved: int
    query_id: str


@dataclass(frozen=True, slots=True)
class Clues:
    """All of them. `unread` are steps without a result; `receipts` the query id of each step that has one."""

    moves: tuple[Move, ...] = ()
    operations: tuple[Done, ...] = ()
    logs: tuple[LogLine, ...] = ()
    compared: Compared | None = None
    same_lines: frozenset[str] = frozenset()
    """Other clusters whose nodes write the same new lines."""
    first_alert: tuple[str, datetime] | None = None
    earlier: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    receipts: Mapping[str, str] = field(default_factory=dict)
    state: str = ""


def clues(scene: Scene, asks: Sequence[Ask], outcomes: Mapping[str, Outcome]) -> Clues:
    """The clues in the outcomes, which are by the key of their ask."""
    found = {ask.step: outcomes.get(ask.key, Failure("unavailable")) for ask in asks}
    sheets = {step: one for step, one in found.items() if isinstance(one, Sheet)}
    empty = Sheet()
    return Clues(
        tuple(_moves(scene, sheets.get("metrics", empty))),
        tuple(_operations(scene, sheets.get("operations", empty))),
        tuple(_logs(scene, sheets.get("logs", empty))),
        _compared(scene, sheets.get("sql", empty)),
        frozenset(row.text("cluster_id") for row in sheets.get("lines", empty)),
        _first_alert(sheets.get("alerts", empty)),
        tuple(_earlier(sheets.get("memory", empty))),
        tuple(step for step, one in found.items() if isinstance(one, Failure)),
        {step: one.result_id for step, one in sheets.items()},
        sheets.get("context", empty).first.text("state"),
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=None)
    except ValueError:
        return None


def _moves(scene: Scene, sheet: Sheet) -> Iterator[Move]:
    onset = scene.onset
    if onset is None:
        return
    rows = [(at, row) for row in sheet if row.text("partial") != "1" and (at := _moment(row.text("hour")))]
    # the gravest finding's own come last, so that they win
    wanted = [*(load_causes().of(one.dimension) for one in scene.findings), signs_of(scene)]
    pairs = {pair.metric: pair for signs in wanted for pair in signs.pairs}
    for pair in pairs.values():
        levels = {at: value for at, row in rows if (value := _value(row, pair.metric)) is not None}
        habits = {at: value for at, row in rows if (value := row.number(f"{pair.metric}_usual")) is not None}
        matched = list(_matched(levels, habits, onset, up=pair.factor >= 1))
        if matched:
            before, after = (median(values) for values in zip(*matched, strict=True))
            yield Move(pair, before, after, sheet.result_id)


def _value(row: Row, metric: str) -> float | None:
    counted = row.number(f"{metric}_increase")
    return row.number(f"{metric}_avg") if counted is None else counted


def _matched(
    levels: Mapping[datetime, float], habits: Mapping[datetime, float], onset: datetime, *, up: bool
) -> Iterator[tuple[float, float]]:
    """Pairs of (before, after) for the newest day since the onset: the same hour of the last day before it, so that a
    daily rhythm is no move, or what is usual at this hour of the week where that is nearer to it."""
    newest = max(levels, default=onset)
    for at, value in levels.items():
        if at < onset or newest - at >= timedelta(hours=_HOURS):
            continue
        days = (at - onset) // timedelta(days=1) + 1
        earlier = levels.get(at - timedelta(days=days))
        known = [one for one in (earlier, habits.get(at)) if one is not None]
        if earlier is not None:
            yield (max if up else min)(known), value


def _operations(scene: Scene, sheet: Sheet) -> Iterator[Done]:
    """What was done within a day before the onset, nearest first."""
    onset = scene.onset
    if onset is None:
        return
    found = []
    for row in sheet:
        at = _moment(row.text("created_at"))
        if at is not None and -_AFTER <= onset - at <= BEFORE:
            kind, detail = row.text("type"), _shown(row.text("detail"))
            deed = load_causes().deed(kind, detail)
            found.append(Done(at, kind, detail, onset - at, deed, sheet.result_id))
    yield from sorted(found, key=lambda one: abs(one.gap))


def _shown(text: str) -> str:
    """Untrusted text on one line that no markup can end."""
    return " ".join(visible(text).split())[:_SHOWN].replace("`", "'")


def _logs(scene: Scene, sheet: Sheet) -> Iterator[LogLine]:
    """Lines of the nodes by what they say, the most frequent first; figures in them do not make them different."""
    groups: dict[str, list[tuple[datetime, str, str]]] = {}
    for row in sheet:
        at, text = _moment(row.text("log_time")), _shown(row.text("message"))
        if at is not None and text:
            groups.setdefault(re.sub(r"\d+", "#", text), []).append((at, row.text("level"), text))
    found = []
    for lines in groups.values():
        first, level, text = min(lines)
        # a line from before the onset is ordinary, unless older lines were cut off
        fresh = scene.onset is None or first >= scene.onset - TOGETHER
        if len(lines) >= _OFTEN and fresh:
            found.append(LogLine(text, level, len(lines), first, sheet.result_id))
    yield from sorted(found, key=lambda one: (one.level != "ERROR", -one.count))[:3]


def _compared(scene: Scene, sheet: Sheet) -> Compared | None:
    """Peers that went the same way, at least half as far on a scale of ratios; None when the cluster itself did not
    move, as there is nothing to be alike then."""
    went: dict[str, float] = {}
    for row in sheet:
        before, after = row.number("before_onset"), row.number("since_onset")
        if before is not None and after is not None:
            went[row.text("cluster_id")] = math.log((after + _EPSILON) / (before + _EPSILON))
    own = went.pop(scene.cluster_id, 0.0)
    if abs(own) < _STILL or not went:
        return None
    moved = sum(one / own >= _HALF_AS_FAR for one in went.values())
    return Compared(len(went), moved, sheet.result_id)


def _first_alert(sheet: Sheet) -> tuple[str, datetime] | None:
    firing = [
        (at, _shown(row.text("alert_name")))
        for row in sheet
        if row.text("state").lower() == "firing" and (at := _moment(row.text("last_incident_began", "first_firing")))
    ]
    return (min(firing)[1], min(firing)[0]) if firing else None


def _earlier(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Day and finding of earlier investigations, newest first; untrusted."""
    for row in sheet:
        if row.text("source") == "investigation" and row.text("finding"):
            yield row.text("created_at")[:10], _shown(row.text("finding"))
