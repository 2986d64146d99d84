"""Under a report: what could be seen. Above one without flags: whether that is enough to call the fleet healthy."""

from dataclasses import replace

import pytest

from agent.patrol.coverage import Coverage, Source
from agent.patrol.report import PatrolReport, report_of
from handlers.document import Heading, Note
from handlers.locale import ENGLISH, Locale
from handlers.report import report_document
from tests.handlers.reports import flagged, patrolled
from tests.handlers.test_answers import CHINESE

AT = "2026-11-20 08:00"
WHOLE = Coverage(
    AT,
    (
        Source("metrics", "2026-11-20 07:20"),
        Source("alerts", "2026-11-20 03:30"),
        Source("operations", "2026-11-16 08:00"),
        Source("scores"),
        Source("issues"),
    ),
    clusters=170,
    judged=170,
)
BLIND = replace(
    WHOLE,
    sources=(Source("metrics", "2026-11-20 07:00", cut=True), Source("alerts", failed=True)),
    judged=160,
    silent=3,
    waiting=7,
    partial=2,
    failed=("alerts", "the newest hours (timeout)"),
    cut=("the daily values",),
)


def reported(coverage: Coverage | None, *clusters, locale: Locale = ENGLISH) -> tuple[str, str]:
    """The heading of a report, and its line on coverage."""
    document = report_document(patrolled("R-1", *clusters, coverage=coverage, active_clusters=170), locale)
    (heading, *_) = [part.text for part in document.parts if isinstance(part, Heading)]
    told = [part.text for part in document.parts if isinstance(part, Note) and "metrics " in part.text.lower()]
    told += [part.text for part in document.parts if isinstance(part, Note) and part.text.startswith("覆盖")]
    return heading, "".join(told)


def test_the_age_of_every_source_stands_under_a_report() -> None:
    assert reported(WHOLE, flagged(1)) == (
        "Morning patrol: 1 warning of 170 clusters",
        "Coverage: 170 of 170 clusters judged"
        " · newest data: metrics 40 min old, alerts 4 h old, operations 4 d old"
        ", stored scores none for a week, no open issues",
    )


def test_clusters_without_data_and_checks_that_failed_are_all_named() -> None:
    assert reported(BLIND, flagged(1))[1] == (
        "Coverage: 160 of 170 clusters judged · 3 without data"
        " · 7 not to be judged (starting, being stopped, too few metrics) · 2 lack some metrics"
        " · newest data: metrics 1 h old"
        " · could not be read: alerts, the newest hours (timeout) · read in part only: the daily values"
    )


def test_in_chinese_the_checks_are_chinese_too() -> None:
    told = reported(BLIND, flagged(1), locale=CHINESE)[1]
    assert told.startswith("覆盖情况:170 个集群中有 160 个可判断 · 3 个没有数据")
    assert "无法读取:告警、最近几小时的数据 (timeout)" in told and "仅部分读取:每日数据" in told


@pytest.mark.parametrize(
    ("coverage", "heading"),
    [
        (WHOLE, "all 170 clusters are healthy"),
        (replace(WHOLE, failed=("alerts",)), "nothing flagged in 170 clusters, but not everything could be seen"),
        (replace(WHOLE, stale=True), "nothing flagged in 170 clusters, but not everything could be seen"),
        (replace(WHOLE, cut=("alerts",)), "nothing flagged in 170 clusters, but not everything could be seen"),
        (
            replace(WHOLE, judged=168, waiting=2),
            "nothing flagged, 168 of 170 clusters are healthy, of the others nothing is known",
        ),
        (None, "nothing flagged of 170 clusters"),
    ],
)
def test_healthy_is_said_plainly_and_only_of_what_could_be_seen(coverage: Coverage | None, heading: str) -> None:
    assert reported(coverage)[0] == f"Morning patrol: {heading}"


def test_a_healthy_fleet_is_called_so_in_chinese() -> None:
    assert reported(WHOLE, locale=CHINESE)[0] == "早间巡检: 全部 170 个集群健康"


def test_a_report_keeps_its_coverage_and_one_of_before_there_was_any_is_still_read() -> None:
    report: PatrolReport = patrolled("R-1", flagged(1), coverage=BLIND)
    assert report_of(report.to_json()).coverage == BLIND
    old = {name: value for name, value in report.to_json().items() if name != "coverage"}
    assert report_of(old).coverage is None
    assert reported(None, flagged(1))[1] == ""
