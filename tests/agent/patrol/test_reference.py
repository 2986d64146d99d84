"""The reference platform's classification: its exact numbers, its known weaknesses, and a patrol that uses it."""

from collections.abc import Mapping
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest

from agent.patrol.errors import RulesInvalid, WarehouseUnreadable
from agent.patrol.evidence import Evidence
from agent.patrol.explain import explained_by_reference
from agent.patrol.profiles import profile_of, reference
from agent.patrol.reference import Reference, load_reference, parse, risks, standing
from agent.patrol.reference_look import look
from agent.patrol.rules import load_rules
from agent.tools import ToolResult
from tests.agent.doubles import ScriptedModel, say
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_run import GOOD, Store, patrol
from tests.agent.patrol.warehouse import NOW, Cluster, FleetTools, _identity, _result

RULES = load_reference()
GREEN = {name: one.green for name, one in RULES.dimensions.items()}
NUMBERS = {
    # weight, green, yellow, red
    "compaction_score": (0.10, 500, 1_000, 5_000),
    "disk_used_pct": (0.08, 70, 80, 90),
    "data_growth_pct": (0.05, 50, 100, 300),
    "query_errors_7d": (0.10, 5_000, 10_000, 50_000),
    "query_timeouts_7d": (0.06, 200, 500, 5_000),
    "slow_queries_7d": (0.06, 20_000, 50_000, 500_000),
    "internal_errors_7d": (0.08, 500, 1_000, 10_000),
    "txn_failures_7d": (0.07, 5_000, 10_000, 50_000),
    "txn_rejects_7d": (0.07, 50, 100, 5_000),
    "memory_available_pct": (0.08, 40, 20, 10),
    "fe_heap_used_pct": (0.06, 75, 85, 95),
    "be_process_mem_gb": (0.06, 80, 120, 180),
    "fe_journal_write_latency_ms": (0.05, 500, 1_000, 10_000),
    "fe_connection_total": (0.04, 300, 500, 900),
    "be_fd_usage": (0.04, 20_000, 30_000, 50_000),
}


def red(*names: str) -> dict[str, float]:
    return GREEN | {name: RULES.dimensions[name].red for name in names}


def overall(values: Mapping[str, float], firing: int = 0, tier: Any = "B") -> float:
    found = standing(RULES, values, firing, tier)
    assert found is not None
    return round(found.overall, 1)


# Its numbers.


def test_every_number_is_the_reference_platforms_own() -> None:
    assert {name: (one.weight, one.green, one.yellow, one.red) for name, one in RULES.dimensions.items()} == NUMBERS
    assert (RULES.shares.metrics, RULES.shares.alerts, RULES.shares.tier) == (0.60, 0.25, 0.15)
    assert RULES.tiers == {"S": 1.5, "A": 1.3, "B": 1.0}
    assert (RULES.bands.healthy, RULES.bands.warning) == (80, 50)
    assert [name for name, one in RULES.dimensions.items() if one.direction == "down"] == ["memory_available_pct"]


@pytest.mark.parametrize(
    ("rows", "score"), [(0, 100), (1, 80), (3, 80), (4, 50), (10, 50), (11, 20), (20, 20), (21, 0)]
)
def test_firing_rows_are_scored_by_steps(rows: int, score: float) -> None:
    found = standing(RULES, GREEN, rows, "B")
    assert found is not None
    assert found.alerts == score


@pytest.mark.parametrize(
    ("value", "points"),
    [(500, 100), (750, 75), (1_000, 50), (3_000, 25), (5_000, 0), (9_000, 0), (0, 100)],
)
def test_points_run_straight_between_the_limits(value: float, points: float) -> None:
    found = standing(RULES, {"compaction_score": value}, 0, "B")
    assert found is not None
    assert found.metrics == points


def test_risk_is_the_worst_dimension_at_its_limits() -> None:
    assert risks(RULES, GREEN) == ()
    found = risks(RULES, GREEN | {"query_errors_7d": 10_000, "memory_available_pct": 10, "disk_used_pct": 79.9})
    assert [(one.dimension, one.severity) for one in found] == [
        ("query_errors_7d", "Warning"),
        ("memory_available_pct", "Critical"),
    ]
    assert found[0].reason == "query errors 7d 10,000; limit 10,000"


# What it is known to get wrong, and therefore must get wrong here as well.


def test_one_or_three_saturated_dimensions_stay_healthy() -> None:
    assert overall(red("disk_used_pct")) == 94.4
    assert overall(red("compaction_score", "disk_used_pct", "memory_available_pct")) == 81.6


def test_repeats_of_one_alert_sink_a_perfect_cluster() -> None:
    found = standing(RULES, GREEN, 21, "B")
    assert found is not None
    assert (round(found.overall, 1), found.classification) == (70.6, "Warning")


def test_the_tier_moves_a_score_by_five_points_at_most() -> None:
    moved = [
        overall(red(*list(NUMBERS)[:count]), 21, "B") - overall(red(*list(NUMBERS)[:count]), 21, "S")
        for count in range(16)
    ]
    assert max(moved) <= 5.05
    assert max(moved) > 4


def test_no_data_is_no_score() -> None:
    assert standing(RULES, {}, 0, "B") is None


