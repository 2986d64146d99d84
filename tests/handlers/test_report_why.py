"""Behind a flag of a report: what was measured, by which rule, from which SQL, and why it stands where it stands."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.report import Factors, FlaggedCluster, PatrolReport
from bot.lark.card import rendered
from bot.slack.views import modal
from handlers import buttons
from handlers.document import Actions, Prose
from handlers.findings import compare
from handlers.locale import ENGLISH
from handlers.report_flag import Sight, flag_parts
from handlers.report_why import why_document
from handlers.surface import Press
from tests.handlers.conftest import Desk, words
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled
from tests.handlers.test_answers import CHINESE
from tests.handlers.test_decisions import posted

VALUE = buttons.flag("R-1", ID.format(1))
SQL = "SELECT cluster_id FROM metrics.amv_hourly_snapshots_v1"
FACTORS = Factors(0.825, 1.6, 1.309, 2.13, "new", 0.0412, 2.938, 3.0)


def flag(factors: Factors | None = FACTORS, **more: object) -> FlaggedCluster:
    heap = finding(97.0, "Critical", "fe_heap_used_pct", query_id="q-2", rule="heap: 95 is too much", since="")
    return replace(flagged(1, finding(), heap), factors=factors, **more)  # type: ignore[arg-type]


def reported(*clusters: FlaggedCluster, **receipts: str) -> PatrolReport:
    return patrolled("R-1", *clusters, receipts={key.replace("_", "-"): sql for key, sql in receipts.items()})


def shown(cluster: FlaggedCluster, report: PatrolReport, locale=ENGLISH) -> str:
    return words(why_document(cluster, report, locale)).replace("\\", "")


def test_each_finding_stands_with_value_limit_rule_beginning_and_receipt() -> None:
    told = shown(flag(), reported(flag(), q_1=SQL, q_2="SELECT 2"))
    for part in (
        "🟠 **Warning**: disk used 85%, usually 40% at this hour, limit 80%",
        "Rule: disk: 80 is too much · since 2026-11-18 08:00 UTC · from q-1",
        "🔴 **Critical**: FE heap used 97%",
        "Rule: heap: 95 is too much · from q-2",
        f"q-1\n```sql\n{SQL}\n```",
        "q-2\n```sql\nSELECT 2\n```",
    ):
        assert part in told


def test_a_statement_that_several_findings_rest_on_is_shown_once() -> None:
    twice = flagged(1, finding(), finding(97.0, "Critical", "fe_heap_used_pct"))
    assert shown(twice, reported(twice, q_1=SQL)).count(SQL) == 1


@pytest.mark.parametrize(
    ("factors", "lines"),
    [
        (
            FACTORS,
            (
                "Among those that are Critical it is ranked by 3.68, the product of:",
                "- health 0.82",
                "- tier 1.6 (A)",
                "- impact 1.31 (4.12% of the fleet's queries and loads, 2.94 times the mean cluster)",
                "- change 2.13 (new since the last report, began 3 h before)",
            ),
        ),
        (Factors(), ("- impact 1.00 (its traffic is not known)", "- change 1.00 (no report to compare with)")),
        (replace(FACTORS, moved="better", hours=None), ("(better than in the last report)",)),
        (replace(FACTORS, tier=1.0, tiered=False), ("- tier 1 (none is known, taken for A)",)),
    ],
)
def test_the_ranking_is_told_factor_by_factor(factors: Factors, lines: tuple[str, ...]) -> None:
    told = shown(flag(factors), reported(flag(factors), q_1=SQL))
    assert all(line in told for line in lines)


def test_a_report_of_before_there_was_a_ranking_and_without_receipts_says_what_it_knows() -> None:
    old = flagged(1, finding(query_id="", rule=""))
    told = shown(old, reported(old))
    assert "disk used 85%" in told and "no receipt" in told
    assert "ranked by" not in told and "```" not in told and "Rule" not in told


def test_a_lowered_severity_is_told_there_too() -> None:
    told = shown(flag(severity="Warning", lowered_because="planned"), reported(q_1=SQL))
    assert "Warning; the evidence says Critical. Lowered because: planned" in told


def test_it_is_said_in_the_readers_language() -> None:
    told = shown(flag(), reported(flag(), q_1=SQL), CHINESE)
    assert "规则:disk: 80 is too much" in told and "- 变化 2.13(上次报告之后新增,始于 3 小时前)" in told


def test_sql_that_is_longer_than_a_dialog_is_cut_and_says_so() -> None:
    long = "SELECT " + "x" * 40_000
    told = shown(flag(), reported(flag(), q_1=long, q_2="SELECT 2"))
    assert "The first 18,000 of 40,007 characters" in told and "The first 0 of 8 characters" in told
    assert len(told) < 25_000


@given(st.text(max_size=40), st.text(max_size=60), st.text(max_size=200), st.text(max_size=40))
def test_hostile_names_rules_and_statements_are_drawn_by_both_surfaces(
    name: str, rule: str, sql: str, because: str
) -> None:
    made = finding(rule=rule)
    cluster = replace(flagged(1, made), cluster_name=name, customer=name, factors=FACTORS, lowered_because=because)
    document = why_document(cluster, reported(cluster, q_1=sql), ENGLISH)
    press = Press("k", buttons.FLAG_SQL, VALUE, "U1", "slack:T:C:1", "slack:T:C:1", "t")
    assert modal(press, "Why it is flagged", document, None, ())["blocks"]
    assert rendered(document, ()).cards


def test_the_button_stands_under_every_flag_of_a_report_that_is_remembered() -> None:
    def actions(sight: Sight) -> list[str]:
        (row,) = [part for part in flag_parts(flag(), sight) if isinstance(part, Actions)]
        return [one.action for one in row.buttons]

    report = reported(flag())
    assert buttons.FLAG_SQL not in actions(Sight(report, MOMENT))
    changes, _ = compare(report, {}, MOMENT, None)
    assert buttons.FLAG_SQL in actions(Sight(report, MOMENT, changes))


async def test_pressing_it_opens_a_dialog_with_the_evidence(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.FLAG_SQL, VALUE, message="x:C:2")
    ((press, title, document, form),) = desk.surface.dialogs
    assert (press.user, title, form) == ("U1", "Why it is flagged", None)
    assert Prose("```sql\nSELECT 1 FROM metrics.amv_hourly_snapshots_v1\n```") in document.parts


async def test_whoever_may_not_see_the_whole_fleet_sees_none_of_it(desk: Desk) -> None:
    await posted(desk)
    desk.patrols.partial.add("x:C:1")
    await desk.press(buttons.FLAG_SQL, VALUE)
    assert desk.surface.dialogs == []
    assert len(desk.whispered()) == 1


async def test_a_forgotten_report_is_told_as_such_and_a_made_up_value_opens_nothing(desk: Desk) -> None:
    await desk.press(buttons.FLAG_SQL, VALUE)
    assert len(desk.whispered()) == 1
    await posted(desk)
    await desk.press(buttons.FLAG_SQL, buttons.flag("R-1", "another"))
    await desk.press(buttons.FLAG_SQL, "nonsense")
    assert desk.surface.dialogs == []
