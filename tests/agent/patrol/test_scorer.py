"""Scores: monotone, bounded, and not blind to one saturated dimension."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.rules import load_rules
from agent.patrol.scorer import overall, points

RULES = load_rules()
GOOD = {name: rule.limits.green for name, rule in RULES.dimensions.items()}
CRITICAL_BELOW = 50.0
deciding = sorted(name for name, rule in RULES.dimensions.items() if rule.weight > 0 or rule.alone != "never")


@pytest.mark.parametrize(("name", "rule"), RULES.dimensions.items())
def test_points_meet_the_limits_of_every_dimension(name: str, rule) -> None:
    limits = rule.limits
    assert points(rule, limits.green) == 100
    assert points(rule, limits.red) == 0
    assert points(rule, limits.yellow) == pytest.approx(50) or limits.yellow == limits.green


@given(st.sampled_from(sorted(RULES.dimensions)), st.floats(0, 1e9), st.floats(0, 1e9))
def test_worse_values_never_score_better(name: str, one: float, other: float) -> None:
    rule = RULES.dimensions[name]
    better, worse = (one, other) if rule.worse(other, one) else (other, one)
    assert points(rule, better) >= points(rule, worse)


@given(st.dictionaries(st.sampled_from(sorted(RULES.dimensions)), st.floats(0, 1e12)))
def test_a_score_is_within_0_and_100_or_unknown(values: dict[str, float]) -> None:
    score = overall(RULES, values)
    assert score is None or 0 <= score <= 100


def test_everything_green_is_a_hundred() -> None:
    assert overall(RULES, GOOD) == 100


def test_one_full_disk_is_not_averaged_away() -> None:
    score = overall(RULES, GOOD | {"disk_used_pct": 93.0})
    assert score is not None
    assert score < CRITICAL_BELOW


@pytest.mark.parametrize("name", deciding)
def test_any_dimension_at_red_keeps_a_cluster_from_being_healthy(name: str) -> None:
    score = overall(RULES, GOOD | {name: RULES.dimensions[name].limits.red})
    assert score is not None
    assert score < CRITICAL_BELOW


def test_a_dead_node_holds_the_score_down_though_it_counts_in_no_mean() -> None:
    assert RULES.dimensions["nodes_up"].weight == 0
    score = overall(RULES, GOOD | {"nodes_up": 66.7})
    assert score is not None
    assert score < CRITICAL_BELOW


def test_a_busy_cluster_is_not_a_sick_one() -> None:
    assert overall(RULES, GOOD | {"cpu_util_pct": 97.0, "p99_latency_ms": 6_000.0}) == 100


def test_too_little_data_has_no_score() -> None:
    assert overall(RULES, {"disk_used_pct": 10.0, "compaction_score": 5.0}) is None
    assert overall(RULES, {}) is None


def test_a_missing_dimension_neither_helps_nor_hurts() -> None:
    without = {name: value for name, value in GOOD.items() if name != "fe_heap_used_pct"}
    assert overall(RULES, without) == 100
