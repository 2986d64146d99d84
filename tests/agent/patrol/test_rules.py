"""The rules file: what it must hold, and how a broken one is refused."""

import math
import re
from importlib import resources

import pytest
import yaml

from agent.patrol.errors import RulesInvalid
from agent.patrol.rules import Rules, load_rules, number, parse, quantity, rough

REFERENCE = {
    "compaction_score",
    "disk_used_pct",
    "data_growth_pct",
    "query_errors_7d",
    "query_timeouts_7d",
    "slow_queries_7d",
    "internal_errors_7d",
    "txn_failures_7d",
    "txn_rejects_7d",
    "memory_available_pct",
    "fe_heap_used_pct",
    "be_process_mem_gb",
    "fe_journal_write_latency_ms",
    "fe_connection_total",
    "be_fd_usage",
}


def raw() -> dict:
    return yaml.safe_load(resources.files("agent.patrol").joinpath("rules.yaml").read_text())


def test_every_dimension_of_the_reference_scorer_is_judged() -> None:
    rules = load_rules()
    known = set(rules.dimensions) | {rule.reference.name for rule in rules.dimensions.values() if rule.reference}
    assert known >= REFERENCE


def test_the_reference_limits_of_shared_dimensions_are_kept() -> None:
    limits = {name: rule.limits for name, rule in load_rules().dimensions.items()}
    shown = [
        (limits[name].green, limits[name].yellow, limits[name].red) for name in ("compaction_score", "disk_used_pct")
    ]
    assert shown == [(500, 1000, 5000), (70, 80, 90)]


def test_weights_sum_to_one() -> None:
    assert sum(rule.weight for rule in load_rules().dimensions.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["CLASSIC", "ELASTIC", ""])
def test_weights_sum_to_one_for_every_type(kind: str) -> None:
    assert sum(rule.weight for rule in load_rules().of(kind).dimensions.values()) == pytest.approx(1.0)


def test_elastic_clusters_have_limits_of_their_own_where_their_figures_mean_something_else() -> None:
    common, elastic = load_rules(), load_rules().of("ELASTIC")
    scores = [rules.dimensions["compaction_score"].limits for rules in (common, elastic)]
    assert [(one.yellow, one.red) for one in scores] == [(1000, 5000), (100, 500)]
    disks = [rules.dimensions["disk_used_pct"] for rules in (common, elastic)]
    assert [(one.limits.yellow, one.trend) for one in disks] == [(80, True), (99, False)]
    assert "data cache" in disks[1].advice
    same = {name for name, rule in common.dimensions.items() if not rule.types}
    assert len(same) > 15
    assert all(elastic.dimensions[name] == common.dimensions[name] for name in same)


@pytest.mark.parametrize("kind", ["", "CLASSIC", "SERVERLESS", "null"])
def test_a_type_without_limits_of_its_own_has_the_common_ones(kind: str) -> None:
    assert load_rules().of(kind) is load_rules()


def test_a_type_is_known_however_it_is_written() -> None:
    assert load_rules().of(" elastic ") is load_rules().of("ELASTIC") is not load_rules()


def test_a_rule_names_the_limits_of_every_type_and_those_of_one_type_only_its_own() -> None:
    line = load_rules().explain("compaction_score")
    assert "Warning ≥ 1,000, Critical ≥ 5,000" in line
    assert "; ELASTIC: Warning ≥ 100, Critical ≥ 500" in line
    own = load_rules().of("ELASTIC").explain("compaction_score")
    assert own.startswith("compaction_score (compaction score): Warning ≥ 100, Critical ≥ 500")
    assert "1,000" not in own


def test_a_type_that_only_weighs_differently_is_not_told_in_the_line() -> None:
    assert load_rules().dimensions["txn_failure_pct"].types
    assert "ELASTIC" not in load_rules().explain("txn_failure_pct")


