"""Questions that want a picture: which do, of what, and what is asked of the chart tool."""

import pytest

from agent.rules_only.envelope import Failure, Outcome, Sheet, read
from agent.rules_only.intent import Context, Intent, understand
from agent.rules_only.plan import Ask, asks
from agent.rules_only.writing import compose
from agent.rules_only.writing.found import Found
from tests.agent.rules_only.scripted import FRESH, INFO_A, THRESHOLDS

COURSE = """columns: period:DATETIME,mean:DOUBLE,highest:DOUBLE,lowest:DOUBLE,clusters:BIGINT,hours:BIGINT
period,mean,highest,lowest,clusters,hours
2026-03-01 00:00:00,40,50,30,1,24
2026-03-02 00:00:00,45,60,35,1,24
-- 2 rows, from metrics.amv_hourly_snapshots_v1, 0.02 s, q-0011223344"""
SHOWN = "The chart is shown below your answer: disk used: line chart, 2 points"


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("chart of disk usage on prod-a-01", "series"),
        ("plot p99 of the fleet over 24 hours", "series"),
        ("graph the cpu of prod-a-01", "series"),
        ("show me the trend of qps", "series"),
        ("chart for prod-a-01", "series"),
        ("draw the top 5 clusters by cpu", "ranking"),
        ("bar chart of clusters by region", "breakdown"),
        ("画出 prod-a-01 的磁盘曲线", "series"),
        ("最近三天延迟的趋势", "series"),
    ],
)
def test_a_picture_is_wanted_of_what_the_question_names(question: str, kind: str) -> None:
    intent = understand(question)
    assert (intent.drawn, intent.kind) == (True, kind)


@pytest.mark.parametrize("question", ["disk of prod-a-01", "how is the fleet?", "is chartres-01 ok?", "alerts"])
def test_other_questions_want_none(question: str) -> None:
    assert not understand(question).drawn


@pytest.mark.parametrize("follow_up", ["plot it", "chart please", "and as a graph?", "画个图"])
def test_the_last_answer_can_be_asked_for_as_a_picture(follow_up: str) -> None:
    last = understand("disk of prod-a-01 over 3 days")
    intent = understand(follow_up, Context(last=last, clusters=("prod-a-01",)))
    assert (intent.kind, intent.clusters, intent.hours, intent.drawn) == ("series", ("prod-a-01",), 72, True)


def test_another_cluster_is_drawn_by_the_measure_of_the_last_one() -> None:
    intent = understand("plot prod-b-02", Context(last=understand("disk of prod-a-01")))
    assert (intent.kind, intent.clusters, intent.measure) == ("series", ("prod-b-02",), understand("disk").measure)


def test_a_window_in_the_follow_up_is_heeded() -> None:
    intent = understand("plot the last 24 hours", Context(last=understand("disk of prod-a-01 over 3 days")))
    assert (intent.hours, intent.drawn) == (24, True)


def charts(intent: Intent, *results: str) -> list[Ask]:
    """What is asked of the chart tool once each round is answered by the next of the results, and the last again."""
    outcomes: dict[str, Outcome] = {}
    texts = {"freshness": FRESH.text, "info:0": INFO_A.text}
    for _ in range(4):
        for ask in asks(intent, outcomes, THRESHOLDS):
            outcomes[ask.key] = read(texts.get(ask.role, results[-1]), is_error=False)
    return [ask for ask in asks(intent, outcomes, THRESHOLDS) if ask.tool == "chart"]


def test_the_stored_course_is_drawn_by_its_id() -> None:
    (ask,) = charts(understand("chart of disk on prod-a-01"), COURSE)
    assert ask.arguments == {
        "result_id": "q-0011223344",
        "kind": "line",
        "x": "period",
        "y": ["mean", "highest", "lowest"],
        "title": "disk used of prod-a-01",
        "unit": "%",
    }


def test_nothing_is_drawn_of_nothing() -> None:
    empty = COURSE.splitlines()[0] + "\n-- no rows, from metrics.amv_hourly_snapshots_v1, 0.02 s, q-0011223344"
    assert charts(understand("chart of disk on prod-a-01"), empty) == []


def test_a_picture_of_the_first_five_shows_five() -> None:
    intent = understand("chart of the top 5 clusters by cpu")
    known = {ask.key: read(FRESH.text, is_error=False) for ask in asks(intent, {}, THRESHOLDS)}
    (sql,) = [ask.arguments["sql"] for ask in asks(intent, known, THRESHOLDS) if ask.role == "ranking"]
    assert sql.endswith("LIMIT 5")


def composed(chart: Sheet | Failure) -> str:
    intent = understand("chart of disk on prod-a-01")
    series, info = read(COURSE, is_error=False), read(INFO_A.text, is_error=False)
    return compose(Found(intent, {"info:0": info, "series": series, "chart": chart}, THRESHOLDS))


def test_figures_that_are_drawn_are_not_listed_as_well() -> None:
    assert "| From |" not in composed(Sheet(note=SHOWN))


def test_without_a_picture_the_figures_are_listed() -> None:
    text = composed(Failure("bad_argument", ("two rows for a point",)))
    assert "No chart could be drawn" in text and "| From |" in text


def test_the_tools_word_that_a_chart_is_shown_is_no_failure() -> None:
    assert isinstance(read(SHOWN, is_error=False), Sheet)
    assert read(COURSE, is_error=False).result_id == "q-0011223344"  # type: ignore[union-attr]
    assert read("columns: a:INT\na\n1\n-- 1 row, 0.02 s", is_error=False).result_id == ""  # type: ignore[union-attr]
