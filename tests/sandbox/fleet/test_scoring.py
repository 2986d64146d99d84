"""Scores and risk levels follow the reference rules, on every row that the scorer left."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.fleet.scoring import RULES, breach, points
from tests.sandbox.fleet.conftest import Built

VALUES = st.floats(min_value=-1e9, max_value=1e9)


def test_the_weights_of_the_fifteen_dimensions_sum_to_one() -> None:
    assert len(RULES) == 15
    assert sum(rule.weight for rule in RULES) == pytest.approx(1.0)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_points_are_100_at_green_50_at_yellow_and_0_at_red(rule) -> None:
    middle = (rule.green + rule.yellow) / 2

    assert points(rule, np.array([rule.green, middle, rule.yellow, rule.red])).tolist() == [100, 75, 50, 0]


@settings(deadline=None)
@given(rule=st.sampled_from(RULES), one=VALUES, other=VALUES)
def test_a_worse_value_never_scores_better(rule, one: float, other: float) -> None:
    better, worse = sorted((one, other), reverse=rule.red < rule.green)
    good, bad = points(rule, np.array([better, worse]))

    assert 0 <= bad <= good <= 100
    assert breach(rule, better) <= breach(rule, worse)


def test_every_active_cluster_has_a_newest_score_and_a_day_of_history(troubled: Built) -> None:
    for table in ("alerts.cluster_health_scores", "alerts.cluster_risk_snapshots"):
        runs = troubled.rows(f"SELECT computed_at, count(DISTINCT cluster_id) FROM {table} GROUP BY 1 ORDER BY 1")
        assert {count for _, count in runs} == {48}
        assert (runs[-1][0] - runs[0][0]).total_seconds() == 24 * 3600


def test_the_overall_score_is_built_from_its_parts(troubled: Built) -> None:
    rows = troubled.rows(
        "SELECT overall_score, classification, metrics_score, alerts_score, tier_adjusted_score, dimension_scores "
        "FROM alerts.cluster_health_scores"
    )
    for overall, band, metrics, alerts, adjusted, dimensions in rows:
        weighted = sum(d["weight"] * d["score"] for d in json.loads(dimensions))
        assert metrics == pytest.approx(weighted, abs=0.1)
        assert overall == pytest.approx(0.60 * metrics + 0.25 * alerts + 0.15 * adjusted, abs=0.05)
        assert band == ("Healthy" if overall >= 80 else "Warning" if overall >= 50 else "Critical")
        assert alerts in {100, 80, 50, 20, 0}


def test_a_tier_weighs_losses_heavier(troubled: Built) -> None:
    rows = troubled.rows(
        "SELECT h.metrics_score, h.alerts_score, h.tier_adjusted_score, coalesce(p.tier, 'B') "
        "FROM alerts.cluster_health_scores AS h LEFT JOIN metrics.dim_customer_profile AS p USING (account_id)"
    )
    for metrics, alerts, adjusted, tier in rows:
        base = (0.60 * metrics + 0.25 * alerts) / 0.85
        assert adjusted == pytest.approx(max(0, 100 - (100 - base) * {"S": 1.5, "A": 1.3, "B": 1.0}[tier]), abs=0.1)


def test_the_risk_level_is_that_of_the_worst_dimension_and_gives_a_reason_for_each_breach(troubled: Built) -> None:
    columns = ", ".join(rule.name for rule in RULES)
    rows = troubled.rows(
        f"SELECT risk_level, risk_reasons, suggested_actions, {columns} FROM alerts.cluster_risk_snapshots"
    )
    for level, reasons, actions, *values in rows:
        breaches = [breach(rule, value) for rule, value in zip(RULES, values, strict=True)]
        assert level == ("Healthy", "Warning", "Critical")[max(breaches)]
        assert len(json.loads(reasons)) == len(json.loads(actions)) == sum(b > 0 for b in breaches)


@pytest.mark.parametrize("kind", ["disk_filling", "compaction_backlog", "fe_heap", "journal_latency", "fd_leak"])
def test_a_fault_of_a_scored_dimension_shows_in_the_risk_level(troubled: Built, kind: str) -> None:
    fault = troubled.fault(kind)
    level, reasons = troubled.rows(
        "SELECT risk_level, risk_reasons FROM alerts.cluster_risk_snapshots WHERE cluster_id = $1 "
        "ORDER BY computed_at DESC LIMIT 1",
        fault.cluster_id,
    )[0]

    assert level in {"Warning", "Critical"}
    assert any(reason.startswith(fault.dimensions[0]) for reason in json.loads(reasons))


def test_a_healthy_fleet_is_mostly_scored_healthy(month: Built) -> None:
    healthy = month.one("SELECT avg((risk_level = 'Healthy')::INT) FROM alerts.cluster_risk_snapshots")

    assert healthy > 0.8
