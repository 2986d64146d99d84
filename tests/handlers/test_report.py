"""A report as documents: differences first, each flagged cluster with figures and buttons, nothing dropped."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.patrol.report import (
    CustomerSummary,
    FlaggedCluster,
    LabelRecord,
    Metric,
    PatrolReport,
    PatrolUsage,
    Prediction,
    RecommendedAction,
)
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers import buttons
from handlers.document import Actions, Button, Divider, Document, Fields, File, Heading, Menu, Note, Prose
from handlers.figures import sparkline
from handlers.findings import Decision, Tracked, compare, decided, keys_of
from handlers.locale import ENGLISH, Locale
from handlers.report import DRAWN, MOST_FLAGS, plan_of, report_document, report_page, report_pages, shown_on
from handlers.report_flag import Sight
from tests.fakes.thinking import report
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled

CHINESE = Locale("zh", ZoneInfo("Asia/Shanghai"))
LATER = MOMENT + timedelta(hours=12)


def prose(document: Document) -> str:
    return "\n".join(part.markdown for part in document.parts if isinstance(part, Prose))


def notes(document: Document) -> list[str]:
    return [part.text for part in document.parts if isinstance(part, Note)]


def pressable(document: Document) -> list[str]:
    """The actions of all buttons and menus."""
    return [one.action for part in document.parts if isinstance(part, Actions) for one in part.buttons]


def sight(
    now: PatrolReport, before: PatrolReport | None = None, decision: Decision | None = None, locale: Locale = ENGLISH
) -> Sight:
    """A report beside an earlier one, about all of whose findings Anna decided something."""
    known: dict[str, Tracked] = {}
    if before is not None:
        _, first = compare(before, {}, MOMENT, None)
        known = {one.key: decided(one, decision, "U1", "Anna", MOMENT) if decision else one for one in first}
    changes, tracked = compare(now, known, LATER, MOMENT if before else None)
    return Sight(now, LATER, changes, {one.key: one for one in tracked}, locale)


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


def test_a_flagged_cluster_says_what_since_when_how_usual_it_is_and_whose() -> None:
    (divider, told, row) = report_document(patrolled("R-1", flagged(1))).parts[2:5]
    assert divider == Divider()
    assert told == Prose(
        "🟠 **Warning** · **prod\\-1** · Acme \\& Sons (tier A) · since 2026-11-18 08:00 UTC\n\n"
        "- disk used 85%, usually 40% at this hour, limit 80% ▁·▂▄█"
    )
    assert isinstance(row, Actions)
    # without a memory there is nothing to decide
    (button,) = row.buttons
    assert isinstance(button, Button)
    assert buttons.investigated(button.value) == ("R-1", ID.format(1))


def test_what_a_model_explains_stands_beside_the_figures_and_what_rules_say_is_not_said_twice() -> None:
    explained = flagged(1, reason="a **load** doubled")
    assert "a **load** doubled\n\n- disk used" in prose(report_document(patrolled("R-1", explained)))
    silent = flagged(2, finding(9, "Unknown", "freshness", unit="h", reason="no data for 9 h", course=()))
    assert prose(report_document(patrolled("R-1", silent))).count("no data for 9 h") == 1


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (ENGLISH, "Warning; the evidence says Critical. Lowered because: a planned load test"),
        (Locale("zh", ZoneInfo("UTC")), "警告;测量结果为严重。降级理由:a planned load test"),
    ],
)
def test_a_severity_that_a_model_lowered_stands_beside_the_measured_one_with_the_reason(
    locale: Locale, told: str
) -> None:
    mild = flagged(1, finding(95.0, "Critical"), severity="Warning", lowered_because="a planned\nload test")
    assert told in prose(report_document(patrolled("R-1", mild), locale))
    plain = flagged(1, finding(95.0, "Critical"))
    assert told[:3] not in prose(report_document(patrolled("R-1", plain), locale))


def test_a_course_that_leads_to_a_limit_says_when() -> None:
    rising = finding(hours_left=12.4, breaking=90.0)
    assert "at this pace 90% in 12.4 h" in prose(report_document(patrolled("R-1", flagged(1, rising))))
    low = finding(12.0, dimension="memory_available_pct", down=True, threshold=20.0)
    assert "at least 20% is wanted" in prose(report_document(patrolled("R-1", flagged(1, low))))


def test_a_report_of_an_earlier_version_shows_the_figures_that_it_has() -> None:
    old = flagged(1, findings=())
    assert Fields((("disk used", "85"),)) in report_document(patrolled("R-1", old)).parts


def test_a_cluster_without_name_and_customer_is_shown_by_its_id() -> None:
    bare = FlaggedCluster("0000-7", "", "Unknown", "Silent for 9 h.")
    _, told, _ = report_document(report(flagged_clusters=(bare,))).parts[2:5]
    assert told == Prose("⚪ **Unknown** · **0000\\-7** · tier B\n\nSilent for 9 h.")


FIGURES = [(91, "91"), (1234567.0, "1,234,567"), (0.01234, "0.0123"), (12.345, "12.35"), ("a\nb", "a b")]


@pytest.mark.parametrize(("value", "shown"), FIGURES)
def test_figures_are_shown_as_people_read_them(value: Metric, shown: str) -> None:
    cluster = FlaggedCluster("c", "n", "Warning", "r", {"starrocks_fe_qps": value})
    assert Fields((("starrocks_fe_qps", shown),)) in report_document(report(flagged_clusters=(cluster,))).parts


def test_worse_comes_before_milder_and_within_one_severity_as_the_patrol_ranked_them() -> None:
    critical = finding(95.0, "Critical")
    clusters = (flagged(4), flagged(3, critical, tier="B"), flagged(2, critical, tier="S"), flagged(1, tier="S"))
    shown = prose(report_document(patrolled("R-1", *clusters)))
    assert [shown.index(f"prod\\-{n}") for n in (3, 2, 4, 1)] == sorted(
        shown.index(f"prod\\-{n}") for n in (1, 2, 3, 4)
    )


def test_the_first_report_has_nothing_to_compare_with_and_says_so() -> None:
    (page,) = report_pages(sight(patrolled("R-1", flagged(1))))
    assert "This is the first report, so there is none to compare it with." in notes(page)
    assert "· **new**" not in prose(page)
    (page,) = report_pages(sight(patrolled("R-2", flagged(1)), patrolled("R-1", flagged(2))))
    assert "· **new**" in prose(page)


def test_the_differences_come_first_with_counts_of_every_kind() -> None:
    before = patrolled("R-1", flagged(1), flagged(2), flagged(3), flagged(4), flagged(9))
    worse, better = finding(92.0), finding(70.0)
    now = patrolled("R-2", flagged(1), flagged(2, worse), flagged(3, better), flagged(5), judged=5)
    (page,) = report_pages(sight(now, before))
    changes = page.parts[1]
    assert isinstance(changes, Prose)
    head, _, *lines = changes.markdown.splitlines()
    assert head == (
        "**Since the last report (2026-11-20 08:00 UTC): "
        "1 new · 1 worse · 1 better · 1 unchanged · 1 recovered · 1 not judged any more**"
    )
    assert lines == [
        "- 🆕 New: **prod\\-5**, disk used 85%",
        "- 🔺 Worse: **prod\\-2**, disk used 92% (was 85%)",
        "- 🟢 Recovered: **prod\\-4**, disk used (was 85%, open for 2 days)",
        "- ❔ Not judged any more: **prod\\-9**, disk used (was 85%); nobody knows whether it is well",
        "- 🔽 Better: **prod\\-3**, disk used 70% (was 85%)",
    ]
    assert "· open for 2 days" in prose(page)
    assert ", was 85%" in prose(page)


def test_many_changes_of_a_kind_are_counted_in_full_and_named_in_part() -> None:
    before = patrolled("R-1", flagged(50))
    (page, *_) = report_pages(sight(patrolled("R-2", *(flagged(n) for n in range(20))), before))
    assert "20 new · 1 recovered" in prose(page)
    assert "- … and 12 more" in prose(page)


def test_what_is_acknowledged_collapses_to_a_line_with_who() -> None:
    before = patrolled("R-1", flagged(1), flagged(2, finding(95.0, "Critical")))
    now = patrolled("R-2", flagged(1), flagged(3))
    (page,) = report_pages(sight(now, before, Decision("acknowledged")))
    assert "**Kept quiet (1)**" in prose(page)
    assert "- prod\\-1: disk used 85% · ✅ _acknowledged by Anna, 2026-11-20 08:00 UTC_" in prose(page)
    assert pressable(page).count(buttons.INVESTIGATE) == 1
    # it is flagged all the same, and counted
    assert page.parts[0] == Heading("Morning patrol: 2 warning of 170 clusters")


def test_it_comes_back_with_a_block_when_it_gets_worse() -> None:
    now = patrolled("R-2", flagged(1, finding(95.0, "Critical")))
    (page,) = report_pages(sight(now, patrolled("R-1", flagged(1)), Decision("acknowledged")))
    assert "- 🔁 Back, it got worse: **prod\\-1**, disk used 95%" in prose(page)
    assert buttons.ACKNOWLEDGE in pressable(page)
    assert "Kept quiet" not in prose(page)


def test_a_cluster_with_one_loud_finding_keeps_its_block_and_says_which_is_quiet() -> None:
    before = patrolled("R-1", flagged(1))
    loud = finding(97.0, "Critical", "cpu_util_pct", reason="BE CPU 97%")
    (page,) = report_pages(sight(patrolled("R-2", flagged(1, loud, finding())), before, Decision("acknowledged")))
    assert "✅ _acknowledged by Anna, 2026-11-20 08:00 UTC_ (disk used)" in prose(page)


STATES = [
    (Decision("open"), [buttons.ACKNOWLEDGE, buttons.SNOOZE], ""),
    (Decision("acknowledged"), [buttons.REOPEN], "✅ _acknowledged by Anna"),
    (Decision("snoozed", LATER + timedelta(hours=1)), [buttons.REOPEN], "💤 _snoozed until 2026-11-20 21:00 UTC"),
    (Decision("snoozed", LATER), [buttons.ACKNOWLEDGE, buttons.SNOOZE], ""),
    (
        Decision("known", note="JIRA-7"),
        [buttons.REOPEN],
        "📌 _known issue (Anna, 2026-11-20 08:00 UTC): JIRA\\-7",
    ),
]


@pytest.mark.parametrize(("decision", "offered", "told"), STATES)
def test_a_decision_shows_on_the_block_and_changes_what_can_be_pressed(
    decision: Decision, offered: list[str], told: str
) -> None:
    plain = sight(patrolled("R-1", flagged(1)))
    (key,) = keys_of(flagged(1))
    held = replace(plain, now={key: decided(plain.now[key], decision, "U1", "Anna", MOMENT)})
    (page,) = report_pages(held)
    assert pressable(page) == [buttons.INVESTIGATE, buttons.FLAG_SQL, *offered, buttons.ASSIGN, buttons.KNOWN]
    assert told in prose(page)
    assert ("_" in prose(page)) is bool(told)


def test_an_assignment_and_a_recovery_show_on_the_block() -> None:
    plain = sight(patrolled("R-1", flagged(1)))
    (key,) = keys_of(flagged(1))
    (page,) = report_pages(replace(plain, now={key: replace(plain.now[key], assignee_name="B*b")}))
    assert "👤 _assigned to B\\*b_" in prose(page)
    (page,) = report_pages(replace(plain, now={key: replace(plain.now[key], closed_at=LATER)}))
    assert "🟢 _recovered 2026-11-20 20:00 UTC_" in prose(page)
    assert pressable(page) == [buttons.INVESTIGATE, buttons.FLAG_SQL]


def test_the_options_of_the_snooze_menu_are_read_back() -> None:
    (page,) = report_pages(sight(patrolled("R-1", flagged(1))))
    (menu,) = [one for part in page.parts if isinstance(part, Actions) for one in part.buttons if isinstance(one, Menu)]
    spans = [buttons.snooze_of(value) for _, value in menu.options]
    assert [span for span, _ in spans] == ["1h", "8h", "3d"]
    assert {buttons.flag_of(of) for _, of in spans} == {("R-1", buttons.short_id(ID.format(1)))}
    assert all(len(value) <= 150 for _, value in menu.options)


def test_what_does_not_fit_one_message_goes_on_in_the_thread_and_is_counted() -> None:
    pages = report_pages(sight(patrolled("R-1", *(flagged(n) for n in range(25)))))
    flags = [pressable(page).count(buttons.INVESTIGATE) for page in pages]
    assert sum(flags) == 25
    assert max(flags) <= MOST_FLAGS
    assert flags[-1] == 0
    assert f"{flags[0]} of 25 flagged clusters are in this message, {25 - flags[0]} in the thread." in notes(pages[0])
    assert any("grow the disk" in prose(page) for page in pages[-1:])


def test_beyond_that_a_file_holds_all_and_the_first_message_says_so() -> None:
    clusters = tuple(flagged(n, cluster_name="=HYPERLINK(1)") for n in range(DRAWN + 12))
    pages = report_pages(sight(patrolled("R-1", *clusters)))
    assert sum(pressable(page).count(buttons.INVESTIGATE) for page in pages) == DRAWN
    assert "and the last 12 only in the file there" in notes(pages[0])[0]
    (file,) = [part for page in pages for part in page.parts if isinstance(part, File)]
    rows = file.content.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + DRAWN + 12
    assert rows[0].startswith("severity,cluster,cluster_id")
    assert rows[1].startswith("Warning,'=HYPERLINK(1)")


def decisions_about(now: dict[str, Tracked], decision: Decision) -> dict[str, Tracked]:
    return {key: decided(one, decision, "U1", "Anna" * 10, MOMENT) for key, one in now.items()}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1_500), min_size=1, max_size=30), st.sampled_from([ENGLISH, CHINESE]))
def test_every_page_is_one_message_of_slack_and_lark_whatever_is_decided_later(
    reasons: Sequence[int], locale: Locale
) -> None:
    clusters = [flagged(n, reason="x" * length + " ") for n, length in enumerate(reasons)]
    plain = sight(patrolled("R-1", *clusters, fleet_narrative="n" * 2_000), locale=locale)
    known = Decision("known", note="k" * 100)
    decided_on = replace(plain, now=decisions_about(dict(plain.now), known))
    pages = report_pages(plain)
    assert len(report_pages(decided_on)) == len(pages)
    for page in (*pages, *report_pages(decided_on)):
        assert len(messages(page, ())) == 1
        assert len(rendered(page, ()).cards) == 1


def test_a_page_shows_the_same_clusters_whatever_was_decided() -> None:
    plain = sight(patrolled("R-1", *(flagged(n) for n in range(20))))
    after = replace(plain, now=decisions_about(dict(plain.now), Decision("acknowledged")))
    for n in range(20):
        (page,) = shown_on(plain, ID.format(n))
        assert shown_on(after, ID.format(n)) == (page,)
        assert f"prod\\-{n}**" in prose(report_pages(after)[page])
    assert shown_on(plain, "another") == ()


def test_the_plan_of_a_report_draws_the_same_pages_again() -> None:
    plain = sight(patrolled("R-1", *(flagged(n) for n in range(60))))
    pinned = replace(plain, plan=plan_of(plain))
    assert report_pages(pinned) == report_pages(plain)
    assert [report_page(pinned, number) for number in range(len(plan_of(plain)))] == [*report_pages(plain)]


def test_a_report_that_was_posted_keeps_its_pages_however_it_would_be_laid_out_now() -> None:
    plain = sight(patrolled("R-1", *(flagged(n) for n in range(5))))
    one, two, gone = (buttons.short_id(one) for one in (ID.format(4), ID.format(0), "no longer flagged"))
    posted = replace(plain, plan=((one,), (two, gone), ()))
    assert ["prod\\-4**" in prose(report_page(posted, 0)), "prod\\-0**" in prose(report_page(posted, 1))] == [
        True,
        True,
    ]
    assert (shown_on(posted, ID.format(4)), shown_on(posted, ID.format(0))) == ((0,), (1,))
    # the three that stand on no page are counted as those of the file
    assert shown_on(posted, ID.format(2)) == ()
    assert [part.name for part in report_page(posted, 2).parts if isinstance(part, File)] != []


def test_a_quiet_cluster_is_shown_on_the_first_page() -> None:
    found = sight(patrolled("R-2", flagged(1)), patrolled("R-1", flagged(1)), Decision("acknowledged"))
    assert shown_on(found, ID.format(1)) == (0,)


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


def test_the_record_of_earlier_predictions_is_printed_by_confidence() -> None:
    record = (LabelRecord("High", 9, 8, 0.071), LabelRecord("Low", 4, 1, 0.2))
    assert Note("Earlier predictions that came true: high 8 of 9 (Brier 0.07); low 1 of 4 (Brier 0.20)") in (
        report_document(report(0, record=record)).parts
    )


def test_a_report_ends_with_where_it_comes_from() -> None:
    usage = PatrolUsage(rounds=2, tool_calls=7, queries=11)
    shown = report(0, as_of="2026-01-01 05:00", analyst="rules-only", usage=usage)
    assert report_document(shown).parts[-1] == Note(
        "rules only, no model · 2 rounds · 18 queries · 0 s · data as of 2026-01-01 05:00 UTC · report R-1"
    )


def test_a_chinese_reader_reads_chinese_and_their_own_clock() -> None:
    (page,) = report_pages(sight(patrolled("R-2", flagged(1)), patrolled("R-1", flagged(1)), locale=CHINESE))
    assert page.parts[0] == Heading("早间巡检: 170 个集群中:警告 1")
    assert "自 2026-11-18 16:00 CST 起" in prose(page)
    assert "磁盘使用率 85%" in prose(page)
    assert "与上一次报告(2026-11-20 16:00 CST)相比:未变 1" in prose(page)


COURSES = [
    ((1.0, 2.0, 3.0), "▁▅█"),
    ((0.0, None, 7.0), "▁·█"),
    ((100.0, 100.4, 100.2), "▁▂▁"),
    ((), ""),
    ((None, None), ""),
    ((0.0, 0.0), "▁▁"),
]


@pytest.mark.parametrize(("course", "drawn"), COURSES)
def test_a_course_is_drawn_from_its_lowest_to_its_highest_and_noise_stays_flat(course, drawn: str) -> None:
    assert sparkline(course) == drawn


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=48))
def test_a_course_has_a_character_for_every_hour(course: list[float | None]) -> None:
    assert len(sparkline(course)) in (0, len(course))


@given(st.text(max_size=300), st.text(max_size=300))
@example("\x01" * 150, "\x02" * 150)
def test_the_ids_of_a_button_come_back_or_are_refused(report_id: str, cluster_id: str) -> None:
    value = buttons.investigation(report_id, cluster_id)
    assert len(value) <= 2_000
    if report_id and cluster_id:
        assert buttons.investigated(value) == (report_id[:150], cluster_id[:150])


@given(st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True), st.text(max_size=300))
def test_the_value_of_a_flags_button_is_read_back(report_id: str, cluster_id: str) -> None:
    value = buttons.flag(report_id, cluster_id)
    assert buttons.flag_of(value) == (report_id, buttons.short_id(cluster_id))
    assert buttons.snooze_of(buttons.snooze("3d", value)) == ("3d", value)


@given(st.text())
def test_no_other_value_passes_for_one(value: str) -> None:
    for read in (buttons.flag_of, buttons.snooze_of):
        with pytest.raises(ValueError, match="not"):
            read(f"{value}!")
