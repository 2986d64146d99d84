"""How a finding fares against what it was in the report before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.earlier import Earlier, moved
from agent.patrol.finding import SEVERITY_RANK, Finding
from agent.patrol.report import Severity

SEVERITIES = st.sampled_from(list(SEVERITY_RANK))
VALUES = st.floats(0, 1e9)


def finding(value: float, severity: Severity = "Warning", unit: str = "ms", dimension: str = "p99", **more: bool):
    return Finding("c1", dimension, severity, value, unit, "why", **more)


@pytest.mark.parametrize(
    ("before", "now", "became"),
    [
        (Earlier("Warning", 100), finding(100), "same"),
        (Earlier("Warning", 100), finding(124), "same"),
        (Earlier("Warning", 100), finding(125), "worse"),
        (Earlier("Warning", 125), finding(100), "better"),
        (Earlier("Warning", 80), finding(85, unit="%"), "worse"),
        (Earlier("Warning", 85), finding(80, unit="%"), "better"),
        (Earlier("Warning", 100), finding(80, down=True), "worse"),
        (Earlier("Warning", 80), finding(100, down=True), "better"),
        # severity goes before figures, whichever way these went
        (Earlier("Warning", 100), finding(50, "Critical"), "worse"),
        (Earlier("Critical", 100), finding(900, "Warning"), "better"),
        (Earlier("Unknown", 9), finding(9, "Warning"), "worse"),
        # an age grows by itself
        (Earlier("Unknown", 3), finding(300, "Unknown", "h", "freshness"), "same"),
    ],
)
def test_a_finding_is_worse_better_or_the_same(before: Earlier, now: Finding, became: str) -> None:
    assert moved(before, now) == became


@given(SEVERITIES, VALUES, SEVERITIES, VALUES, st.booleans(), st.sampled_from(["%", "ms", ""]))
def test_what_is_worse_one_way_is_better_the_other(
    one: Severity, first: float, other: Severity, second: float, down: bool, unit: str
) -> None:
    there = moved(Earlier(one, first), finding(second, other, unit, down=down))
    back = moved(Earlier(other, second), finding(first, one, unit, down=down))
    assert (there, back) in {("worse", "better"), ("better", "worse"), ("same", "same")}


@given(SEVERITIES, VALUES)
def test_what_did_not_change_is_the_same(severity: Severity, value: float) -> None:
    assert moved(Earlier(severity, value), finding(value, severity)) == "same"
