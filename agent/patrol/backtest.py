"""The past judged again by other rules: which flags appear, which vanish, and what the looks cost.

Clusters are those of today: the control plane keeps no list of who was active when."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from agent.patrol.evidence import Evidence, label
from agent.patrol.profiles import Profile
from agent.patrol.report import Severity
from agent.tools import Tools

CHARS_PER_TOKEN = 2.5
"""Figures and ids; a careful guess that is rather too low."""

OnLook = Callable[[datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True, order=True)
class Flag:
    """A finding as far as rules can differ about it."""

    cluster: str
    name: str
    dimension: str
    severity: Severity

    @property
    def subject(self) -> tuple[str, str]:
        """The same for the same condition, however severe."""
        return (self.cluster, self.dimension)


@dataclass(frozen=True, slots=True)
class Look:
    """What one profile saw as of `at`, and what it took: statements, seconds, characters of the prompt block."""

    at: datetime
    flags: tuple[Flag, ...]
    statements: int
    seconds: float
    characters: int


class Seen(Protocol):
    """What was flagged as of `at`."""

    @property
    def at(self) -> datetime:
        """The moment, naive UTC."""
        ...

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Its flags."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """How a second look at the same moment differs: `graded` are pairs of the same condition at two severities."""

    at: datetime
    appeared: tuple[Flag, ...]
    vanished: tuple[Flag, ...]
    graded: tuple[tuple[Flag, Flag], ...]

    def __bool__(self) -> bool:
        return bool(self.appeared or self.vanished or self.graded)


def moments(newest: datetime, days: int, every: int) -> tuple[datetime, ...]:
    """The moments of a replay, oldest first: every `every` hours over `days` days up to `newest`."""
    count = max(1, days * 24 // every)
    return tuple(newest - timedelta(hours=every * back) for back in range(count - 1, -1, -1))


async def replay(
    tools: Tools,
    profile: Profile,
    times: Sequence[datetime],
    on_look: OnLook,
    timer: Callable[[], float] = time.perf_counter,
) -> tuple[Look, ...]:
    """One look at each moment, one after the other. Raises WarehouseUnreadable when a moment has no data."""
    looks = []
    for at in times:
        await on_look(at)
        began = timer()
        evidence = await profile.look(tools, at, ())
        looks.append(_look(at, evidence, timer() - began))
    return tuple(looks)


def _look(at: datetime, evidence: Evidence, seconds: float) -> Look:
    names = {one.identity.cluster_id: label(one.identity) for one in evidence.flagged}
    flags = (Flag(one.cluster_id, names[one.cluster_id], one.dimension, one.severity) for one in evidence.findings)
    return Look(at, tuple(sorted(flags)), evidence.statements, seconds, len(evidence.render()))


def differences(before: Sequence[Seen], after: Sequence[Seen]) -> Iterator[Difference]:
    """What the second replay sees otherwise, moment by moment. Raises ValueError when their moments differ."""
    for one, other in zip(before, after, strict=True):
        if one.at != other.at:
            raise ValueError("two replays of the same moments were expected")
        yield _difference(one, other)


def _difference(one: Seen, other: Seen) -> Difference:
    old, new = ({flag.subject: flag for flag in look.flags} for look in (one, other))
    return Difference(
        one.at,
        tuple(flag for subject, flag in new.items() if subject not in old),
        tuple(flag for subject, flag in old.items() if subject not in new),
        tuple(
            (flag, new[subject]) for subject, flag in old.items()
            if subject in new and new[subject].severity != flag.severity
        ),
    )  # fmt: skip


def restless(looks: Sequence[Look]) -> int:
    """How often a flag came or went from one look to the next: what readers have to follow."""
    subjects = [{flag.subject for flag in look.flags} for look in looks]
    return sum(len(one ^ other) for one, other in pairwise(subjects))


def summary(name: str, looks: Sequence[Look]) -> str:
    """One line on a replay."""
    flags = sum(len(look.flags) for look in looks)
    clusters = len({flag.cluster for look in looks for flag in look.flags})
    tokens = round(max((look.characters for look in looks), default=0) / CHARS_PER_TOKEN)
    seconds = sum(look.seconds for look in looks)
    return (
        f"{name}: {flags} flags on {clusters} clusters in {len(looks)} looks, {restless(looks)} came or went;"
        f" {sum(look.statements for look in looks)} statements, {seconds:.1f} s, at most {tokens} tokens of evidence"
    )
