"""Figures, courses and escaped text as they stand in an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agent.patrol.rules import Variant, load_rules
from agent.rules_only.envelope import Failure, Row, Sheet
from agent.rules_only.intent import Intent
from agent.rules_only.thresholds import Threshold, from_rules
from agent.rules_only.voice import Voice
from agent.rules_only.writing import compose
from agent.rules_only.writing.figures import freshness, move
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import CLUSTER, listing, safe

EN = Voice("en")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "%", "–"),
        (float("nan"), "", "–"),
        (float("inf"), "ms", "–"),
        (0.0, "%", "0%"),
        (96.05, "%", "96%"),
        (88.44, "%", "88.4%"),
        (340.4, "ms", "340 ms"),
        (999.6, "", "1,000"),
        (1234567.0, "", "1,234,567"),
        (0.0312, "%", "0.0312%"),
        (1.5, "GiB", "1.5 GiB"),
        (-3.25, "", "-3.25"),
    ],
)
def test_a_figure_is_short_and_has_its_unit(value: float | None, unit: str, text: str) -> None:
    assert EN.figure(value, unit) == text


@pytest.mark.parametrize(
    ("first", "last", "unit", "words"),
    [
        (100.0, 126.0, "ms", "up 26% (100 ms → 126 ms)"),
        (100.0, 90.0, "ms", "slightly down 10% (100 ms → 90 ms)"),
        (752.0, 10_160_204.0, "", "up 13,511-fold (752 → 10,160,204)"),
        (100.0, 102.0, "", "steady (100 → 102)"),
        (70.0, 88.0, "%", "up (70% → 88%)"),
        (0.0, 5.0, "", "up from zero (0 → 5)"),
        (None, 5.0, "", ""),
    ],
)
def test_a_move_is_told_with_both_ends(first: float | None, last: float, unit: str, words: str) -> None:
    assert move(EN, first, last, unit) == words


def test_counts_and_spans_read_well() -> None:
    assert [EN.count(1, "cluster"), EN.count(2, "cluster"), EN.count(None, "cluster")] == [
        "1 cluster",
        "2 clusters",
        "0 clusters",
    ]
    assert [EN.span(1), EN.span(24), EN.span(168), EN.span(50)] == ["1 hour", "24 hours", "7 days", "50 hours"]


def test_old_data_is_called_old_and_absent_data_absent() -> None:
    old = Sheet(("newest_hour", "hours_old"), (Row({"newest_hour": "2026-03-01 02:00:00", "hours_old": "30"}),))
    assert (
        freshness(EN, old)
        == "*Newest metrics: 2026-03-01 02:00 UTC, 30 h old. Newer data is missing: read the figures as of then.*"
    )
    assert (
        freshness(EN, Sheet(("newest_hour",), (Row({"newest_hour": "NULL"}),)))
        == "*The warehouse holds no metrics at all.*"
    )
    assert freshness(EN, Failure("timeout")) == ""


@pytest.mark.parametrize(
    ("value", "level"), [(79.9, ""), (80.0, "Warning"), (89.9, "Warning"), (90.0, "Critical"), (120.0, "Critical")]
)
def test_a_value_is_judged_at_its_limit(value: float, level: str) -> None:
    assert Threshold(80, 90).level(value) == level


def test_a_falling_measure_is_judged_the_other_way_round() -> None:
    assert [Threshold(20, 10, falling=True).level(value) for value in (21.0, 20.0, 10.0)] == ["", "Warning", "Critical"]


def test_a_threshold_is_that_of_the_clusters_type_where_the_type_has_one() -> None:
    common = Threshold(80, 90, types={"ELASTIC": Threshold(99, 99.8)})
    assert [common.of(kind).level(95.0) for kind in ("CLASSIC", "", "elastic ", "NEW")] == [
        "Critical", "Critical", "", "Critical",
    ]  # fmt: skip


def test_a_measure_that_decides_nothing_alone_for_one_type_has_no_limit_there() -> None:
    rules = load_rules()
    disk = rules.dimensions["disk_used_pct"].model_copy(update={"types": {"ELASTIC": Variant(alone="never")}})
    thresholds = from_rules(rules.model_copy(update={"dimensions": {"disk_used_pct": disk}}))
    assert thresholds["disk_used_pct"].of("ELASTIC").level(100.0) == ""
    assert thresholds["disk_used_pct"].level(100.0) == "Critical"


@given(st.text(max_size=120))
def test_any_value_stays_one_line_of_inert_text(value: str) -> None:
    text = safe(value)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parseInline(f"x {text} x")
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special"}
    assert "\n" not in text and "<" not in text


@given(st.text(max_size=60))
def test_any_value_stays_in_its_cell(value: str) -> None:
    table = listing(EN, (CLUSTER, CLUSTER), Sheet(("cluster_name",), (Row({"cluster_name": value}),)))
    html = MarkdownIt("commonmark").enable("table").render(table)
    assert html.count("<td>") == 2


def test_a_listing_says_what_it_leaves_out() -> None:
    sheet = Sheet(("cluster_name",), tuple(Row({"cluster_name": f"c{number}"}) for number in range(40)))
    counted = Sheet(sheet.columns, (Row({"cluster_name": "c", "total": "170"}), *sheet.rows))
    assert listing(EN, (CLUSTER,), sheet, limit=40).endswith("12 of 40 shown.")
    assert listing(EN, (CLUSTER,), counted).endswith("12 of 170 shown.")
    cut = Sheet(sheet.columns, sheet.rows, cut=True)
    assert listing(EN, (CLUSTER,), cut).endswith("12 of more than 40 shown.")


def test_every_failure_of_the_warehouse_has_plain_words_without_its_text() -> None:
    for code in ("unavailable", "timeout", "permission", "execution", "unknown_table"):
        text = compose(Found(Intent("worst"), {"standing": Failure(code, ("secret detail",))}, {}))
        assert "secret detail" not in text and "warehouse" in text.lower()
