"""A stand-in for whoever investigates, and investigations as handlers get them."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.answer import Answer, Receipts, ToolTrace
from agent.investigation.checking import Checked
from agent.investigation.conclusion import Action, Conclusion, EvidenceItem
from agent.investigation.result import Investigation
from agent.investigation.run import Case
from agent.investigation.scene import Measured, Scene
from agent.journal import UNWRITTEN, Journal
from agent.model import Usage
from agent.progress import OnProgress, RoundStarted
from handlers.purse import Purse, Thrift
from tests.fakes.thinking import reading

CLUSTER = "0f8fad5b-d9cb-469f-a165-70867728950e"
ONSET = datetime(2026, 11, 20, 4)


def concluded(**changed: Any) -> Conclusion:
    """A conclusion with something in every section."""
    fields: dict[str, Any] = {
        "severity": "Critical",
        "root_cause": "Likely set off by the version change to 3.5.3-ee.",
        "established": True,
        "evidence": [EvidenceItem(text="p99 950 ms, usually 273 ms", query_id="q-1"), EvidenceItem(text="no receipt")],
        "ruled_out": ["more queries: the same number as before"],
        "unknown": ["what the application changed"],
        "actions": [Action(urgency="Immediate", text="compare the plans"), Action(urgency="This Week", text="upgrade")],
        "confidence": 0.7,
    }
    return Conclusion(**(fields | changed))


def scene(**changed: Any) -> Scene:
    """The scene of a cluster with one finding."""
    slow = Measured("p99_latency_ms", "Critical", 950.0, "ms", "query p99 950 ms", 273.0, 500.0, ONSET, "q-1")
    fields: dict[str, Any] = {"asked": CLUSTER, "now": ONSET, "as_of": ONSET, "known": True, "cluster_id": CLUSTER}
    fields |= {"name": "prod-1", "customer": "Acme & Sons", "tier": "A", "findings": (slow,)}
    return Scene(**(fields | changed))


def made(checked: Checked | None = None, **changed: Any) -> Investigation:
    """An investigation that came to something."""
    checked = checked or Checked(concluded())
    data = {"query_id": "q-1", "sql": "SELECT 1", "tables": ["byoc.clusters"], "row_count": 1}
    trace = ToolTrace("query_cluster_metrics", {"cluster": CLUSTER}, is_error=False, seconds=0.1, data=data)
    answer = Answer(
        checked.conclusion.root_cause,
        "claude",
        "claude-sonnet-5-5",
        rounds=4,
        usage=Usage(1000, 200),
        tools=(trace,),
        seconds=12.5,
        receipts=checked.receipts or Receipts(),
    )
    fields: dict[str, Any] = {"id": "i-1", "answer": answer, "created_at": "2026-11-20T08:00:00+00:00"}
    return Investigation(**(fields | {"scene": scene(), "checked": checked} | changed))


def failed() -> Investigation:
    """One that came to nothing."""
    answer = Answer("The patrol could not read the warehouse.", "claude", "claude-sonnet-5-5", 0, failed=True)
    return Investigation("i-2", answer, "2026-11-20T08:00:00+00:00")


class Investigations:
    """Implements `handlers.deps.Investigations`: gives back `result` and keeps the cases by thread. `fault` is raised
    once instead."""

    def __init__(self) -> None:
        self.cases: dict[str, list[Case]] = defaultdict(list)
        self.users: list[str] = []
        self.thrifts: list[Thrift] = []
        self.result = made()
        self.fault: Exception | None = None

    async def investigate(
        self,
        case: Case,
        thread: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
    ) -> Investigation:
        self.cases[thread].append(case)
        self.users.append(user)
        self.thrifts.append(purse.thrift if purse is not None else "")
        await on_progress(RoundStarted(1, last=False))
        await on_progress(reading("prod-1"))
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return replace(self.result)
