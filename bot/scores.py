"""The scores and risk levels of one look at the fleet, as the rows that dashboards and the stored classes rest on."""

import json
from collections.abc import Iterator
from typing import Any

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence
from agent.patrol.rules import Rules
from agent.patrol.scorer import points

INSERT_SCORE = """
INSERT INTO alerts.cluster_health_scores (cluster_id, computed_at, account_id, overall_score, classification,
  metrics_score, alerts_score, tier_adjusted_score, dimension_scores)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_RISK = """
INSERT INTO alerts.cluster_risk_snapshots (cluster_id, computed_at, account_id, account_name, risk_level, risk_reasons,
  suggested_actions, compaction_score, disk_used_pct, memory_available_pct, fe_heap_used_pct, query_error_pct)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

HEALTHY, WARNING = 80.0, 50.0
"""From these scores on a cluster without findings has that class."""
_ALERTS = ((0, 100.0), (3, 80.0), (10, 50.0), (20, 20.0))
"""Conditions that fire, at most, and the score of the alerts; more have none."""
_REASONS = 10
_MEASURED = ("compaction_score", "disk_used_pct", "memory_available_pct", "fe_heap_used_pct", "error_share_pct")
"""Dimensions in the order of the last columns of INSERT_RISK."""

Row = tuple[Any, ...]


def score_rows(evidence: Evidence, rules: Rules) -> list[Row]:
    """One row of INSERT_SCORE for each active cluster. A cluster that cannot be judged has no score and is Unknown;
    none is adjusted by its customer's tier, by which we rank and do not score."""
    return [
        (
            one.identity.cluster_id,
            evidence.now.replace(microsecond=0),
            one.identity.account_id,
            _rounded(one.score),
            classification(one),
            _rounded(_mean(one, rules)),
            next((score for most, score in _ALERTS if len(one.alerts) <= most), 0.0),
            None,
            json.dumps(list(_dimensions(one, rules)), ensure_ascii=False),
        )
        for one in evidence.clusters
    ]


def risk_rows(evidence: Evidence, rules: Rules) -> list[Row]:
    """One row of INSERT_RISK for each active cluster: the worst finding decides."""
    return [
        (
            one.identity.cluster_id,
            evidence.now.replace(microsecond=0),
            one.identity.account_id,
            one.identity.customer or None,
            one.severity or ("Unknown" if one.score is None else "Healthy"),
            json.dumps([finding.reason for finding in one.findings[:_REASONS]], ensure_ascii=False),
            json.dumps(list(_advice(one, rules)), ensure_ascii=False),
            *(_rounded(one.values.get(name)) for name in _MEASURED),
        )
        for one in evidence.clusters
    ]


def classification(cluster: ClusterEvidence) -> str:
    """Healthy, Warning, Critical or Unknown. What is wrong with a cluster decides before its score, which averages."""
    if cluster.severity is not None:
        return cluster.severity
    if cluster.score is None:
        return "Unknown"
    return "Healthy" if cluster.score >= HEALTHY else "Warning" if cluster.score >= WARNING else "Critical"


def _known(cluster: ClusterEvidence, rules: Rules) -> Iterator[tuple[str, float, float]]:
    """Name, value and score of each dimension that is known."""
    for name, rule in rules.dimensions.items():
        if name in cluster.values:
            yield name, cluster.values[name], points(rule, cluster.values[name])


def _mean(cluster: ClusterEvidence, rules: Rules) -> float | None:
    known = [(rules.dimensions[name].weight, score) for name, _, score in _known(cluster, rules)]
    weight = sum(one for one, _ in known)
    return sum(one * score for one, score in known) / weight if weight and cluster.score is not None else None


def _dimensions(cluster: ClusterEvidence, rules: Rules) -> Iterator[dict[str, Any]]:
    for name, value, score in _known(cluster, rules):
        rule = rules.dimensions[name]
        told = {"name": name, "score": round(score, 2), "value": _rounded(value), "weight": rule.weight}
        yield told | {"description": rule.label}


def _advice(cluster: ClusterEvidence, rules: Rules) -> Iterator[str]:
    named = dict.fromkeys(one.dimension for one in cluster.findings if one.dimension in rules.dimensions)
    yield from (rules.dimensions[name].advice for name in named)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
