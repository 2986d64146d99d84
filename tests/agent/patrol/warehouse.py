"""A small fleet behind the `read_query` tool: it answers the patrol's own statements and refuses any other."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.patrol.query import stamp
from agent.tools import ToolResult, ToolSpec
from tests.agent.patrol.courses import AS_OF, Shape, rhythm

NOW = AS_OF + timedelta(minutes=20)
GIB = 2.0**30

HEALTHY: Mapping[str, float] = {
    "compaction": 60,
    "disk_total": 1000 * GIB,
    "disk_free": 550 * GIB,
    "disk_data": 400 * GIB,
    "disk_percent": 46,
    "queries": 20_000,
    "query_errors": 4,
    "query_timeouts": 1,
    "slow_queries": 90,
    "internal_errors": 0,
    "transactions": 3_000,
    "txn_failed": 2,
    "txn_rejected": 0,
    "memory_free": 60 * GIB,
    "memory_total": 100 * GIB,
    "be_memory": 30 * GIB,
    "heap_used": 4 * GIB,
    "heap_max": 8 * GIB,
    "journal": 20,
    "connections": 80,
    "fds": 4_000,
    "fd_limit": 65_535,
    "cpu": 35,
    "latency": 120,
    "up": 1.0,
    "load_lag": 500,
    "load_paused": 0,
}
FLOWING = {"queries", "query_errors", "query_timeouts", "slow_queries", "internal_errors", "transactions"}

_WORDS = {"type": "string"}
SPECS = (
    ToolSpec(
        "read_query", "a SELECT", {"type": "object", "properties": {"sql": _WORDS, "max_rows": {"type": "integer"}}}
    ),
    ToolSpec("query_fleet_summary", "counts", {"type": "object", "properties": {}}),
    ToolSpec("query_open_issues", "issues", {"type": "object", "properties": {"limit": {"type": "integer"}}}),
    *(
        ToolSpec(name, name, {"type": "object", "properties": {"cluster": _WORDS} | more})
        for name, more in (
            ("query_cluster_metrics", {"metrics": {"type": "array"}, "hours": {"type": "integer"}}),
            ("search_logs", {"hours": {"type": "integer"}}),
            ("query_similar_clusters", {}),
            ("query_agent_memory", {"limit": {"type": "integer"}}),
        )
    ),
)


@dataclass
class Cluster:
    """A cluster that is healthy but for `now`: what some series are in the newest hours. `silent` hours ago it sent
    last; None means that it still does."""

    cluster_id: str
    name: str = ""
    now: Mapping[str, Shape] = field(default_factory=dict)
    silent: int = 0
    tier: str | None = None
    customer: str | None = None
    account: str = "acc000001"
    version: str = "3.4.7-ee"
    created: datetime = AS_OF - timedelta(days=200)
    missing: frozenset[str] = frozenset()
    kind: str = "CLASSIC"
    frontends: int | None = None
    workers: int | None = None

    def value(self, series: str, back: int) -> float | None:
        """The value of a series so many hours ago."""
        if back < self.silent or series in self.missing:
            return None
        usual = rhythm(HEALTHY[series])
        return (self.now.get(series, usual) if back < 48 else usual)(back)


Answer = Callable[[str], list[dict[str, Any]]]


class FleetTools:
    """Implements `agent.tools.Tools` over some clusters. `broken` names tables that the warehouse does not have, `logs`
    is what `search_logs` finds; `settled` is 1 when enough weeks are known; every call is kept in `calls`."""

    def __init__(
        self,
        clusters: Sequence[Cluster],
        *,
        alerts: Sequence[Mapping[str, Any]] = (),
        operations: Sequence[Mapping[str, Any]] = (),
        gone: Sequence[Mapping[str, Any]] = (),
        unnamed: Sequence[Mapping[str, Any]] = (),
        broken: Sequence[str] = (),
        logs: str = "columns: log_time:DATETIME,level:VARCHAR,message:VARCHAR\n-- no rows",
        as_of: datetime = AS_OF,
        down: bool = False,
        settled: int = 0,
    ) -> None:
        self.clusters = list(clusters)
        self.given = {
            "alerts": list(alerts),
            "operations": list(operations),
            "gone": list(gone),
            "unnamed": list(unnamed),
        }
        self.broken = tuple(broken)
        self.logs = logs
        self.as_of = as_of
        self.down = down
        self.settled = settled
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def specs(self) -> Sequence[ToolSpec]:
        return SPECS

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls.append((name, arguments))
        if self.down:
            return ToolResult("unavailable: no connection", is_error=True, data={"code": "unavailable"})
        if name == "search_logs":
            return ToolResult(self.logs)
        if name != "read_query":
            return ToolResult("columns: n:BIGINT\nn\n1\n-- 1 row, 0.01 s, q-tool")
        return self._read(arguments["sql"])

    @property
    def statements(self) -> list[str]:
        return [arguments["sql"] for name, arguments in self.calls if name == "read_query"]

    def _read(self, sql: str) -> ToolResult:
        if missing := next((table for table in self.broken if table in sql), None):
            return ToolResult(f"unknown_table: {missing}", is_error=True, data={"code": "unknown_table"})
        for pattern, answer in self._answers():
            if re.search(pattern, sql):
                return _result(answer(sql), f"q-{len(self.calls)}", sql)
        return ToolResult(f"syntax: unexpected | {sql[:80]}", is_error=True, data={"code": "syntax"})

    def _answers(self) -> tuple[tuple[str, Answer], ...]:
        return (
            (r"^SELECT .* AS total, c\.biz_id", lambda _: [_identity(one) for one in self.clusters]),
            (r"AS first_hour.*DATE_SUB", lambda _: self._last(self.as_of)),
            (r"AS first_hour", lambda sql: self._last(_times(sql)[1], _times(sql)[0])),
            (r"d\.metric_name IS NULL", lambda _: self.given["unnamed"]),
            (r"HAVING MAX\(snapshot_hour\)", lambda _: self.given["gone"]),
            (r"FROM byoc\.billing_order", lambda _: self.given["operations"]),
            (r"DATE_TRUNC\('hour', seen_at\)", lambda _: self.given["alerts"]),
            (r"^SELECT cluster_id, snapshot_hour AS bucket", self._hourly),
            (r"^SELECT cluster_id, bucket, kind", self._same),
            (r"^SELECT cluster_id, (FLOOR\()?HOUR\(snapshot_hour\)", self._profile),
            (r"^SELECT cluster_id, FLOOR\(TIMESTAMPDIFF", self._daily),
            (r"^SELECT cluster_id, risk_level", lambda _: self._risks()),
            (r"^SELECT cluster_id, classification", lambda _: self._scores()),
            (r"FROM alerts\.issues", lambda _: [{"label": "Critical", "issues": 3, "newest": stamp(self.as_of)}]),
        )

    def _last(self, until: datetime, since: datetime | None = None) -> list[dict[str, Any]]:
        rows = []
        for one in self.clusters:
            last = min(until, self.as_of - timedelta(hours=one.silent))
            # Nobody here has sent for longer than two weeks.
            first = max(since or last - timedelta(days=14), self.as_of - timedelta(days=14))
            if last > first:
                rows.append({"cluster_id": one.cluster_id, "first_hour": stamp(first), "last_hour": stamp(last)})
        return rows

    @property
    def _made(self) -> dict[str, Any]:
        return {"computed_at": stamp(self.as_of - timedelta(hours=2))}

    def _risks(self) -> list[dict[str, Any]]:
        reasons = '["compaction 6,000", "<!channel>\\u202e"]'
        return [
            {"cluster_id": one.cluster_id, "risk_level": "Critical", "risk_reasons": reasons} | self._made
            for one in self.clusters[:2]
        ]

    def _scores(self) -> list[dict[str, Any]]:
        return [
            {"cluster_id": one.cluster_id, "classification": "Warning", "overall_score": 40.0} | self._made
            for one in self.clusters[:2]
        ]

    def _hourly(self, sql: str) -> list[dict[str, Any]]:
        times = _times(sql)
        until, since = times[1], times[-1]
        rows = []
        for one in self.clusters:
            for back in range(_back(self.as_of, until), _back(self.as_of, since)):
                values = {series: one.value(series, back) for series in HEALTHY}
                bucket = {"cluster_id": one.cluster_id, "bucket": stamp(self.as_of - timedelta(hours=back))}
                rows += [bucket | values] if any(value is not None for value in values.values()) else []
        return rows

    def _columns(self, sql: str) -> list[str]:
        return [series for series in HEALTHY if f" AS {series}," in sql or f" AS {series} " in sql]

    def _profile(self, sql: str) -> list[dict[str, Any]]:
        columns = self._columns(sql)
        return [
            {"cluster_id": one.cluster_id, "bucket": hour} | {series: HEALTHY[series] for series in columns}
            for one in self.clusters
            for hour in range(24)
        ]

    def _same(self, sql: str) -> list[dict[str, Any]]:
        return [
            {"cluster_id": one.cluster_id, "bucket": back, "kind": self.settled} | HEALTHY
            for one in self.clusters
            for back in range(-1, 4)
        ]

    def _daily(self, sql: str) -> list[dict[str, Any]]:
        columns = self._columns(sql)
        return [
            {"cluster_id": one.cluster_id, "bucket": day}
            | {series: one.value(series, 24 * day + 12) for series in columns}
            for one in self.clusters
            for day in range(14)
        ]


def _times(sql: str) -> list[datetime]:
    return [datetime.fromisoformat(found) for found in re.findall(r"'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)'", sql)]


def _back(as_of: datetime, at: datetime) -> int:
    return int((as_of - at) / timedelta(hours=1))


def _identity(one: Cluster) -> dict[str, Any]:
    return {
        "total": 90,
        "cluster_id": one.cluster_id,
        "cluster_name": one.name or one.cluster_id,
        "account_id": one.account,
        "cluster_type": one.kind,
        "created_at": stamp(one.created),
        "sr_version": one.version,
        "tier": one.tier,
        "customer_name": one.customer,
        "resource_state": "RUNNING",
        "frontends": one.frontends,
        "workers": one.workers,
    }


def _result(rows: list[dict[str, Any]], query_id: str, sql: str) -> ToolResult:
    names = list(dict.fromkeys(name for row in rows for name in row))
    data = {
        "columns": [{"name": name, "type": "VARCHAR"} for name in names],
        "rows": [[row.get(name) for name in names] for row in rows],
        "row_count": len(rows),
        "truncated": False,
        "query_id": query_id,
        "sql": sql,
    }
    return ToolResult(f"-- {len(rows)} rows", data=data)