def test_a_platforms_own_metric_names_are_read_too() -> None:
    assert "starrocks_be_jvm_heap_used_percent" in load_rules().metric_names
    assert "starrocks_be_compaction_score_average" in load_rules().metric_names


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("dimensions", "cpu_util_pct", "acute"), 70, "acute lies beyond red"),
        (("dimensions", "disk_used_pct", "weight"), 0.5, "weights sum to"),
        (("dimensions", "disk_used_pct", "whole"), "disk_size", "unknown series disk_size"),
        (("dimensions", "disk_used_pct", "limits"), {"green": 90, "yellow": 80, "red": 70}, "dimensions.disk_used_pct"),
        (("dimensions", "disk_used_pct", "colour"), "blue", "dimensions.disk_used_pct.colour"),
        (("dimensions", "disk_used_pct", "part"), None, "dimensions.disk_used_pct"),
        (("dimensions", "compaction_score", "types", "ELASTIC", "weight"), 0.5, "types.ELASTIC"),
        (("dimensions", "compaction_score", "types", "ELASTIC", "limits", "red"), 10, "limits must run"),
        (("dimensions", "compaction_score", "types", "ELASTIC", "colour"), "blue", "types.ELASTIC.colour"),
        (("dimensions", "compaction_score", "types", "CLOUDY"), {"weight": 0.1}, "types.CLOUDY"),
        (("window", "recent_hours"), 0, "window.recent_hours"),
        (("series", "cpu", "column"), "median", "series.cpu.column"),
        (("version",), 2, "version"),
    ],
)
def test_a_broken_file_is_refused_naming_the_key(path: tuple[str, ...], value: object, said: str) -> None:
    broken = raw()
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(RulesInvalid, match=re.escape(said)):
        parse(yaml.safe_dump(broken))


@pytest.mark.parametrize("text", ["", "[]", "version: [", "window: 3"])
def test_what_is_no_rules_file_is_refused(text: str) -> None:
    with pytest.raises(RulesInvalid, match=r"rules\.yaml"):
        parse(text)


def test_the_description_names_every_dimension_with_both_limits() -> None:
    text = load_rules().describe()
    for name, rule in load_rules().dimensions.items():
        line = next(line for line in text.splitlines() if line.startswith(f"- {name} "))
        assert quantity(rule.limits.yellow, rule.unit) in line
        assert quantity(rule.limits.red, rule.unit) in line
    assert "freshness" in text
    assert len(text) < 4_000


def test_the_description_says_on_which_side_of_a_limit_it_is_bad() -> None:
    for line in load_rules().describe().splitlines():
        name = line.removeprefix("- ").split(" ")[0]
        if (rule := load_rules().dimensions.get(name)) is None:
            continue
        sign, other = ("≥", "≤") if rule.direction == "up" else ("≤", "≥")
        assert sign in line, line
        assert other not in line, line


def test_a_type_with_limits_of_its_own_is_described_with_them() -> None:
    described = {line.split(" ")[1]: line for line in load_rules().describe().splitlines()}
    own = {
        (name, kind, rule.of(kind).limits.red, rule.unit)
        for name, rule in load_rules().dimensions.items()
        for kind in rule.types
        if rule.of(kind).limits != rule.limits
    }
    assert own
    for name, kind, red, unit in own:
        assert quantity(red, unit) in described[name].partition(f"{kind}: ")[2]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1.0, "jobs", "1 job"),
        (0.0, "jobs", "0 jobs"),
        (1.4, "jobs", "1.4 jobs"),
        (1.0, "messages", "1 message"),
        (1.0, "per FE", "1 per FE"),
        (1.0, "ms", "1 ms"),
        (1.0, "%", "1%"),
        (1.0, "", "1"),
    ],
)
def test_a_unit_that_is_a_word_agrees_with_its_figure(value: float, unit: str, told: str) -> None:
    assert quantity(value, unit) == told


def test_figures_are_written_as_people_write_them() -> None:
    assert [number(value) for value in (0.01234, 3.14159, 81.26, 1234.5, 0)] == ["0.0123", "3.14", "81.3", "1,234", "0"]
    assert [number(value) for value in (999.4, 999.5, 999.6, -999.6, 1000)] == [
        "999",
        "1,000",
        "1,000",
        "-1,000",
        "1,000",
    ]
    assert [quantity(80, "%"), quantity(340, "ms"), quantity(1204, "")] == ["80%", "340 ms", "1,204"]


def test_an_estimate_has_two_digits_and_one_that_never_comes_stays_so() -> None:
    assert [rough(hours) for hours in (0.0, 0.967, 1.21, 9.96, 47.4, 99.6, 126.0)] == [0, 0.97, 1.2, 10, 47, 100, 130]
    assert rough(math.inf) == math.inf


def test_a_dimension_without_a_rule_still_has_words() -> None:
    assert isinstance(load_rules(), Rules)
    assert load_rules().label("freshness") == "freshness"
    assert load_rules().label("cpu_util_pct") == "BE CPU"


def test_a_rule_is_explained_in_one_line_also_where_no_metric_is_judged() -> None:
    rules = load_rules()
    assert rules.explain("disk_used_pct").startswith("disk_used_pct (disk used): Warning ≥ 80%")
    assert rules.explain("freshness").startswith("freshness: no data for 3 h")
    assert rules.explain("alerts").startswith("alerts: 5 or more")
    assert rules.explain("moon") == ""
