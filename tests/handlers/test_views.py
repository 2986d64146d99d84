"""Answers and reports as documents."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.patrol.report import (
    CustomerSummary,
    FlaggedCluster,
    Metric,
    PatrolUsage,
    Prediction,
    RecommendedAction,
)
from handlers.buttons import investigated, investigation
from handlers.document import Actions, Divider, Fields, Heading, Note, Prose
from handlers.markdown import excerpt, literal
from handlers.views import help_document, report_document
from tests.fakes.thinking import report


def test_a_report_opens_with_its_counts_and_narrative() -> None:
    document = report_document(report(3))
    assert document.parts[0] == Heading("Morning patrol: 2 critical, 1 warning of 170 clusters")
    assert document.parts[1] == Prose("Two clusters **compact** too slowly.")
    assert document.fallback.startswith("Morning patrol: 2 critical")


def test_a_healthy_fleet_is_called_so_and_nothing_is_invented() -> None:
    document = report_document(report(0, report_type="on_demand", notice="Not stored."))
    assert [type(part) for part in document.parts] == [Heading, Note, Prose, Divider, Note]
    assert document.parts[0] == Heading("On-demand patrol: nothing flagged of 170 clusters")
    assert document.parts[1] == Note("Not stored.")


def test_a_flagged_cluster_is_one_group_with_its_button() -> None:
    parts = report_document(report(1)).parts[2:6]
    divider, prose, fields, actions = parts
    assert divider == Divider()
    assert prose == Prose(
        "🔴 **Critical** · **prod\\-0** · Acme \\& Sons (tier A) · since 2026\\-01\\-01 04\\:00 UTC\n\n"
        "Compaction score 100 for three hours."
    )
    assert fields == Fields((("compaction score", "100.50"), ("disk used, %", "91")))
    assert isinstance(actions, Actions)
    assert investigated(actions.buttons[0].value) == ("R-1", "0000-0")


def test_a_cluster_without_name_customer_or_metrics_is_shown_by_its_id() -> None:
    bare = FlaggedCluster("0000-7", "", "Unknown", "Silent for 9 h.")
    _, prose, actions = report_document(report(flagged_clusters=(bare,))).parts[2:5]
    assert prose == Prose("⚪ **Unknown** · **0000\\-7** · tier B\n\nSilent for 9 h.")
    assert isinstance(actions, Actions)


def test_predictions_customers_and_actions_follow_in_order_of_urgency() -> None:
    document = report_document(
        report(
            0,
            predictions=(Prediction("disk full", "High"),),
            customer_summaries=(CustomerSummary("Ac*me", "S", "two\nclusters slow"),),
            recommended_actions=(RecommendedAction("This Week", "plan"), RecommendedAction("Immediate", "add disk")),
        )
    )
    assert document.parts[2:-2] == (
        Heading("Next 24–48 hours"),
        Prose("- disk full _(high confidence)_"),
        Heading("Customers"),
        Prose("- **Ac\\*me** (tier S): two clusters slow"),
        Heading("What to do"),
        Prose("**Immediate**\n\n- add disk"),
        Prose("**This Week**\n\n- plan"),
    )


def test_a_report_ends_with_where_it_comes_from() -> None:
    shown = report(
        0, as_of="2026-01-01 05:00", analyst="rules-only", usage=PatrolUsage(rounds=2, tool_calls=7, queries=11)
    )
    assert report_document(shown).parts[-1] == Note(
        "rules only, no model · 2 rounds · 18 queries · 0 s · data as of 2026-01-01 05:00 UTC · report R-1"
    )


FIGURES = [
    (91, "91"),
    (1234567.0, "1,234,567"),
    (0.01234, "0.0123"),
    (12.345, "12.35"),
    ("a\nb", "a b"),
    (-3.5, "-3.50"),
]


@pytest.mark.parametrize(("value", "shown"), FIGURES)
def test_figures_are_shown_as_people_read_them(value: Metric, shown: str) -> None:
    cluster = FlaggedCluster("c", "n", "Warning", "r", {"metric": value})
    fields = report_document(report(flagged_clusters=(cluster,))).parts[4]
    assert fields == Fields((("metric", shown),))


def test_metrics_of_starrocks_itself_keep_their_names() -> None:
    cluster = FlaggedCluster("c", "n", "Warning", "r", {"starrocks_fe_qps": 1})
    fields = report_document(report(flagged_clusters=(cluster,))).parts[4]
    assert fields == Fields((("starrocks_fe_qps", "1"),))


def test_help_quotes_what_was_typed_without_its_markup() -> None:
    (part,) = help_document("*now* " + "x" * 500).parts
    assert isinstance(part, Prose)
    assert "\\*now\\*" in part.markdown
    assert len(part.markdown) < 400


@given(st.text(max_size=300), st.text(max_size=300))
@example("\x01" * 150, "\x02" * 150)
def test_the_ids_of_a_button_come_back_or_are_refused(report_id: str, cluster_id: str) -> None:
    value = investigation(report_id, cluster_id)
    assert len(value) <= 2_000
    if report_id and cluster_id:
        assert investigated(value) == (report_id[:150], cluster_id[:150])


@given(st.text(), st.integers(1, 50))
def test_an_excerpt_fits_on_one_line(text: str, limit: int) -> None:
    found = excerpt(text, limit)
    assert len(found) <= limit
    assert "\n" not in found


@given(st.text())
def test_a_literal_holds_no_unescaped_punctuation(text: str) -> None:
    rest = literal(text)
    while rest:
        step = 2 if rest[0] == "\\" else 1
        assert step == 2 or rest[0].isalnum() or not rest[0].isascii() or rest[0] == " "
        rest = rest[step:]
