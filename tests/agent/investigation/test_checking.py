"""What code does to a conclusion: receipts, ids, severity and confidence are what was really read."""

from dataclasses import replace
from typing import Any

import pytest

from agent.answer import ToolTrace
from agent.investigation.checking import CAPS, ENOUGH, NEEDED, Checked, checked
from agent.investigation.conclusion import Level, parse
from agent.investigation.scene import Scene, scene_of
from agent.model import Analyst
from agent.receipts import SIGN
from tests.agent.investigation.world import LOOK, A, B, conclusion, finding, fleet, member

NOBODY = "deadbee5-d9cb-469f-a165-70867728950e"


def trace(name: str, query_id: str, *rows: list[Any], is_error: bool = False) -> ToolTrace:
    data = {"columns": [{"name": "cluster_id"}, {"name": "value"}], "rows": list(rows), "query_id": query_id}
    return ToolTrace(name, {"cluster": A}, is_error, 0.1, data)


READ = (
    trace("query_cluster_alerts", "q-0001", [A, 12.0]),
    trace("query_cluster_metrics", "q-0002", [A, 480.0], [B, 7.0]),
    trace("query_cluster_operations", "q-0003", [A, 3.0]),
)


def scene(*findings: Any) -> Scene:
    return scene_of(fleet(member(A, *(findings or (finding(A),))), member(B)), A)


def check(
    text: str = "",
    *,
    tools: tuple[ToolTrace, ...] = READ,
    on: Scene | None = None,
    analyst: Analyst = "claude",
    limited: bool = False,
    **changed: Any,
) -> Checked:
    said = parse(text or conclusion(**changed))
    return checked(said, on or scene(), tools, analyst=analyst, limited=limited)


def test_a_sound_conclusion_stays_as_it_is() -> None:
    result = check()
    assert result.conclusion == parse(conclusion())
    assert (result.doubts, result.withheld, result.refused, result.receipts.unbound) == ((), None, 0, ())
    assert {"950 ms", "273 ms"} <= {one.figure for one in result.receipts.bound}


@pytest.mark.parametrize(
    ("measured", "wanted", "granted"),
    [
        ("Warning", "Critical", "Warning"),
        ("Critical", "Critical", "Critical"),
        ("Critical", "Warning", "Warning"),
        ("Warning", "Info", "Warning"),
        ("Critical", "Info", "Critical"),
        ("Warning", "Unknown", "Warning"),
        ("Unknown", "Critical", "Unknown"),
        ("Unknown", "Info", "Unknown"),
    ],
)
def test_nothing_is_graver_than_what_was_measured_nor_well_where_rules_found_something(
    measured: Any, wanted: Level, granted: Level
) -> None:
    result = check(on=scene(finding(A, severity=measured)), severity=wanted)
    assert result.conclusion.severity == granted
    assert result.withheld == (wanted if wanted != granted else None)


def test_a_cluster_without_findings_is_nothing_worse_than_well() -> None:
    assert check(on=scene_of(fleet(member(A)), A)).conclusion.severity == "Info"


def test_a_figure_that_nobody_read_is_marked() -> None:
    result = check(root_cause="12 alerts and 99 failures", ruled_out=["31 restarts"], unknown=["77 of them"])
    assert result.conclusion.root_cause == f"12 alerts and 99{SIGN} failures"
    assert result.conclusion.ruled_out == [f"31{SIGN} restarts"]
    assert result.conclusion.unknown == [f"77{SIGN} of them"]
    assert len(result.receipts.unbound) == 3


def test_a_figure_of_the_root_cause_that_is_in_no_result_caps_the_confidence() -> None:
    assert check(root_cause="99 failures").conclusion.confidence == CAPS["unbound"]
    assert check(ruled_out=["99 failures"]).conclusion.confidence == 0.8


def test_what_rules_reckoned_is_not_marked() -> None:
    result = check(root_cause="3.4 times as many, 99 in all", analyst="rules-only")
    assert SIGN not in result.conclusion.root_cause
    assert result.receipts.unbound == ()


@pytest.mark.parametrize("invented", ["q-9999", "", "SELECT 1", "the metrics"])
def test_a_receipt_that_was_never_read_is_none(invented: str) -> None:
    items = [{"text": "it is slow", "query_id": invented}]
    result = check(evidence=items)
    assert result.conclusion.evidence[0].query_id == ""
    assert result.conclusion.confidence == CAPS["no_receipt"]
    assert "no_receipt" in result.doubts


def test_an_item_whose_figure_is_found_gets_the_receipt_of_its_figure() -> None:
    result = check(evidence=[{"text": "prod-1 p99 is 950 ms", "query_id": "q-9999"}])
    assert result.conclusion.evidence[0].query_id == LOOK


def test_a_receipt_of_a_call_that_failed_is_none() -> None:
    failed = trace("search_logs", "q-0007", is_error=True)
    result = check(tools=(*READ, failed), evidence=[{"text": "the logs say so", "query_id": "q-0007"}])
    assert result.conclusion.evidence[0].query_id == ""


def test_lines_that_name_a_cluster_that_nobody_read_are_left_out() -> None:
    result = check(
        evidence=[{"text": f"as on {NOBODY}", "query_id": LOOK}, {"text": f"as on {B[:8]}", "query_id": LOOK}],
        ruled_out=["as on deadbee5 too"],
        unknown=["seen"],
        actions=[{"urgency": "Today", "text": f"restart {NOBODY}"}],
    )
    assert [one.text for one in result.conclusion.evidence] == [f"as on {B[:8]}"]
    assert result.conclusion.ruled_out == []
    assert result.conclusion.actions == []
    assert result.refused == 3
    assert result.conclusion.confidence == CAPS["unknown_cluster"]


