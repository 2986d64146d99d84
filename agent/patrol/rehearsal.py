"""The past reported again by another prompt or model: what each wrote, what of it could stand, and what it took.

What is flagged comes from evidence, so versions are compared by what they wrote themselves, before it was bound."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.model import Analyst, Model
from agent.patrol.backtest import Flag
from agent.patrol.binding import Bound
from agent.patrol.evidence import Evidence
from agent.patrol.finding import SEVERITY_RANK
from agent.patrol.profiles import Profile
from agent.patrol.report import FlaggedCluster, PatrolReport, Severity
from agent.patrol.rules import Rules
from agent.patrol.run import Patrol
from agent.patrol.sections import Sections
from agent.progress import Progress, Spent
from agent.prompts import Prompt
from agent.tools import Tools

_SHORTEST_ID = 6
"""Characters of an id that can mean one."""
_WHOLE = ""
"""The dimension of a flag that is about a cluster as a whole."""


@dataclass(frozen=True, slots=True)
class Version:
    """One way to write reports; `rounds` is how many model calls one may take."""

    name: str
    model: Model
    prompt: Prompt
    profile: Profile
    rules: Rules
    rounds: int


@dataclass(frozen=True, slots=True)
class Lowered:
    """A cluster that stands in a report milder than the evidence has it."""

    name: str
    measured: Severity
    told: Severity


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a version wrote as of `at`. `flags` are its own; `refused` of them rest on no evidence, and `left_out`
    clusters that the evidence flags it did not name. Of `figures` that it stated `unbound` are in no query result.
    When rules had to write in its place `analyst` says so, and `notice` why."""

    at: datetime
    flags: tuple[Flag, ...]
    lowered: tuple[Lowered, ...]
    refused: int
    left_out: int
    figures: int
    unbound: int
    spent: tuple[Spent, ...]
    rounds: int
    tool_calls: int
    statements: int
    seconds: float
    analyst: Analyst
    notice: str = ""

    @property
    def tokens(self) -> int:
        """Tokens of all kinds, broken calls included."""
        return sum(_tokens(one) for one in self.spent)


class _Forgetful:
    """A writer of reports that keeps none: a rehearsal is no patrol."""

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        """Nothing."""

    async def write_scores(self, evidence: Evidence) -> None:
        """Nothing."""


async def rehearse(
    version: Version, tools: Tools, at: datetime, timer: Callable[[], float] = time.perf_counter
) -> Rehearsed:
    """The whole patrol once more as of `at` (naive UTC), with `tools` that see no further. Raises WarehouseUnreadable
    when the moment has no data; a model that fails is what the report says, as it would have been then."""
    heard: list[tuple[Sections, Bound]] = []
    spent: list[Spent] = []

    async def on_progress(event: Progress) -> None:
        if isinstance(event, Spent):
            spent.append(event)

    patrol = Patrol(
        version.model,
        tools,
        writer=_Forgetful(),
        clock=lambda: at.replace(tzinfo=UTC),
        max_rounds=version.rounds,
        rules=version.rules,
        profile=version.profile,
        prompt=version.prompt,
        on_bound=lambda sections, bound: heard.append((sections, bound)),
    )
    began = timer()
    _, report = await patrol.run_patrol("on_demand", "backtest", on_progress)
    seconds = timer() - began
    ((sections, bound),) = heard
    return _rehearsed(at, report, sections, bound, spent, seconds)


def _rehearsed(
    at: datetime, report: PatrolReport, sections: Sections, bound: Bound, spent: Sequence[Spent], seconds: float
) -> Rehearsed:
    return Rehearsed(
        at,
        tuple(sorted(_flags(sections, report.flagged_clusters))),
        tuple(_lowered(report.flagged_clusters)),
        bound.refused,
        bound.added,
        report.figures,
        report.unbound,
        tuple(spent),
        report.usage.rounds,
        report.usage.tool_calls,
        report.usage.queries,
        seconds,
        report.analyst,
        report.notice,
    )


def _flags(sections: Sections, flagged: Sequence[FlaggedCluster]) -> Iterator[Flag]:
    """What was written, once for each cluster, under the cluster's own id and name where it is one that is flagged."""
    known: dict[str, Flag] = {}
    for one in sections.flags:
        cluster = _meant(one.cluster, flagged)
        identity, name = (cluster.cluster_id, cluster.cluster_name) if cluster else (one.cluster.lower(), one.cluster)
        known.setdefault(identity, Flag(identity, name, _WHOLE, one.severity))
    yield from known.values()


def _meant(text: str, flagged: Sequence[FlaggedCluster]) -> FlaggedCluster | None:
    wanted = text.strip().lower()
    close = [one for one in flagged if len(wanted) >= _SHORTEST_ID and one.cluster_id.lower().startswith(wanted)]
    named = [one for one in flagged if one.cluster_name.lower() == wanted]
    found = close or named
    return found[0] if len(found) == 1 else None


def _lowered(flagged: Sequence[FlaggedCluster]) -> Iterator[Lowered]:
    for one in flagged:
        worst = min((finding.severity for finding in one.findings), key=SEVERITY_RANK.__getitem__, default=one.severity)
        if SEVERITY_RANK[one.severity] > SEVERITY_RANK[worst]:
            yield Lowered(one.cluster_name, worst, one.severity)


def _tokens(one: Spent) -> int:
    usage = one.usage
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens


def summary(name: str, told: Sequence[Rehearsed], dollars: Callable[[Iterable[Spent]], float | None]) -> str:
    """One line on a version; `dollars` says what calls cost, None when a price is unknown."""
    cost = dollars(spent for one in told for spent in one.spent)
    by_rules = [one.notice for one in told if one.analyst == "rules-only"]
    parts = [
        f"{sum(len(one.flags) for one in told)} flags in {len(told)} reports",
        f"{sum(one.refused for one in told)} without evidence",
        f"{sum(one.left_out for one in told)} flagged clusters not named",
        f"{sum(len(one.lowered) for one in told)} lowered",
        f"{sum(one.unbound for one in told)} of {sum(one.figures for one in told)} figures unbound",
    ]
    took = [
        f"{sum(one.rounds for one in told)} model calls",
        f"{sum(one.tool_calls for one in told)} tool calls",
        f"{sum(one.tokens for one in told):,} tokens",
        "cost unknown" if cost is None else f"${cost:.2f}",
        f"{sum(one.seconds for one in told):.1f} s",
    ]
    fell = f"; {len(by_rules)} written by rules instead: {by_rules[-1]}" if by_rules else ""
    return f"{name}: {', '.join(parts)}; {', '.join(took)}{fell}"
