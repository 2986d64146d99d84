"""A conclusion held against what was really read: receipts, ids, severity, and how confident anybody may be of it.

A model's confidence is what it feels; how far it may be believed follows from what it looked at, by the rules here."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.answer import Receipt, Receipts, ToolTrace
from agent.investigation.conclusion import LEVELS, Action, Conclusion, EvidenceItem, Level
from agent.investigation.scene import Scene
from agent.model import Analyst
from agent.moments import Known, moments, read_in
from agent.receipts import SIGN, Grounds, marked, receipts, words_in

Doubt = Literal[
    "no_receipt", "not_established", "unknown_cluster", "silent", "unbound", "unread", "one_source", "limited",
    "stale", "few", "no_alternative",
]  # fmt: skip
"""Why nobody may be surer than `CAPS` says."""

CAPS: Mapping[Doubt, float] = {
    "no_receipt": 0.3,
    "not_established": 0.3,
    "unknown_cluster": 0.3,
    "silent": 0.4,
    "unbound": 0.4,
    "unread": 0.5,
    "one_source": 0.5,
    "limited": 0.5,
    "stale": 0.5,
    "few": 0.7,
    "no_alternative": 0.7,
}
"""The most that may be believed under each doubt; the lowest one holds."""
NEEDED = ("query_cluster_alerts", "query_cluster_metrics", "query_cluster_operations")
"""Whoever has not read these does not know what happened around the onset."""
ENOUGH = 3
"""Items with a receipt."""
_ID = re.compile(
    r"(?<![\w-])([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8})(?![\w-])"
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A conclusion as it may be shown. `doubts` are those that held its confidence down; `withheld` is the severity
    that was asked for and not granted; `refused` counts what was left out because it names a cluster that nobody
    saw."""

    conclusion: Conclusion
    receipts: Receipts = Receipts()  # noqa: RUF009 - it is frozen
    doubts: tuple[Doubt, ...] = ()
    withheld: Level | None = None
    refused: int = 0


def checked(
    said: Conclusion,
    scene: Scene,
    tools: Sequence[ToolTrace],
    *,
    analyst: Analyst,
    limited: bool = False,
    asked: str = "",
) -> Checked:
    """The conclusion with a sign behind each figure and time that is in no result, without what names a cluster that
    is in none, no graver than what was measured, and no surer than what it rests on. `limited` = the turn ran into a
    limit."""
    traces = (*scene.traces(), *tools)
    kept, refused = _without_strangers(said, _seen(scene, tools, asked))
    text = _Text(Grounds(traces, (scene.render(),), asked, scene.now), _times(scene, traces, asked), analyst)
    read = {query_id: one.name for one in traces if (query_id := _receipt(one))}
    items = [text.item(one, read) for one in kept.evidence]
    bound = kept.model_copy(
        update={
            "root_cause": text.checked(kept.root_cause),
            "evidence": items,
            "ruled_out": [text.checked(one) for one in kept.ruled_out],
            "unknown": [text.checked(one) for one in kept.unknown],
            "actions": [Action(urgency=one.urgency, text=text.checked(one.text)) for one in kept.actions],
            "severity": _granted(scene.severity, kept.severity),
        }
    )
    cause_unbound = SIGN in bound.root_cause
    holds = dict(_doubts(bound, scene, tools, read, limited=limited, unbound=cause_unbound, refused=refused))
    most = min((CAPS[one] for one, so in holds.items() if so), default=1.0)
    # told only when they changed something: doubts about what is hardly believed anyway are noise
    doubts = tuple(one for one, so in holds.items() if so and CAPS[one] < said.confidence)
    return Checked(
        bound.model_copy(update={"confidence": min(said.confidence, most)}),
        Receipts(tuple(text.bound), tuple(text.unbound)),
        doubts,
        said.severity if bound.severity != said.severity else None,
        refused,
    )