@pytest.mark.parametrize("name", [NOBODY, "deadbee5"])
def test_an_unknown_cluster_in_the_root_cause_carries_the_sign(name: str) -> None:
    result = check(root_cause=f"It is {name} that overloads it.")
    assert f"{name}{SIGN}" in result.conclusion.root_cause
    assert result.refused == 1
    assert result.conclusion.label == "Low"


@pytest.mark.parametrize(
    "text", ["commit 1234567", "12345678 rows", "feedface", "q-1f8fad5b is the query", "v3.5.3-ee"]
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert check(unknown=[text]).refused == 0


def test_an_id_that_stands_in_the_sql_of_the_model_alone_was_never_read() -> None:
    asked = trace("read_query", "q-0009")
    asked = replace(asked, data={**(asked.data or {}), "sql": f"SELECT 1 FROM byoc.clusters WHERE biz_id = '{NOBODY}'"})
    assert check(tools=(*READ, asked), unknown=[f"how {NOBODY} does"]).refused == 1


def test_a_time_that_nobody_read_is_marked_and_one_of_a_result_is_not() -> None:
    result = check(
        root_cause="It began at 06:00 UTC, after a restart at 03:17.",
        ruled_out=["nothing was done on 2026-11-18"],
        unknown=["who did it about 06:20"],
    )
    assert result.conclusion.root_cause == f"It began at 06:00 UTC, after a restart at 03:17{SIGN}."
    assert result.conclusion.ruled_out == [f"nothing was done on 2026-11-18{SIGN}"]
    assert result.conclusion.unknown == ["who did it about 06:20"]
    assert len(result.receipts.unbound) == 2
    assert result.conclusion.confidence == CAPS["unbound"]


def test_a_time_of_a_result_or_of_a_window_that_was_asked_for_may_be_named() -> None:
    read = replace(trace("search_logs", "q-0009"), text="2026-11-20 03:17:09,fe1,WARN,slow")
    window = replace(trace("read_query", "q-000a"), arguments={"sql": "… log_time >= '2026-11-18 02:40:00'"})
    said = "the log says so at 03:17, and nothing since 2026-11-18 02:40"
    assert check(tools=(*READ, read, window), unknown=[said]).conclusion.unknown == [said]


def test_times_by_rules_are_not_marked() -> None:
    assert SIGN not in check(root_cause="Since 03:17.", analyst="rules-only").conclusion.root_cause


def test_ids_count_as_read_wherever_they_were() -> None:
    assert check(unknown=[f"how {A} and {B.upper()} differ"]).refused == 0
    told = checked(
        parse(conclusion(unknown=[f"how {NOBODY} does"])), scene(), READ, analyst="claude", asked=f"see {NOBODY}"
    )
    assert told.refused == 0


def test_a_cause_that_is_not_established_is_hardly_believed() -> None:
    result = check(established=False, confidence=0.9)
    assert result.conclusion.confidence == CAPS["not_established"]
    assert result.doubts == ("not_established",)


@pytest.mark.parametrize("missing", NEEDED)
def test_whoever_has_not_read_what_is_needed_cannot_be_sure(missing: str) -> None:
    result = check(tools=tuple(one for one in READ if one.name != missing))
    assert result.conclusion.confidence <= CAPS["unread"]
    assert "unread" in result.doubts
    failed = tuple(trace(one.name, "q-0", is_error=True) if one.name == missing else one for one in READ)
    assert "unread" in check(tools=failed).doubts


def test_evidence_of_one_kind_of_call_is_thin() -> None:
    items = [
        {"text": "a", "query_id": "q-0002"},
        {"text": "b", "query_id": "q-0002"},
        {"text": "c", "query_id": "q-0002"},
    ]
    result = check(evidence=items)
    assert result.conclusion.confidence == CAPS["one_source"]
    assert result.doubts == ("one_source",)


def test_few_receipts_are_not_enough_for_high() -> None:
    items = [{"text": "a", "query_id": "q-0002"}, {"text": "b", "query_id": "q-0001"}]
    assert len(items) < ENOUGH
    result = check(evidence=items)
    assert (result.conclusion.label, result.doubts) == ("Medium", ("few",))


def test_without_an_alternative_nobody_is_sure() -> None:
    result = check(ruled_out=[])
    assert (result.conclusion.label, result.doubts) == ("Medium", ("no_alternative",))


def test_a_limit_of_the_turn_caps_the_confidence() -> None:
    assert check(limited=True).conclusion.confidence == CAPS["limited"]


def test_a_silent_cluster_is_not_explained_with_confidence() -> None:
    result = check(on=scene(finding(A, "freshness", "Unknown")))
    assert result.conclusion.confidence == CAPS["silent"]


def test_a_cluster_that_is_not_known_is_not_explained() -> None:
    result = check(on=scene_of(fleet(), "nobody"))
    assert (result.conclusion.severity, result.conclusion.confidence) == ("Unknown", CAPS["unknown_cluster"])


def test_the_lowest_cap_holds_and_confidence_is_never_raised() -> None:
    result = check(established=False, evidence=[], ruled_out=[], confidence=0.9)
    assert result.conclusion.confidence == min(CAPS["not_established"], CAPS["no_receipt"])
    modest = check(established=False, confidence=0.05)
    assert modest.conclusion.confidence == 0.05
    assert modest.doubts == ()


def test_only_doubts_that_changed_something_are_told() -> None:
    assert check(ruled_out=[], confidence=0.6).doubts == ()
    assert check(ruled_out=[], limited=True, confidence=0.6).doubts == ("limited",)


def test_every_cap_is_one_below_high() -> None:
    assert all(0 < cap < 0.75 for cap in CAPS.values())
