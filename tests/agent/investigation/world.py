"""A small world for investigations: evidence of a fleet, tools that answer, and conclusions as a model writes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.discovery import DISCOVERY_TOOL
from agent.investigation.result import Investigation
from agent.investigation.run import Investigator
from agent.model import Model
from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import Severity
from agent.session import MemorySessions
from agent.tools import ToolResult, ToolSpec

NOW = datetime(2026, 11, 20, 12, 20)
AS_OF = datetime(2026, 11, 20, 12)
ONSET = AS_OF - timedelta(hours=6)
A, B, C, D = (f"{n}f8fad5b-d9cb-469f-a165-70867728950e" for n in (1, 2, 3, 4))
"""Cluster under investigation, one of its account, one of its version, a stranger."""
LOOK = "q-10cc"
"""Query id of the look at the fleet."""
_TEXT = {"type": "string"}
_PROPERTIES: Mapping[str, Any] = {
    "cluster": _TEXT,
    "days": {"type": "integer"},
    "hours": {"type": "integer"},
    "limit": {"type": "integer"},
    "level": _TEXT,
    "sql": _TEXT,
    "max_rows": {"type": "integer"},
    "metrics": {"type": "array"},
}
TOOLS = (
    "query_cluster_info",
    "query_cluster_alerts",
    "query_cluster_metrics",
    "query_cluster_operations",
    "query_agent_memory",
    "query_similar_clusters",
    "search_logs",
    "query_live_state",
    "read_query",
)


def finding(
    cluster: str, dimension: str = "p99_latency_ms", severity: Severity = "Critical", since: datetime | None = ONSET
) -> Finding:
    reason = f"{dimension} 950, usually 273 at this hour; limit 500"
    return Finding(cluster, dimension, severity, 950.0, "ms", reason, 273.0, 500.0, since, LOOK)


def member(
    cluster: str, *findings: Finding, account: str = "acc000001", version: str = "3.5.3-ee", **more: Any
) -> ClusterEvidence:
    name = more.pop("name", f"prod-{cluster[0]}")
    identity = Identity(cluster, name, account, customer="Acme", tier=more.pop("tier", "A"), version=version)
    return ClusterEvidence(identity, score=50.0, findings=findings, **more)


def fleet(*clusters: ClusterEvidence, now: datetime = NOW) -> Evidence:
    """The evidence of some clusters; without any it is the ill one, two peers that are well, and a stranger."""
    well = (member(B, version="3.4.7-ee"), member(C, account="acc000002"), member(D, account="x", version="3.1.1-ee"))
    shown = clusters or (member(A, finding(A)), *well)
    return Evidence(
        now,
        AS_OF,
        clusters=shown,
        receipts={LOOK: "SELECT 1 FROM metrics.amv_hourly_snapshots_v1", "q-0000": "SELECT others"},
    )


def sheet(header: str, *rows: Sequence[object], query_id: str = "q-aaaa", note: str = "") -> ToolResult:
    """A result as the door tells it: text for a model, data for code."""
    names = header.split()
    lines = [",".join("NULL" if cell is None else str(cell) for cell in row) for row in rows]
    text = [f"columns: {', '.join(f'{name}:VARCHAR' for name in names)}", *([f"-- {note}"] if note else [])]
    text += [",".join(names), *lines, f"-- {len(rows)} rows, from t, 0.01 s, {query_id}"]
    data = {"columns": [{"name": name, "type": "VARCHAR"} for name in names], "rows": [list(row) for row in rows]}
    data |= {
        "row_count": len(rows),
        "query_id": query_id,
        "sql": f"SELECT {query_id}",
        "tables": ["t"],
        "seconds": 0.01,
    }
    return ToolResult("\n".join(text), data=data)


OPERATIONS = "created_at type state detail order_id"
LOGS = "log_time node level message"
ALERTS = "alert_name state first_firing last_incident_began"
UPGRADE = ("2026-11-20 05:40:00", "UPDATE", "SUCCESS", "sr_version 3.4.7-ee -> 3.5.3-ee", "o-1")


def course(metric: str, before: float, after: float, hours: int = 33, *, counter: bool = False) -> ToolResult:
    """The hourly series of one metric that changed at the onset."""
    names = f"hour partial {metric}_increase" if counter else f"hour partial {metric}_avg"
    rows = [
        (str(at), 0, after if at >= ONSET else before)
        for at in (AS_OF - timedelta(hours=back) for back in range(hours, -1, -1))
    ]
    return sheet(names, *rows, query_id="q-3333")


class Warehouse:
    """Implements `agent.tools.Tools`: each tool answers what it is told to, the others with an empty sheet. `down` are
    tools that fail, `calls` all that was asked. While `gone` there are no tools at all."""

    def __init__(self, *, down: Sequence[str] = (), **answers: ToolResult) -> None:
        self.answers = answers
        self.down = set(down)
        self.gone: Exception | None = None
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def specs(self) -> Sequence[ToolSpec]:
        if self.gone is not None:
            raise self.gone
        return [ToolSpec(name, name, {"type": "object", "properties": _PROPERTIES}) for name in TOOLS]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if name == DISCOVERY_TOOL:
            return ToolResult("the tables")
        self.calls.append((name, arguments))
        if name in self.down:
            return ToolResult("UNAVAILABLE: no connection", is_error=True, data={"code": "unavailable"})
        if name == "read_query" and "byoc.cluster_log" in arguments["sql"]:
            return self.answers.get("lines", sheet("cluster_id matching_lines", query_id="q-2222"))
        return self.answers.get(name, sheet("nothing", query_id=f"q-{TOOLS.index(name):04x}"))

    @property
    def asked(self) -> list[str]:
        return [name for name, _ in self.calls]


class Shelf:
    """A writer that keeps what it is given by id, as the table does, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.kept: dict[str, Investigation] = {}
        self.writes = 0

    async def write_investigation(self, investigation: Investigation) -> None:
        self.writes += 1
        if self.error is not None:
            raise self.error
        self.kept[investigation.id] = investigation


def investigator(
    model: Model,
    tools: Warehouse | None = None,
    evidence: Evidence | Exception | None = None,
    store: MemorySessions | None = None,
    shelf: Shelf | None = None,
    **more: Any,
) -> Investigator:
    """One in thread `t`, whose ids are i-1, i-2, …, and whose clock stands still."""
    numbers = iter(range(1, 100))
    seen = evidence if evidence is not None else fleet()

    async def look(now: datetime) -> Evidence:
        if isinstance(seen, Exception):
            raise seen
        return seen

    return Investigator(
        model,
        tools or Warehouse(),
        look=look,
        store=store or MemorySessions(),
        thread="t",
        writer=shelf or Shelf(),
        now=lambda: NOW.replace(tzinfo=UTC),
        clock=lambda: 0.0,
        new_id=lambda: f"i-{next(numbers)}",
        **more,
    )


def conclusion(**changed: Any) -> str:
    """A conclusion as a model writes it, sound but for what is changed."""
    said: dict[str, Any] = {
        "severity": "Critical",
        "root_cause": "The version change to 3.5.3-ee made plans of queries worse.",
        "established": True,
        "evidence": [
            {"text": "p99 950 ms, usually 273 ms", "query_id": LOOK},
            {"text": "upgraded shortly before", "query_id": "q-0003"},
            {"text": "its alerts began after it", "query_id": "q-0001"},
        ],
        "ruled_out": ["more queries: as many as before"],
        "unknown": ["which statements are slow"],
        "actions": [{"urgency": "Immediate", "text": "compare the plans"}],
        "confidence": 0.8,
    }
    return json.dumps(said | changed, ensure_ascii=False)
