"""Stand-ins for what handlers need: agents that tell what they were asked in a thread, patrols, reports, a surface."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from agent.answer import Answer
from agent.approval import Approvals
from agent.catalogue import Language
from agent.journal import UNWRITTEN, Journal
from agent.messages import Message
from agent.patrol.report import FlaggedCluster, PatrolReport, PatrolUsage, ReportType
from agent.progress import OnProgress, Progress, RoundStarted, Spent, ToolStarted
from handlers.deps import OnStep
from handlers.document import Document, Form
from handlers.purse import Purse, Thrift
from handlers.surface import Mark, Posted, Press, Said, SurfaceError, Writing
from handlers.writing import whole


def report(flagged: int = 2, **more: Any) -> PatrolReport:
    """A report with that many flagged clusters, named prod-0, prod-1, …"""
    clusters = tuple(
        FlaggedCluster(
            cluster_id=f"0000-{n}",
            cluster_name=f"prod-{n}",
            severity="Critical" if n % 2 == 0 else "Warning",
            reason=f"Compaction score {n + 100} for three hours.",
            key_metrics={"compaction_score": n + 100.5, "disk_used_pct": 91},
            customer="Acme & Sons",
            tier="A",
            since="2026-01-01 04:00",
        )
        for n in range(flagged)
    )
    fields: dict[str, Any] = {"report_type": "morning", "fleet_narrative": "Two clusters **compact** too slowly."}
    fields |= {"predictions": (), "customer_summaries": (), "recommended_actions": (), "analyst": "claude"}
    fields |= {"model": "claude-sonnet-5-5", "usage": PatrolUsage(3, 7, 100, 20, 12.4, 11), "active_clusters": 170}
    return PatrolReport(**({"report_id": "R-1", "flagged_clusters": clusters} | fields | more))


def reading(cluster: str, call_id: str = "call-1") -> ToolStarted:
    """A call that is shown as `Reading metrics of …`."""
    return ToolStarted(call_id, "query_cluster_metrics", {"cluster": cluster})


class Agents:
    """Answers with what was said in the thread so far, oldest first; `fault` is raised once instead, `steps` shown.
    While `hold` is clear an answer waits for it. `spent` is what each one spends, before it waits."""

    def __init__(self) -> None:
        self.threads: dict[str, list[str]] = defaultdict(list)
        self.steps: tuple[Progress, ...] = (
            RoundStarted(1, last=False),
            RoundStarted(2, last=False),
            reading("prod-0"),
        )
        self.fault: Exception | None = None
        self.reply = ""
        self.hold = asyncio.Event()
        self.hold.set()
        self.users: list[str] = []
        self.overheard: list[str] = []
        self.spent: tuple[Spent, ...] = ()
        self.thrifts: list[Thrift] = []

    async def pause(self) -> None:
        """Thinking takes a while, in which a step can be shown."""
        await asyncio.sleep(0)

    async def chat(
        self,
        thread: str,
        text: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        overheard: str = "",
        approvals: Approvals | None = None,
    ) -> Answer:
        self.threads[thread].append(text)
        self.users.append(user)
        self.overheard.append(overheard)
        if purse is not None:
            self.thrifts.append(purse.thrift)
            purse.spent.extend(self.spent)
        for step in self.steps:
            await on_progress(step)
            await self.pause()
        await self.hold.wait()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        told = self.reply or "You said: " + "; ".join(self.threads[thread])
        return Answer(told, "claude", "claude-sonnet-5-5", rounds=2, seconds=1.25)

    async def forget(self, thread: str, user: str) -> None:
        self.threads.pop(thread, None)


class Patrols:
    """Gives back `report`, of the asked type; while `gate` is clear a run waits for it. `spent` is what each one
    spends."""

    def __init__(self) -> None:
        self.report = report()
        self.runs: list[tuple[str, str]] = []
        self.languages: list[Language] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None
        self.partial: set[str] = set()
        self.elsewhere: tuple[ReportType, ...] = ()
        self.spent: tuple[Spent, ...] = ()
        self.thrifts: list[Thrift] = []

    def may_be_read(self, place: str, user: str) -> bool:
        return place not in self.partial

    async def running(self) -> Collection[ReportType]:
        return self.elsewhere

    async def run(
        self,
        report_type: ReportType,
        triggered_by: str,
        on_step: OnStep,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        language: Language = "en",
    ) -> PatrolReport:
        self.runs.append((report_type, triggered_by))
        self.languages.append(language)
        purse = purse or Purse()
        self.thrifts.append(purse.thrift)
        purse.spent.extend(self.spent)
        await on_step("Reading the state of the fleet")
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return self.report


class Reports:
    """Keeps in memory what is tied."""

    def __init__(self) -> None:
        self.tied: dict[str, PatrolReport] = {}
        self.openings: dict[str, Sequence[Message]] = {}

    async def tie(self, thread: str, report: PatrolReport, opening: Sequence[Message]) -> None:
        self.tied[thread] = report
        self.openings[thread] = opening

    async def find(self, report_id: str) -> Mapping[str, Any] | None:
        return next((one.to_json() for one in self.tied.values() if one.report_id == report_id), None)


class Surface:
    """A platform in memory: posts by place in order, the statuses shown, and what was redrawn, whispered and asked.
    `refuse` makes the next posts fail, a clear `gate` holds statuses on their way."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, Document]] = []
        self.marks: list[Mark | None] = []
        self.statuses: list[tuple[str, str]] = []
        self.updates: list[tuple[str, Document]] = []
        self.whispers: list[tuple[str, str, Document]] = []
        self.dialogs: list[tuple[Press, str, Document, Form | None]] = []
        self.suggested: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.homes: list[tuple[str, Document]] = []
        self.heard: dict[str, list[Said]] = {}
        self.refuse = 0
        self.status_fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        if self.refuse:
            self.refuse -= 1
            raise SurfaceError("the channel is archived")
        self.posts.append((place, document))
        self.marks.append(mark)
        thread = place if place.count(":") >= 2 else f"{place}:{len(self.posts)}"
        return Posted(thread, (f"{thread.rpartition(':')[0]}:{len(self.posts)}",))

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        self.updates.append((message, document))

    async def status(self, thread: str, text: str) -> None:
        await self.gate.wait()
        if self.status_fault is not None:
            raise self.status_fault
        self.statuses.append((thread, text))

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        return whole(self, thread, mark)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        return [one for one in self.heard.get(thread, ()) if one.order > after]

    async def whisper(self, place: str, user: str, document: Document) -> None:
        self.whispers.append((place, user, document))

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        self.dialogs.append((press, title, document, form))

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        self.suggested.append((place, tuple(prompts)))

    async def home(self, user: str, document: Document) -> None:
        self.homes.append((user, document))
