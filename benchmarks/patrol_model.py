"""A model's patrols of simulated fleets: the whole path from evidence to report, and what it says and costs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from agent.claude import Claude, ClaudeConfig
from agent.model import Analyst, Model, OnText, Reply, Request
from agent.patrol.errors import ReportMalformed
from agent.patrol.evidence import Evidence
from agent.patrol.report import PatrolReport
from agent.patrol.run import Patrol
from agent.patrol.sections import Sections, parse
from agent.progress import Progress, Spent
from agent.tools import Tools
from benchmarks.patrol_tally import Flag, Flags, Tally, Truth, of_report, quantiles, share
from bot.prices import load_prices, tokens

WRITTEN = (
    "precision", "recall", "f1", "critical_recall", "severity_right", "must_flag_hit", "must_flag_missed",
    "wrongly_flagged", "at_the_border_flagged",
)  # fmt: skip
"""What can be told of the flags that a model wrote itself, before code tied them to the evidence."""


class Unkept:
    """A report writer for reports that nobody reads."""

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        """Keep nothing."""

    async def write_scores(self, evidence: Evidence) -> None:
        """Keep nothing."""


class Heard:
    """A model whose newest text is kept: what it wrote before it was held against the evidence."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.text = ""

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    @property
    def analyst(self) -> Analyst:
        """The model's own."""
        return self._model.analyst

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """The model's reply. Raises its errors."""
        reply = await self._model.reply(request, on_text)
        self.text = reply.text
        return reply


@dataclass(frozen=True, slots=True)
class Patrolled:
    """One patrol: the report as it would be posted, the sections as the model wrote them (None when they had not the
    form), and the calls that it took."""

    report: PatrolReport
    written: Sections | None
    spent: tuple[Spent, ...]


class ModelRun:
    """Patrols fleets with one model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def patrol(self, tools: Tools) -> Patrolled:
        """One morning patrol with the floor beneath it, as it is in production."""
        heard, spent = Heard(self._model), list[Spent]()

        async def on_progress(progress: Progress) -> None:
            if isinstance(progress, Spent):
                spent.append(progress)

        patrol = Patrol(heard, tools, writer=Unkept())
        _, report = await patrol.run_patrol("morning", "benchmark", on_progress)
        return Patrolled(report, _sections(heard.text), tuple(spent))


def _sections(text: str) -> Sections | None:
    try:
        return parse(text)
    except ReportMalformed:
        return None


def flags_written(sections: Sections, report: PatrolReport, truth: Truth) -> Flags:
    """The flags as a model wrote them, by the UUID that its prefix or name means; an invented cluster keeps its own
    words, and is therefore wrong. Why is what was measured there."""
    known = {*truth["must_flag"], *truth["may_flag"], *truth["must_not_flag"]}
    names = {one.cluster_name.lower(): one.cluster_id for one in report.flagged_clusters}
    measured = of_report(report.flagged_clusters)
    flags: dict[str, Flag] = {}
    for one in sections.flags:
        text = one.cluster.strip().lower()
        meant = [cluster for cluster in known if len(text) >= 6 and cluster.startswith(text)] or [names.get(text, text)]
        cluster = meant[0] if len(meant) == 1 else text
        flags.setdefault(cluster, replace(measured.get(cluster, Flag("")), severity=one.severity))
    return flags


@dataclass
class ModelTally:
    """A model's patrols counted: as posted, as written, and what they cost."""

    posted: Tally = field(default_factory=Tally)
    written: Tally = field(default_factory=Tally)
    by_floor: int = 0
    figures: int = 0
    unbound: int = 0
    rounds: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)

    def add(self, patrolled: Patrolled, truth: Truth) -> list[str]:
        """Count one patrol; returns what went wrong, one line each."""
        report, usage = patrolled.report, patrolled.report.usage
        self.figures += report.figures
        self.unbound += report.unbound
        self.rounds.append(usage.rounds)
        self.calls.append(usage.tool_calls)
        self.seconds.append(usage.seconds)
        self.spent.extend(patrolled.spent)
        lines = self.posted.add(of_report(report.flagged_clusters), truth)
        if report.analyst == "rules-only":
            self.by_floor += 1
            return [f"FLOOR {report.notice}", *lines]
        if patrolled.written is not None:
            self.written.add(flags_written(patrolled.written, report, truth), truth)
        return lines

    def summary(self) -> dict[str, Any]:
        """The figures of all patrols."""
        written = self.written.summary()
        return self.posted.summary() | {
            "as_written": {name: written[name] for name in WRITTEN},
            "reports_by_the_floor": self.by_floor,
            "figures": self.figures,
            "figures_unbound": self.unbound,
            "figures_unbound_share": share(self.unbound, self.figures),
            "rounds": quantiles(self.rounds),
            "tool_calls": quantiles(self.calls),
            "seconds": quantiles(self.seconds),
            "tokens": tokens(self.spent),
            "dollars": load_prices().dollars(self.spent),
        }


def no_model(name: str | None, environment: Mapping[str, str]) -> str:
    """Why the model that is wanted cannot be had, in one line; empty when it can, or when none is wanted."""
    if name and not environment.get("ANTHROPIC_API_KEY"):
        return f"--model {name} needs a key: set ANTHROPIC_API_KEY, or leave --model away for the rules-only figures"
    return ""


@asynccontextmanager
async def opened_model(name: str, environment: Mapping[str, str]) -> AsyncIterator[ModelRun]:
    """Claude by the key (and the address, if any) of the environment."""
    config = ClaudeConfig(
        SecretStr(environment["ANTHROPIC_API_KEY"]), base_url=environment.get("ANTHROPIC_BASE_URL"), model=name
    )
    async with Claude(config) as model:
        yield ModelRun(model)
