"""The week of a weekly report as people see it: each list with its most important lines, the rest in a file."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patrol.report import PatrolReport, report_of
from agent.patrol.week import Filling, FleetTrend, Noisy, Recurring, Rising, Shift, Standing, Week
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.document import Document, File, Heading, Note, Part, Prose
from handlers.locale import ENGLISH, Locale
from handlers.opening import MOST_OF_A_WEEK, opening
from handlers.report import report_document, report_pages
from handlers.report_flag import Sight
from handlers.report_week import SHOWN, week_file, week_parts
from tests.fakes.lark.cards import problems as card_problems
from tests.fakes.slack import problems
from tests.handlers.reports import ID, MOMENT, flagged, patrolled
from tests.handlers.test_report import notes, prose
from tests.handlers.test_report_hostile import LIVE, TEXT, marked_up

CHINESE = Locale("zh", ZoneInfo("Asia/Shanghai"))
COURSE = (100.0, 100.0, None, 90.0, 80.0, 60.0, 50.0, 46.0)


def standing(number: int = 1, now: float = 46.0, before: float | None = 98.9, name: str = "") -> Standing:
    shift = Shift("compaction_score", "", 61.0, 4021.0)
    shifts = () if before is None else (shift,)
    return Standing(ID.format(number), name or f"prod-{number}", now, before, COURSE, shifts)


def recurring(number: int = 1, name: str = "", **more: bool) -> Recurring:
    told = {"lasting": True} | more
    return Recurring(ID.format(number), name or f"prod-{number}", "disk_used_pct", "Warning", 5, 2, **told)


def filling(number: int = 1, name: str = "") -> Filling:
    who = (ID.format(number), name or f"prod-{number}")
    return Filling(*who, "disk_used_pct", "%", 71.3, 90.0, 3.5, 38.2, 31.1, 49.4)


def noisy(number: int = 1, name: str = "") -> Noisy:
    return Noisy(name or f"Slow{number}", 24, 6, 22, 20, 2)


def a_week(many: int = 1, name: str = "", **changed: object) -> Week:
    """A week with so many lines in each list."""
    made = Week(
        until="2026-11-20 07:00",
        fleet=FleetTrend(97.2, 99.8, 24, 3, 5, (99.8, 99.0, 98.0, 97.2)),
        rising=tuple(Rising("p99_latency_ms", "ms", 4, 1, 120.0, 300.0) for _ in range(many)),
        worst=tuple(standing(number + 100, 40.0, None, name) for number in range(many)),
        fell=tuple(standing(number, name=name) for number in range(many)),
        rose=tuple(standing(number + 50, 100.0, 46.0, name) for number in range(many)),
        recurring=tuple(recurring(number, name) for number in range(many)),
        reports=tuple(f"R-{at}" for at in range(14)),
        noise=tuple(noisy(number, name) for number in range(many)),
        incidents=60,
        names=9,
        capacity=tuple(filling(number, name) for number in range(many)),
        receipts={"scores": ("q-1", "q-2"), "noise": ("q-3",)},
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def sight(week: Week, *clusters: int, locale: Locale = ENGLISH, **more: object) -> Sight:
    report = patrolled("R-1", *(flagged(n) for n in clusters), report_type="weekly", week=week, **more)
    return Sight(report, MOMENT, locale=locale)


def parts(week: Week, locale: Locale = ENGLISH) -> Document:
    return Document("", tuple(week_parts(sight(week, locale=locale))))


def lines(week: Week, locale: Locale = ENGLISH) -> list[str]:
    return [one for one in prose(parts(week, locale)).splitlines() if one]


def files(found: Sequence[Part]) -> list[File]:
    return [part for part in found if isinstance(part, File)]


def test_a_week_tells_trend_movers_what_came_back_capacity_and_noise_each_with_its_figures() -> None:
    assert lines(a_week()) == [
        "**Mean score 97.2 of 100, a week ago 99.8 ▅▄▂▁; of 24 clusters 3 clearly better, 5 clearly worse**",
        "- query p99: worse on 4 clusters, better on 1; median 120 ms → 300 ms",
        "**Fell most**",
        "- **prod\\-0**: 98.9 → 46 ██·▇▅▃▂▁ · compaction score 61 → 4,021",
        "**Lowest scores**",
        "- **prod\\-100**: 40; a week ago it could not be scored",
        "**Rose most**",
        "- **prod\\-50**: 46 → 100 ██·▇▅▃▂▁ · compaction score 61 → 4,021",
        "**On three days or more**",
        "- **prod\\-0**: disk used, 5 days, opened 2×, there now",
        "**Capacity: reaches its limit within 8 weeks**",
        "- **prod\\-0**: disk used 71.3% → 90% in about 38 days (90 %: 31–49), +3.5% a week",
        "**Alerts that fire much and mean little**",
        "- **Slow0**: 24 incidents on 6 clusters, 92% without consequence; 20 over within the hour,"
        " comes back on 2 clusters",
    ]
    assert notes(parts(a_week())) == ["Receipts: scores q-1, q-2 · alerts q-3 · 14 reports"]


def test_the_same_week_is_told_in_chinese() -> None:
    told = lines(a_week(), CHINESE)
    assert len(told) == len(lines(a_week()))
    assert told[0].startswith("**平均得分 97.2(满分 100),一周前 99.8")
    assert "- **prod\\-0**:磁盘使用率 71.3% → 90%,约 38 天后(90 % 区间:31–49 天),每周 +3.5%" in told
    assert parts(a_week(), CHINESE).parts[0] == Heading("本周")


def test_a_quiet_week_says_what_there_is_nothing_of() -> None:
    quiet = a_week(0)
    assert lines(quiet)[1:] == []
    (note,) = notes(parts(quiet))
    assert note.splitlines()[:3] == [
        "No finding stood on three days or more (14 reports of the week are remembered).",
        "Capacity: nothing is on a steady way to its limit within 8 weeks.",
        "No alert stands out as noise (60 incidents of 9 alerts).",
    ]


def test_what_is_not_known_is_not_called_quiet() -> None:
    blind = Week(until="", missing=("scores", "capacity", "noise", "recurring"))
    assert lines(blind) == []
    assert notes(parts(blind)) == ["Not known of the week: scores, capacity, alerts, what came back"]


def test_what_is_over_is_called_so() -> None:
    assert any(one.endswith("over now") for one in lines(a_week(recurring=(recurring(lasting=False),))))


def test_a_long_list_shows_its_first_lines_and_counts_the_rest_which_is_in_the_file() -> None:
    week = a_week(SHOWN + 3)
    told = lines(week)
    assert told.count("- … and 3 more in the file") == 7
    (file,) = files(tuple(week_file(sight(week))))
    rows = file.content.decode("utf-8-sig").splitlines()
    kinds = [row.split(",")[0] for row in rows[1:]]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(
        ("fell", "fell: cause", "rose", "rose: cause", "lowest", "rising", "recurring", "capacity", "noise"), SHOWN + 3
    )
    assert rows[0].startswith("part,cluster_or_alert,cluster_id,dimension,unit,before,now,limit")
    assert "capacity,prod-0," in "\n".join(rows)


def test_a_week_that_fits_has_no_file() -> None:
    assert list(week_file(sight(a_week(SHOWN)))) == []


def test_a_list_that_one_reader_sees_in_part_is_whole_without_a_surface_that_limits_it() -> None:
    told = prose(report_document(sight(a_week(SHOWN + 3)).report))
    assert "more in the file" not in told
    assert told.count("days, opened 2×") == SHOWN + 3


@pytest.mark.parametrize("report_type", ["morning", "on_demand"])
def test_other_reports_have_no_week(report_type: str) -> None:
    plain = patrolled("R-1", flagged(1), report_type=report_type)
    assert Heading("The week") not in report_document(plain).parts
    assert list(week_file(Sight(plain, MOMENT))) == []


def test_the_week_stands_on_the_first_page_and_the_file_on_the_last() -> None:
    pages = report_pages(sight(a_week(SHOWN + 1), *range(20)))
    assert [Heading("The week") in page.parts for page in pages] == [True, *[False] * (len(pages) - 1)]
    assert [len(files(page.parts)) for page in pages] == [*[0] * (len(pages) - 1), 1]


@settings(max_examples=25)
@given(st.integers(0, 30), st.integers(0, 12), st.sampled_from([ENGLISH, CHINESE]), st.integers(0, 2_000))
def test_every_page_of_a_weekly_report_is_one_message_of_slack_and_lark(
    clusters: int, many: int, locale: Locale, narrative: int
) -> None:
    found = sight(a_week(many), *range(clusters), locale=locale, fleet_narrative="n" * narrative)
    for page in report_pages(found):
        (message,) = messages(page, ())
        assert problems(list(message.blocks)) == []
        (card,) = rendered(page, ()).cards
        assert card_problems(card) == []


@settings(max_examples=25)
@given(TEXT, st.sampled_from([ENGLISH, CHINESE]))
def test_no_name_in_a_week_mentions_anybody_or_leads_anywhere(name: str, locale: Locale) -> None:
    found = Sight(patrolled("R-1", week=a_week(2, name or "x")), MOMENT, locale=locale)
    for part in week_parts(found):
        text = part.markdown if isinstance(part, Prose) else part.text if isinstance(part, (Note, Heading)) else ""
        for shown in messages(Document("", (part,)), ()):
            assert not LIVE.search(" ".join(marked_up(shown.blocks))), text
        for card in rendered(Document("", (part,)), ()).cards:
            assert not LIVE.search(" ".join(marked_up(card))), text


def test_the_week_is_kept_with_the_report_and_known_in_its_thread() -> None:
    report: PatrolReport = sight(a_week(), 1).report
    assert report_of(report.to_json()) == report
    told = str(opening(report)[0]["content"])
    assert "4021.0" in told
    assert "38.2" in told


def test_a_thread_is_not_filled_with_the_whole_week() -> None:
    told = [str(opening(sight(a_week(many)).report)[0]["content"]) for many in (MOST_OF_A_WEEK, 500)]
    assert len(told[0]) == len(told[1])
