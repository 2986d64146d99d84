"""Times as people write them, the words for how a value moved, and how new the data is."""

from agent.rules_only.envelope import Failure, Outcome, Sheet
from agent.rules_only.voice import NO_VALUE, Voice
from agent.rules_only.writing.markdown import safe

_STEADY, _NOTABLE, _MANIFOLD = 5.0, 20.0, 10.0


def moment(text: str) -> str:
    """A warehouse time as `2026-03-01 14:00 UTC`."""
    return f"{safe(text[:16], 20)} UTC" if text else NO_VALUE


def move(voice: Voice, first: float | None, last: float | None, unit: str = "") -> str:
    """How a value moved from `first` to `last`, in words with both figures; empty when one of them is missing."""
    if first is None or last is None:
        return ""
    ends = f"{voice.figure(first, unit)} → {voice.figure(last, unit)}"
    if unit == "%":
        points = last - first
        return voice.say("move.steady" if abs(points) < 1 else ("move.up" if points > 0 else "move.down"), ends=ends)
    if first == 0:
        return voice.say("move.steady" if last == 0 else "move.from_zero", ends=ends)
    if last / first >= _MANIFOLD:
        return voice.say("move.fold", fold=f"{last / first:,.0f}", ends=ends)
    change = 100 * (last - first) / abs(first)
    if abs(change) < _STEADY:
        return voice.say("move.steady", ends=ends)
    way = ("up" if change > 0 else "down") + ("" if abs(change) >= _NOTABLE else ".slightly")
    return voice.say(f"move.by.{way}", change=f"{abs(change):,.0f}", ends=ends)


def freshness(voice: Voice, outcome: Outcome | None) -> str:
    """One line on how new the data is, from the freshness query; says so when that is not known."""
    if not isinstance(outcome, Sheet) or not outcome.first.text("newest_hour"):
        known = not isinstance(outcome, Failure) and outcome is not None
        return voice.say("fresh.none") if known else ""
    row = outcome.first
    newest, age = moment(row.text("newest_hour")), row.number("hours_old")
    if age is None:
        return voice.say("fresh.known", newest=newest)
    return voice.say("fresh.old" if age > 3 else "fresh.aged", newest=newest, age=voice.figure(age))
