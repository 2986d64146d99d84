"""A patrol from start to end: evidence, the one loop, the report, and the floor beneath: it always posts."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from agent import prompts
from agent.catalogue import Language
from agent.errors import AgentError, ModelError, ToolsUnavailable
from agent.journal import UNWRITTEN, Chapter, Journal, Json
from agent.loop import Limits, Loop, Turn, ignore_progress
from agent.messages import Message, user_text
from agent.model import Analyst, Model
from agent.patrol.analyst import NAME, PatrolAnalyst, results
from agent.patrol.binding import Bound, bind
from agent.patrol.earlier import LastReport
from agent.patrol.errors import ReportMalformed
from agent.patrol.evidence import Evidence
from agent.patrol.languages import other_words
from agent.patrol.ledger import Ledger
from agent.patrol.narrative import Result, sections
from agent.patrol.predictions import PredictionStore
from agent.patrol.profiles import Profile, own
from agent.patrol.proof import Proof, proven
from agent.patrol.ranking import Left, ranked
from agent.patrol.report import REPORT_TYPES, PatrolReport, PatrolUsage, ReportType
from agent.patrol.rules import Rules, load_rules
from agent.patrol.sections import Sections, parse
from agent.patrol.week import PastReports
from agent.patrol.weekly import looked_back
from agent.progress import OnProgress
from agent.receipts import SIGN
from agent.tools import Tools

log = logging.getLogger(__name__)

# The evidence is in the prompt already; a patrol digs only where it wants to know why.
MAX_ROUNDS = 10
_FOCUS: Mapping[ReportType, str] = {
    "morning": "Morning watch: what changed overnight and what must be done today.",
    "evening": "Evening watch: what to expect overnight and what must not wait until morning.",
    "weekly": "Weekly report: what lasted or came back this week, and what to change for good. The lists of the week"
    " are shown beside your text, so say what matters in them.",
    "on_demand": "Somebody asked for the state of the fleet now.",
}
_IN_LANGUAGE: Mapping[Language, str] = {
    "zh": " Its readers read Chinese: write every text of it in Simplified Chinese. Names, metrics, section headings,"
    " labels in brackets, severities and JSON keys stay as they are."
}
NOT_STORED = "This report could not be stored in the warehouse; the copy here is the only one. The log says why."
MALFORMED = "Claude's report did not have the agreed form, so the rules-only analyst wrote this one."


class ReportWriter(Protocol):
    """Keeps reports. The patrol survives a writer that fails."""

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        """Store a report with the facts it rests on (plain JSON values)."""
        ...

    async def write_scores(self, evidence: Evidence) -> None:
        """Store how each cluster was judged."""
        ...


@dataclass(frozen=True, slots=True)
class _Written:
    """A parsed report, by whom, and the turns that led to it."""

    sections: Sections
    turns: tuple[Turn, ...]
    analyst: Analyst
    model: str
    notice: str = ""
    results: tuple[Result, ...] | None = None
    """What the tools of the rules-only analyst gave; None where a model wrote."""


def _of(turn: Turn) -> _Written:
    return _Written(parse(turn.text), (turn,), turn.analyst, turn.model)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


OnBound = Callable[[Sections, Bound], None]
"""Hears what was written, and what of it stands in the report, in a thread beside the loop."""


def _ignore_bound(written: Sections, bound: Bound) -> None:
    """The `on_bound` of a patrol that nobody examines."""


class Patrol:
    """Patrols the fleet with one model and one set of tools. With `floor` the rules-only analyst steps in whenever the
    model gives no usable report; `clock` gives aware times."""

    def __init__(
        self,
        model: Model,
        tools: Tools,
        *,
        writer: ReportWriter,
        floor: bool = True,
        clock: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = _new_id,
        max_rounds: int = MAX_ROUNDS,
        rules: Rules | None = None,
        predictions: PredictionStore | None = None,
        last: LastReport | None = None,
        profile: Profile | None = None,
        reports: PastReports | None = None,
        prompt: prompts.Prompt | None = None,
        on_bound: OnBound = _ignore_bound,
    ) -> None:
        self._model = model
        self._tools = tools
        self._writer = writer
        self._floor = floor
        self._clock = clock
        self._new_id = new_id
        self._max_rounds = max_rounds
        self._rules = rules or load_rules()
        self._profile = profile or own(self._rules)
        self._ledger = Ledger(predictions)
        self._reports = reports
        self._prompt = prompt or prompts.load("patrol")
        self._on_bound = on_bound
        self._last = last

    async def run_patrol(
        self,
        report_type: str,
        triggered_by: str,
        on_progress: OnProgress = ignore_progress,
        journal: Journal = UNWRITTEN,
        language: Language = "en",
    ) -> tuple[str, PatrolReport]:
        """One patrol and its id, both the same when it is repeated with the `journal` of its first try; the evidence
        is then measured again, but the model is not asked again. A model writes in `language`; what code writes is
        there in every language.

        Raises ValueError for an unknown type, WarehouseUnreadable when there is no evidence to be had, and without a
        floor the model's own errors and ReportMalformed.
        """
        kind = _kind(report_type)
        begin = await journal.step("begun", self._begun)
        started = datetime.fromisoformat(begin["started"])
        waiting, left = await asyncio.gather(self._ledger.open(), self._left())
        looked = await self._profile.look(self._tools, started.astimezone(UTC).replace(tzinfo=None), waiting)
        looked = replace(looked, clusters=ranked(looked.clusters, self._rules.ranking, looked.as_of, left))
        evidence = await self._ledger.settled(looked, self._rules, waiting)
        if kind == "weekly":
            evidence = await looked_back(self._tools, self._rules, evidence, self._reports)
        written = await self._written(_opening(kind, evidence, language), evidence, on_progress, journal)
        # Holding it against long results takes a second, and other turns must not wait for that.
        report = await asyncio.to_thread(
            self._report, begin["report_id"], kind, triggered_by, started, evidence, written
        )
        return report.report_id, await self._stored(report, evidence)

    async def _begun(self) -> Json:
        return {"report_id": self._new_id(), "started": self._clock().isoformat()}

    async def _left(self) -> Left | None:
        if self._last is None:
            return None
        try:
            return await self._last.left_open()
        except Exception:  # whatever the memory is, one that cannot be read must not stop a report
            log.exception("what the last report left open could not be read")
            return None

    async def _written(self, asked: Message, evidence: Evidence, on_progress: OnProgress, journal: Journal) -> _Written:
        # No fallback from the floor to itself: what fails there is a defect, and should be seen.
        if self._model.analyst == "rules-only":
            return await self._by_rules(asked, evidence, on_progress, journal)
        try:
            return await self._by_model(asked, evidence, on_progress, journal)
        except (ModelError, ToolsUnavailable) as error:
            return await self._fallback(asked, evidence, on_progress, journal, error, error.user_message)
        except ReportMalformed as error:
            return await self._fallback(asked, evidence, on_progress, journal, error, MALFORMED)

    async def _fallback(
        self,
        asked: Message,
        evidence: Evidence,
        on_progress: OnProgress,
        journal: Journal,
        error: AgentError,
        notice: str,
    ) -> _Written:
        if not self._floor:
            raise error
        log.warning("the rules-only analyst writes the report: %s: %s", type(error).__name__, error)
        written = await self._by_rules(asked, evidence, on_progress, Chapter(journal, "floor"))
        return replace(written, notice=notice)

    def _system(self) -> str:
        return self._prompt.render(health_rules=self._profile.rules, max_rounds=str(self._max_rounds))

    def _loop(self, model: Model, rounds: int) -> Loop:
        return Loop(model, self._tools, system=self._system(), limits=Limits(rounds=rounds))

    async def _by_model(
        self, asked: Message, evidence: Evidence, on_progress: OnProgress, journal: Journal
    ) -> _Written:
        history = [asked]
        turn = await self._loop(self._model, self._max_rounds).run(history, on_progress, journal)
        try:
            return _of(turn)
        except ReportMalformed as error:
            history.append(_repair(error))
        # One round only, so it may not call tools: the digging is done, only the form was wrong.
        again = await self._loop(self._model, 1).run(history, on_progress, Chapter(journal, "again"))
        return replace(_of(again), turns=(turn, again))

    async def _by_rules(
        self, asked: Message, evidence: Evidence, on_progress: OnProgress, journal: Journal
    ) -> _Written:
        analyst = PatrolAnalyst(evidence, self._rules)
        history = [asked]
        try:
            turn = await self._loop(analyst, self._max_rounds).run(history, on_progress, journal)
        except ToolsUnavailable:
            # The evidence is in hand, so the report needs no further tool.
            return _Written(sections(evidence, self._rules), (), "rules-only", NAME, results=())
        return replace(_of(turn), results=tuple(results(history)))

    def _report(
        self,
        report_id: str,
        kind: ReportType,
        triggered_by: str,
        started: datetime,
        evidence: Evidence,
        written: _Written,
    ) -> PatrolReport:
        proof = _proof(written, evidence)
        text = proof.sections
        bound = bind(text, evidence)
        self._on_bound(text, bound)
        if bound.refused or bound.raised or bound.lowered or bound.unreasoned or bound.added:
            counts = (bound.refused, bound.raised, bound.lowered, bound.unreasoned, bound.added)
            log.info("flags refused %d, raised %d, lowered %d, lowered for no reason %d, forgotten %d", *counts)
        return PatrolReport(
            report_id,
            kind,
            text.narrative,
            bound.flagged,
            bound.predictions,
            bound.customers,
            text.actions,
            written.analyst,
            written.model,
            self._usage(started, evidence, written),
            started.astimezone(UTC).isoformat(timespec="seconds"),
            evidence.as_of.isoformat(sep=" ", timespec="minutes"),
            len(evidence.clusters),
            triggered_by,
            " ".join(part for part in (written.notice, _doubt(bound, evidence, proof)) if part),
            judged=tuple(one.identity.cluster_id for one in evidence.clusters if one.score is not None),
            receipts=_receipts(evidence),
            record=evidence.record,
            figures=proof.stated,
            unbound=proof.unbound,
            coverage=evidence.coverage,
            week=evidence.week,
            words=other_words(evidence, self._rules, written.results),
        )

    def _usage(self, started: datetime, evidence: Evidence, written: _Written) -> PatrolUsage:
        turns = written.turns
        return PatrolUsage(
            rounds=sum(turn.rounds for turn in turns),
            tool_calls=sum(len(turn.tools) for turn in turns),
            input_tokens=sum(
                turn.usage.input_tokens + turn.usage.cache_read_tokens + turn.usage.cache_write_tokens for turn in turns
            ),
            output_tokens=sum(turn.usage.output_tokens for turn in turns),
            seconds=round((self._clock() - started).total_seconds(), 3),
            queries=evidence.statements,
        )

    async def _stored(self, report: PatrolReport, evidence: Evidence) -> PatrolReport:
        try:
            await self._writer.write(report, evidence.to_json())
            await self._writer.write_scores(evidence)
        except Exception:  # whatever the store is and however it fails, the report must reach its readers
            log.exception("the patrol report could not be stored")
            return replace(report, notice=f"{report.notice} {NOT_STORED}".strip())
        return report


def _receipts(evidence: Evidence) -> Mapping[str, str]:
    named = {finding.query_id for finding in evidence.findings} | (evidence.week.query_ids if evidence.week else set())
    return {query_id: sql for query_id, sql in evidence.receipts.items() if query_id in named}


def _kind(report_type: str) -> ReportType:
    for known in REPORT_TYPES:
        if report_type == known:
            return known
    raise ValueError(f"unknown report type {report_type!r}; use one of {', '.join(REPORT_TYPES)}")


def _opening(kind: ReportType, evidence: Evidence, language: Language) -> Message:
    return user_text(
        f"{_FOCUS[kind]} It is {evidence.now:%Y-%m-%d %H:%M} UTC ({evidence.now:%A}).\n\n"
        f"<evidence>\n{evidence.render()}\n</evidence>\n\n"
        "Patrol the fleet by the protocol, then write the report in its five sections."
        f"{_IN_LANGUAGE.get(language, '')}"
    )


def _repair(error: ReportMalformed) -> Message:
    problems = "\n".join(f"- {problem}" for problem in error.problems[:10])
    return user_text(
        f"The report does not have the agreed form:\n{problems}\n"
        "Write the whole report again, all five headed sections, with the same content and nothing around it."
    )


def _proof(written: _Written, evidence: Evidence) -> Proof:
    # what rules wrote was made from the evidence in the first place
    if written.analyst == "rules-only":
        return Proof(written.sections)
    proof = proven(written.sections, evidence, [trace for turn in written.turns for trace in turn.tools])
    if proof.unbound:
        log.info("%d of %d figures of the report are in no query result", proof.unbound, proof.stated)
    return proof


def _doubt(bound: Bound, evidence: Evidence, proof: Proof) -> str:
    """What readers must know about the data or about what was corrected in the model's report."""
    parts: list[str] = []
    if evidence.stale:
        parts.append(f"The newest data is from {evidence.as_of:%Y-%m-%d %H:%M} UTC; everything is said as of then.")
    if bound.refused:
        parts.append(f"{bound.refused} flags without evidence were left out.")
    if bound.unreasoned:
        parts.append(f"{bound.unreasoned} severities were to be lowered without a reason and stand as measured.")
    if proof.unbound:
        parts.append(
            f"{proof.unbound} of {proof.stated} figures, times and names are in no query result; {SIGN} marks them."
        )
    return " ".join(parts)