# The file.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("weight: 0.05, green: 50,", "weight: 0.15, green: 50,"), "the weights sum to 1.100"),
        (("kind: growth, series: starrocks_be_disks_data_used_capacity", "kind: growth"), "give either `series`"),
        (("version: 1", "version: 2"), "version"),
        (("version: 1", "version: [1"), "is not YAML"),
    ],
)
def test_a_broken_file_is_refused_by_name(change: tuple[str, str], message: str) -> None:
    text = resources.files("agent.patrol").joinpath("reference.yaml").read_text(encoding="utf-8")
    with pytest.raises(RulesInvalid, match=message):
        parse(text.replace(*change))


# A look at a fleet.


class ReferenceTools(FleetTools):
    """Answers the reference look as well: `values` by cluster, `firing` rows by cluster."""

    def __init__(self, values: Mapping[str, Mapping[str, Any]], firing: Mapping[str, int] | None = None) -> None:
        super().__init__([Cluster(one, f"name-{one}") for one in values])
        self.values, self.firing = values, firing or {}

    def _read(self, sql: str) -> ToolResult:
        if sql.startswith("SELECT cluster_id, COUNT(*) AS firing"):
            return _result([{"cluster_id": one, "firing": rows} for one, rows in self.firing.items()], "q-f", sql)
        if sql.startswith("SELECT cluster_id, MAX(CASE WHEN snapshot_hour"):
            return _result([{"cluster_id": one} | dict(row) for one, row in self.values.items()], "q-v", sql)
        return super()._read(sql)


async def seen(values: Mapping[str, Mapping[str, Any]], firing: Mapping[str, int] | None = None) -> Evidence:
    return await look(ReferenceTools(values, firing), RULES, NOW)


async def test_clusters_beyond_a_limit_are_flagged_worst_first() -> None:
    evidence = await seen(
        {"calm": GREEN, "warm": GREEN | {"fe_connection_total": 600.0}, "hot": red("disk_used_pct"), "mute": {}}
    )
    assert [(one.identity.cluster_id, one.severity) for one in evidence.flagged] == [
        ("hot", "Critical"),
        ("warm", "Warning"),
    ]
    finding = evidence.findings[0]
    assert (finding.dimension, finding.threshold, finding.query_id) == ("disk_used_pct", 90, "q-v")
    assert finding.rule == "Warning ≥ 80%, Critical ≥ 90%"
    assert evidence.statements == 4


async def test_a_low_score_without_a_limit_is_a_problem_too() -> None:
    low = {name: (one.green + one.yellow) / 2 for name, one in RULES.dimensions.items()}
    (finding,) = (await seen({"low": low}, {"low": 30})).findings
    assert (finding.dimension, finding.severity) == ("overall_score", "Warning")
    assert "0 (30 firing rows in 7 days)" in finding.reason


async def test_bytes_are_told_in_gigabytes_and_shrinking_data_is_no_growth() -> None:
    bytes_now = {"be_process_mem_gb": 130 * 2.0**30, "data_growth_pct": -40.0}
    (cluster,) = (await seen({"one": GREEN | bytes_now})).clusters
    assert cluster.values["be_process_mem_gb"] == 130
    assert cluster.values["data_growth_pct"] == 0
    assert cluster.severity == "Warning"


async def test_a_warehouse_that_cannot_be_read_is_told() -> None:
    with pytest.raises(WarehouseUnreadable):
        await look(FleetTools([Cluster("one")]), RULES, NOW)


async def test_a_patrol_by_the_reference_profile_is_posted_with_its_own_rules() -> None:
    tools, store, model = (
        ReferenceTools({"hot": red("disk_used_pct"), "calm": GREEN}),
        Store(),
        ScriptedModel(say(GOOD)),
    )
    report = (await patrol(model, tools, store, profile=reference()).run_patrol("morning", "clock"))[1]
    assert [(one.cluster_id, one.severity) for one in report.flagged_clusters] == [("hot", "Critical")]
    assert "query_errors_7d" in model.requests[0].system
    assert "error_share_pct" not in model.requests[0].system


async def test_the_rules_only_analyst_reports_by_the_reference_profile_too() -> None:
    tools = ReferenceTools({"hot": red("disk_used_pct", "txn_rejects_7d"), "calm": GREEN})
    model = ScriptedModel(analyst="rules-only")
    report = (await patrol(model, tools, profile=reference()).run_patrol("morning", "clock"))[1]
    assert "disk used pct 90%; limit 90%" in report.fleet_narrative
    assert report.recommended_actions


async def test_a_cluster_is_explained_by_the_reference_rules() -> None:
    evidence = await seen({"hot": red("disk_used_pct"), "mute": {}}, {"hot": 5})
    hot, mute = (next(one for one in evidence.clusters if one.identity.cluster_id == name) for name in ("hot", "mute"))
    lines = list(explained_by_reference(hot, RULES))
    assert lines[0] == "by the reference platform's rules: Critical"
    assert lines[-1].startswith("  score: 79.6 (Warning) = 0.6 x metrics 92.0 + 0.25 x alerts 50")
    assert list(explained_by_reference(mute, RULES))[-1] == "  score: none, no data"


def test_profiles_are_chosen_by_name() -> None:
    assert profile_of("reference", load_rules()).name == "reference"
    assert profile_of("own", load_rules()).rules == load_rules().describe()
    assert isinstance(RULES, Reference)
    assert _identity(Cluster("x"))["created_at"] < f"{AS_OF - timedelta(days=1)}"
