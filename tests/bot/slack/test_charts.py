"""Charts on Slack: its own block within its limits, a picture beyond them, a table where there is no picture."""

import sys
from typing import Any

import pytest

from bot.charts.picture import Painter
from bot.slack.blocks import messages
from bot.slack.charts import native, spelled, with_pictures
from handlers.document import Chart, Document, File, Note, Prose, Series
from tests.fakes.slack import problems

PNG = "import sys; sys.stdin.read(); sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n...')"


def chart(kind: Any = "line", labels: int = 3, series: int = 1, **more: Any) -> Chart:
    names = more.pop("names", [f"l{n}" for n in range(labels)])
    values = more.pop("values", tuple(float(n + 1) for n in range(labels)))
    return Chart(
        kind, more.pop("title", "p99"), tuple(names), tuple(Series(f"s{n}", values) for n in range(series)), **more
    )


def painter(script: str) -> Painter:
    return Painter(command=(sys.executable, "-c", script))


@pytest.mark.parametrize("kind", ["line", "bar", "area", "pie"])
def test_each_kind_is_a_block_that_slack_takes(kind: Any) -> None:
    block = native(chart(kind, 12, 1 if kind == "pie" else 12, unit="ms"))
    assert block is not None and problems([block]) == []


def test_a_block_holds_the_values_by_series_and_label() -> None:
    assert native(chart(labels=2, unit="ms")) == {
        "type": "data_visualization",
        "title": "p99",
        "chart": {
            "type": "line",
            "series": [{"name": "s0", "data": [{"label": "l0", "value": 1.0}, {"label": "l1", "value": 2.0}]}],
            "axis_config": {"categories": ["l0", "l1"], "y_label": "ms"},
        },
    }


@pytest.mark.parametrize(
    "beyond",
    [
        chart(labels=21),
        chart(series=13),
        chart(names=["a", "a", "b"]),
        chart(names=["x" * 21, "a", "b"]),
        chart(names=["", "a", "b"]),
        chart(values=(1.0, None, 3.0)),
        chart("pie", 13),
        chart("pie", values=(0.0, 1.0, 2.0)),
        chart("pie", values=(-1.0, 1.0, 2.0)),
        chart(labels=0),
    ],
)
def test_what_slack_would_refuse_has_no_block(beyond: Chart) -> None:
    assert native(beyond) is None


def test_a_title_is_cut_and_leads_nowhere() -> None:
    block = native(chart(title="see https://evil.example/" + "x" * 90))
    assert block is not None and len(block["title"]) == 50 and "https://" not in block["title"]


async def test_a_large_chart_becomes_a_picture_with_words_for_who_cannot_see_it() -> None:
    large = chart(labels=40, alt="p99 rises")
    document = await with_pictures(Document("x", (Prose("so"), large, chart())), painter(PNG))
    assert document.parts[0] == Prose("so")
    assert document.parts[1] == Note("p99 rises")
    assert document.parts[2] == File("chart-1.png", "p99", b"\x89PNG\r\n\x1a\n...")
    assert document.parts[3] == chart()
    (message,) = messages(document, ())
    assert [file.name for file in message.files] == ["chart-1.png"]


async def test_without_a_picture_the_figures_are_a_table() -> None:
    document = await with_pictures(Document("x", (chart(labels=40, alt="p99 rises"),)), painter("raise SystemExit(1)"))
    (message,) = messages(document, ())
    (shown,) = [block for block in message.blocks if block["type"] == "table"]
    assert [cell["text"] for cell in shown["rows"][40]] == ["l39", "40"]
    assert problems(list(message.blocks)) == []


async def test_where_slack_draws_no_charts_all_of_them_are_pictures() -> None:
    document = await with_pictures(Document("x", (chart(), chart("pie"))), painter(PNG), drawn=False)
    assert [type(part) for part in document.parts] == [Note, File, Note, File]
    assert [part.name for part in document.parts if isinstance(part, File)] == ["chart-0.png", "chart-1.png"]


def test_a_chart_spelled_out_keeps_every_figure_and_stays_words() -> None:
    block = native(chart(names=["<!here>", "b", "c"], series=2, title="p99 <@U1>"))
    assert block is not None
    other = {"type": "divider"}
    text, rule = spelled([block, other])
    assert rule is other
    assert text["text"]["text"] == (
        "```\np99 &lt;@U1&gt;\ns0: &lt;!here&gt; 1, b 2, c 3\ns1: &lt;!here&gt; 1, b 2, c 3\n```"
    )


async def test_a_document_without_large_charts_is_left_alone() -> None:
    document = Document("x", (Prose("so"), chart()))
    assert await with_pictures(document, painter("raise SystemExit(1)")) is document