class _Text:
    """Checks text after text, and keeps the receipts of all of them."""

    def __init__(self, grounds: Grounds, times: Known, analyst: Analyst) -> None:
        self._grounds = grounds
        self._times = times
        # what rules counted and compared stands in no one cell, and no model had a hand in it
        self._trusted = analyst == "rules-only"
        self.bound: list[Receipt] = []
        self.unbound: list[tuple[int, int]] = []

    def checked(self, text: str) -> str:
        """The text with its signs."""
        return self._signed(text)[0]

    def item(self, item: EvidenceItem, read: Mapping[str, str]) -> EvidenceItem:
        """The item with its signs and its receipt: the one it names if that was read, else one of its figures'."""
        text, found = self._signed(item.text)
        named = [item.query_id, *(one.query_id for one in found.bound)]
        return EvidenceItem(text=text, query_id=next((one for one in named if one in read), ""))

    def _signed(self, text: str) -> tuple[str, Receipts]:
        found = receipts(text, self._grounds)
        self.bound.extend(found.bound)
        if self._trusted:
            return text, replace(found, unbound=())
        times = [(one.start, one.end) for one in moments(text) if not self._times.holds(one)]
        found = replace(found, unbound=tuple(sorted({*found.unbound, *times})))
        self.unbound.extend(found.unbound)
        return marked(text, found), found


def _receipt(trace: ToolTrace) -> str:
    """The query id of a call that gave a result; else empty."""
    return "" if trace.is_error else str((trace.data or {}).get("query_id") or "")


def _seen(scene: Scene, tools: Sequence[ToolTrace], asked: str) -> str:
    """All text in which the id of a cluster may have been read."""
    told = [word for one in tools if not one.is_error for word in words_in(one)]
    return "\n".join((json.dumps(scene.to_json()), asked, *told)).lower()


def _times(scene: Scene, traces: Sequence[ToolTrace], asked: str) -> Known:
    """The points in time that were read, or that bound what was asked for."""
    said = [word for one in traces if not one.is_error for word in words_in(one)]
    bounds = [str(value) for one in traces for value in one.arguments.values()]
    read = read_in((scene.render(), asked, *said, *bounds), scene.as_of.year)
    return Known(frozenset({scene.now, scene.as_of, *read}))


def _without_strangers(said: Conclusion, seen: str) -> tuple[Conclusion, int]:
    """The conclusion without the lines that name an id that was never read, and how many those are. In the root cause,
    which cannot be left out, the id carries the sign."""

    def known(text: str) -> bool:
        return all(one in seen for one in _ID.findall(text.lower()))

    def signed(match: re.Match[str]) -> str:
        return match[0] if match[0].lower() in seen else f"{match[0]}{SIGN}"

    kept = said.model_copy(
        update={
            "root_cause": re.sub(_ID, signed, said.root_cause),
            "evidence": [one for one in said.evidence if known(one.text)],
            "ruled_out": [one for one in said.ruled_out if known(one)],
            "unknown": [one for one in said.unknown if known(one)],
            "actions": [one for one in said.actions if known(one.text)],
        }
    )
    lists = ("evidence", "ruled_out", "unknown", "actions")
    lost = sum(len(getattr(said, name)) - len(getattr(kept, name)) for name in lists)
    return kept, lost + (not known(said.root_cause))


def _granted(measured: Level, wanted: Level) -> Level:
    """The severity that may stand: what is unknown stays so, nothing is graver than what was measured, and nobody can
    say that nothing is wrong where the rules found something."""
    if measured == "Unknown" or wanted in {"Unknown", "Info"}:
        return measured
    return max(measured, wanted, key=LEVELS.index)


def _doubts(
    said: Conclusion,
    scene: Scene,
    tools: Sequence[ToolTrace],
    read: Mapping[str, str],
    *,
    limited: bool,
    unbound: bool,
    refused: int,
) -> Iterator[tuple[Doubt, bool]]:
    rests_on = [one.query_id for one in said.evidence if one.query_id]
    answered = {one.name for one in tools if not one.is_error}
    yield "no_receipt", not rests_on
    yield "not_established", not said.established
    yield "unknown_cluster", not scene.known or refused > 0
    yield "silent", scene.severity == "Unknown"
    yield "unbound", unbound
    yield "unread", any(name not in answered for name in NEEDED)
    yield "one_source", len({read[one] for one in rests_on}) < 2
    yield "limited", limited
    yield "stale", scene.stale
    yield "few", len(rests_on) < ENOUGH
    yield "no_alternative", not said.ruled_out
