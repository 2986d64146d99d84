"""Health scores and risk levels by the reference rules, as a scheduled scorer would have left them in the warehouse.

They are meant to be imperfect: counts over seven days ignore traffic, alert repeats are counted, silence is not seen.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from sandbox.fleet.ambience import GIB
from sandbox.fleet.chance import Floats
from sandbox.fleet.exporter import Export
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.state import State

_WEEK = 168
# Scores are always a little old, as those of a scheduled job are.
_EVERY_HOURS = 3
_RUNS = 8
_TIER_FACTOR = {"S": 1.5, "A": 1.3}


class Rule(NamedTuple):
    """One dimension of the scorer; `yellow` and `red` are also its Warning and Critical risk limits."""

    name: str
    weight: float
    green: float
    yellow: float
    red: float
    action: str


RULES: tuple[Rule, ...] = (
    Rule("compaction_score", 0.10, 500, 1_000, 5_000, "batch small loads, raise compaction threads"),
    Rule("disk_used_pct", 0.08, 70, 80, 90, "drop old partitions or enlarge the volumes"),
    Rule("data_growth_pct", 0.05, 50, 100, 300, "ask the customer what is being loaded"),
    Rule("query_errors_7d", 0.10, 5_000, 10_000, 50_000, "group the errors by message"),
    Rule("query_timeouts_7d", 0.06, 200, 500, 5_000, "look for heavy queries"),
    Rule("slow_queries_7d", 0.06, 20_000, 50_000, 500_000, "look at the plans of slow queries"),
    Rule("internal_errors_7d", 0.08, 500, 1_000, 10_000, "read the FE's log"),
    Rule("txn_failures_7d", 0.07, 5_000, 10_000, 50_000, "look at failed loads"),
    Rule("txn_rejects_7d", 0.07, 50, 100, 5_000, "batch loads or raise the limit"),
    Rule("memory_available_pct", 0.08, 40, 20, 10, "find the largest memory consumer"),
    Rule("fe_heap_used_pct", 0.06, 75, 85, 95, "take a heap histogram"),
    Rule("be_process_mem_gb", 0.06, 80, 120, 180, "look at memory per node"),
    Rule("fe_journal_write_latency_ms", 0.05, 500, 1_000, 10_000, "check the FE's metadata disk"),
    Rule("fe_connection_total", 0.04, 300, 500, 900, "find clients without a pool limit"),
    Rule("be_fd_usage", 0.04, 20_000, 30_000, 50_000, "look for leaking clients"),
)

Run = dict[str, Floats]
"""Dimension → raw values of all clusters, shape (clusters,)."""


class Scorer:
    """Computes scores of all clusters at chosen hours."""

    def __init__(
        self, clusters: list[Cluster], state: State, export: Export, alerts: Sequence[dict[str, Any]], now: datetime
    ) -> None:
        self._clusters, self._state, self._export, self._now = clusters, state, export, now
        self._firing: dict[str, list[datetime]] = {cluster.biz_id: [] for cluster in clusters}
        for row in alerts:
            if row["alert_status"] == "Firing":
                self._firing[row["cluster_id"]].append(row["created_at_utc"])

    def health(self) -> list[dict[str, Any]]:
        """Return the rows of alerts.cluster_health_scores: the last day every three hours, up to now."""
        return [row for hour in self._hours() for row in self._health_at(hour)]

    def risk(self) -> list[dict[str, Any]]:
        """Return the rows of alerts.cluster_risk_snapshots for the same runs."""
        return [row for hour in self._hours() for row in self._risk_at(hour)]

    def _hours(self) -> list[int]:
        last = self._state.shape[1]
        return [hour for hour in range(last - _EVERY_HOURS * _RUNS, last + 1, _EVERY_HOURS) if hour > 0]

    def _at(self, hour: int) -> datetime:
        return self._now - timedelta(hours=self._state.shape[1] - hour)

    def _raw(self, hour: int) -> Run:
        s = self._state
        day, week = slice(max(0, hour - 24), hour), slice(max(0, hour - _WEEK), hour)
        used = s.disk_used * s.disk_bytes
        rises = {name: rise[:, week].sum(axis=1) for name, rise in self._export.rises.items()}
        return {
            "compaction_score": self._worst(s.compaction, day),
            "disk_used_pct": self._worst(s.disk_used, day),
            "data_growth_pct": 100 * (used[:, hour - 1] / used[:, week.start] - 1),
            "query_errors_7d": rises["starrocks_fe_query_err"],
            "query_timeouts_7d": rises["starrocks_fe_query_timeout"],
            "slow_queries_7d": rises["starrocks_fe_slow_query"],
            "internal_errors_7d": rises["starrocks_fe_query_internal_err"],
            "txn_failures_7d": rises["starrocks_fe_txn_failed"],
            "txn_rejects_7d": rises["starrocks_fe_txn_reject"],
            "memory_available_pct": -self._worst(-s.memory_available, day),
            "fe_heap_used_pct": self._worst(s.heap, day),
            "be_process_mem_gb": self._worst(s.node_memory * (96 - s.memory_available) / 100, day) / GIB,
            "fe_journal_write_latency_ms": self._worst(s.journal, day),
            "fe_connection_total": self._worst(s.connections, day),
            "be_fd_usage": self._worst(s.descriptors, day),
            "query_error_pct": 100 * rises["starrocks_fe_query_err"] / np.maximum(rises["starrocks_fe_query_total"], 1),
            "qps": s.qps[:, day].mean(axis=1),
            "avg_latency_ms": (s.p99 * s.p95_share * 0.3)[:, day].mean(axis=1),
        }

    def _worst(self, field: Floats, window: slice) -> Floats:
        # Hours without samples do not count; a cluster silent for the whole window keeps its last course.
        seen = np.where(self._state.present[:, window], field[:, window], -np.inf).max(axis=1)
        return np.where(np.isfinite(seen), seen, field[:, window.start])

    def _health_at(self, hour: int) -> list[dict[str, Any]]:
        raw, at = self._raw(hour), self._at(hour)
        scores = {rule.name: points(rule, raw[rule.name]) for rule in RULES}
        metrics = sum((rule.weight * scores[rule.name] for rule in RULES), np.zeros(len(self._clusters)))
        return [self._health_row(i, at, raw, scores, float(metrics[i])) for i in range(len(self._clusters))]

    def _health_row(self, i: int, at: datetime, raw: Run, scores: Run, metrics: float) -> dict[str, Any]:
        cluster = self._clusters[i]
        alerts = self._alerts_score(cluster.biz_id, at)
        base = (0.60 * metrics + 0.25 * alerts) / 0.85
        adjusted = max(0.0, 100 - (100 - base) * _TIER_FACTOR.get(cluster.account.tier or "B", 1.0))
        overall = 0.60 * metrics + 0.25 * alerts + 0.15 * adjusted
        dimensions = [
            {
                "name": rule.name,
                "score": round(float(scores[rule.name][i]), 1),
                "value": round(float(raw[rule.name][i]), 3),
                "weight": rule.weight,
                "description": f"green {rule.green:g}, yellow {rule.yellow:g}, red {rule.red:g}",
            }
            for rule in RULES
        ]
        return {
            "cluster_id": cluster.biz_id,
            "computed_at": at,
            "account_id": cluster.account.biz_id,
            "overall_score": round(overall, 2),
            "classification": "Healthy" if overall >= 80 else "Warning" if overall >= 50 else "Critical",
            "metrics_score": round(metrics, 2),
            "alerts_score": alerts,
            "tier_adjusted_score": round(adjusted, 2),
            "dimension_scores": json.dumps(dimensions),
        }

    def _alerts_score(self, cluster_id: str, at: datetime) -> float:
        count = sum(at - timedelta(days=7) <= moment <= at for moment in self._firing[cluster_id])
        return next((score for most, score in ((0, 100.0), (3, 80.0), (10, 50.0), (20, 20.0)) if count <= most), 0.0)

    def _risk_at(self, hour: int) -> list[dict[str, Any]]:
        raw, at = self._raw(hour), self._at(hour)
        return [self._risk_row(i, at, raw) for i in range(len(self._clusters))]

    def _risk_row(self, i: int, at: datetime, raw: Run) -> dict[str, Any]:
        cluster = self._clusters[i]
        levels = {rule: breach(rule, float(raw[rule.name][i])) for rule in RULES}
        worst = max(levels.values())
        values = {name: round(float(column[i]), 3) for name, column in raw.items()}
        limits = {1: "yellow", 2: "red"}
        return {
            "cluster_id": cluster.biz_id,
            "computed_at": at,
            "account_id": cluster.account.biz_id,
            "account_name": cluster.account.name,
            "risk_level": ("Healthy", "Warning", "Critical")[worst],
            "risk_reasons": json.dumps(
                [
                    f"{rule.name} = {values[rule.name]:g}, limit {getattr(rule, limits[level]):g}"
                    for rule, level in levels.items()
                    if level
                ]
            ),
            "suggested_actions": json.dumps([rule.action for rule, level in levels.items() if level]),
            **values,
            "node_count": cluster.node_count,
        }


def points(rule: Rule, values: Floats) -> Floats:
    """Return 100 at green or better, 50 at yellow, 0 at red or worse, linear between; shape of `values`."""
    sign = 1.0 if rule.red > rule.green else -1.0
    course = [sign * rule.green, sign * rule.yellow, sign * rule.red]
    return np.asarray(np.interp(sign * values, course, [100.0, 50.0, 0.0]))


def breach(rule: Rule, value: float) -> int:
    """Return 0 (Healthy), 1 (beyond yellow) or 2 (beyond red)."""
    sign = 1.0 if rule.red > rule.green else -1.0
    return int(sign * value >= sign * rule.yellow) + int(sign * value >= sign * rule.red)
