"""Findings in figures: a value with its unit and its usual, a course as a line of blocks, an age."""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeGuard

from agent.patrol.report import FlaggedFinding, Metric
from agent.patrol.rules import number, quantity
from handlers.answers import counted
from handlers.locale import Locale
from handlers.markdown import line, literal
from handlers.words import WORDS

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_MARKUP = re.compile(r"[^\w ,.%:+-]")
_IN_WORDS = {"freshness", "alerts"}
"""What no figure says: since when nothing came, which alerts fired."""


def sparkline(course: Sequence[float | None]) -> str:
    """A course as one character per hour, oldest first; a gap, and what is no number, is a dot. Empty for an empty
    course."""
    known = [value for value in course if _is_number(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    # a course that hardly moves is drawn flat: stretched, noise would look like a mountain; halved, because the whole
    # span of doubles is no double
    span = max(high / 2 - low / 2, abs(high / 2) * 0.05) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(
        _BLOCKS[min(top, int((one / 2 - low / 2) / span * top + 0.5))] if _is_number(one) else _GAP for one in course
    )


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def label(dimension: str, locale: Locale) -> str:
    """A dimension in words; the names of StarRocks' own metrics stay as they are, people search for them."""
    key = f"dimension.{dimension}"
    if key in WORDS:
        return locale.say(key)
    if dimension.startswith(("starrocks_", "node_", "jvm_")):
        return _plain(dimension)
    return _plain(dimension.removesuffix("_pct").replace("_", " ")) + (", %" if dimension.endswith("_pct") else "")


def _plain(text: str) -> str:
    """What is no markup of Markdown, so that figures and times need no escaping: a report has a thousand of them."""
    return _MARKUP.sub("", line(text))


def named(dimension: str, value: float, unit: str, locale: Locale) -> str:
    """`disk used 85%`."""
    return f"{label(dimension, locale)} {amount(value, unit, locale)}"


def sentence(finding: FlaggedFinding, locale: Locale, before: float | None = None) -> str:
    """Markdown: the figure, what is usual, the limit, where it leads, what it was in the last report, its course."""
    if finding.dimension in _IN_WORDS:
        return literal(finding.reason if locale.language == "en" else _in_words(finding, locale))
    told = ", ".join(_told(finding, locale, before))
    drawn = sparkline(finding.course)
    return f"{told} {drawn}" if drawn else told


def _in_words(finding: FlaggedFinding, locale: Locale) -> str:
    """What no figure says, made anew from what is known of it. The names of alerts stand in the reason alone."""
    count, since = number(finding.value), when(finding.since, locale) if finding.since else ""
    if finding.dimension == "alerts":
        _, said, names = finding.reason.partition("): ")
        usual = number(finding.baseline or 0)
        told = locale.say("reason.storm", count=count, usual=usual, since=since or locale.say("reason.unknown"))
        return f"{told}: {names}" if said else told
    if finding.unit != "h":
        return locale.say("reason.blind", count=count)
    return locale.say("reason.silent" if since else "reason.never", hours=f"{finding.value:.0f}", since=since)


def amount(value: float, unit: str, locale: Locale) -> str:
    """A figure with its unit in the reader's words: `340 ms`, `3 个作业`."""
    key = f"unit.{unit}"
    return quantity(value, locale.say(key) if key in WORDS else unit)


def _told(finding: FlaggedFinding, locale: Locale, before: float | None) -> Iterator[str]:
    unit = finding.unit
    yield named(finding.dimension, finding.value, unit, locale)
    if finding.baseline is not None:
        yield locale.say("figure.usual", value=amount(finding.baseline, unit, locale))
    # a limit that is not met says nothing about a finding that stands for its change alone, and looks like a mistake
    if finding.threshold is not None and _met(finding, finding.threshold):
        key = "figure.limit.down" if finding.down else "figure.limit"
        yield locale.say(key, value=amount(finding.threshold, unit, locale))
    if finding.hours_left is not None and finding.breaking is not None and finding.hours_left > 0:
        ahead = amount(finding.breaking, unit, locale)
        yield locale.say("figure.ahead", value=ahead, hours=quantity(finding.hours_left, ""))
    if before is not None:
        yield locale.say("figure.was", value=amount(before, unit, locale))


def _met(finding: FlaggedFinding, threshold: float) -> bool:
    return finding.value <= threshold if finding.down else finding.value >= threshold


def figure(value: Metric) -> str:
    """A figure without a unit, as people read it."""
    if isinstance(value, str):
        return line(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def moment_of(text: str) -> datetime | None:
    """A time of a report, ISO text in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def when(text: str, locale: Locale) -> str:
    """A time of a report on the reader's clock; what is no time stays as it is."""
    moment = moment_of(text)
    return _plain(text) if moment is None else locale.time(moment)


def age(since: datetime, until: datetime, locale: Locale) -> str:
    """How long something lasted, in whole days or, below one, in hours."""
    hours = max(0, int((until - since).total_seconds() // 3600))
    return counted("days", hours // 24, locale) if hours >= 24 else counted("hours", hours, locale)
