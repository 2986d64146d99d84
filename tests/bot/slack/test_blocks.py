"""Documents as Slack messages: every message within the limits, nothing lost, in order."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks import BUTTON_VALUE, Message, messages, readable
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Fields,
    File,
    Heading,
    Menu,
    Note,
    Part,
    Prose,
    Series,
    Table,
)
from handlers.report import report_document
from tests.bot.slack.conftest import buttons
from tests.fakes.slack import problems
from tests.fakes.slack.validity import letters
from tests.fakes.thinking import report

TEXT = st.text(max_size=60) | st.sampled_from(["<!channel>", "", " ", "\n", "x" * 4000, "&" * 2500, "a b " * 900])
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
LABELS = st.lists(TEXT, max_size=30)
CHARTS = st.builds(
    lambda kind, title, labels, drawn, unit: Chart(
        kind,
        title,
        tuple(labels),
        tuple(Series(name, tuple(values[: len(labels)])) for name, values in drawn[: 1 if kind == "pie" else None]),
        unit,
    ),
    st.sampled_from(["line", "bar", "area", "pie"]),
    TEXT,
    LABELS,
    st.lists(st.tuples(TEXT, st.lists(NUMBERS, min_size=30, max_size=30)), min_size=1, max_size=14),
    TEXT,
)
MENUS = st.builds(
    Menu,
    TEXT,
    st.just("snooze"),
    st.lists(st.tuples(TEXT, st.just("1h")), min_size=1, max_size=5).map(tuple),
)
BUTTONS = st.builds(Button, TEXT, st.just("investigate"), st.just("v"))
CELLS = st.lists(TEXT, min_size=1, max_size=25)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Heading, TEXT),
    st.builds(Prose, TEXT),
    st.builds(Fields, st.lists(st.tuples(TEXT, TEXT), max_size=23).map(tuple)),
    CELLS.flatmap(
        lambda columns: st.builds(
            Table,
            st.just(tuple(columns)),
            st.lists(st.lists(TEXT, min_size=len(columns), max_size=len(columns)).map(tuple), max_size=5).map(tuple),
            TEXT,
        )
    ),
    st.builds(Actions, st.lists(BUTTONS | MENUS, max_size=30).map(tuple)),
    CHARTS,
    st.builds(File, st.just("rows.csv"), TEXT, st.binary(max_size=20)),
    st.builds(Note, TEXT),
    st.just(Divider()),
)


def rendered(*parts: Part) -> list[Message]:
    return list(messages(Document("fallback", parts), ()))


def valid(message: Message) -> bool:
    blocks = list(message.blocks)
    return bool(message.text) and (not blocks or (problems(blocks) == [] and letters(blocks) <= 13_200))


def words(found: list[Message]) -> str:
    return "\n".join(readable(message.blocks) for message in found)


@settings(max_examples=120, deadline=None)
@given(st.lists(PARTS, max_size=12))
def test_slack_takes_every_message_of_any_document(parts: list[Part]) -> None:
    assert all(valid(message) for message in rendered(*parts))


@pytest.mark.parametrize("flagged", [0, 1, 11, 12, 13, 60, 400])
def test_a_report_of_any_size_is_complete_and_in_order(flagged: int) -> None:
    found = list(messages(report_document(report(flagged)), ()))
    assert all(valid(message) for message in found)
    shown = re.findall(r"Compaction score (\d+) for", words(found))
    critical_first = [*range(0, flagged, 2), *range(1, flagged, 2)]
    assert shown == [str(n + 100) for n in critical_first]
    assert sum(len(buttons(list(message.blocks))) for message in found) == flagged


def test_a_cluster_and_its_button_stay_on_one_message() -> None:
    for message in messages(report_document(report(60)), ()):
        kinds = [block["type"] for block in message.blocks]
        assert kinds.count("actions") == sum("Compaction score" in str(b) for b in message.blocks if "fields" not in b)


def test_one_message_says_nothing_of_parts_and_several_count_them() -> None:
    (one,) = rendered(Prose("short"))
    assert "Part" not in words([one])
    several = rendered(*(Prose("long " * 500) for _ in range(12)))
    assert len(several) == 3
    assert [message.text for message in several] == [f"fallback ({n}/3)" for n in (1, 2, 3)]
    assert "Part 3 of 3" in words(several[2:])
    assert "continues in the thread" not in words(several[2:])


def test_the_count_of_parts_is_in_the_documents_language() -> None:
    found = messages(Document("x", tuple(Prose("long " * 500) for _ in range(12)), "zh"), ())
    assert "第 1 部分,共 3 部分" in words(list(found[:1])) and "Part" not in words(list(found))


def test_a_document_without_parts_is_its_fallback() -> None:
    assert rendered() == [Message("fallback", ())]


def test_a_long_text_is_cut_between_lines_and_nothing_of_it_is_lost() -> None:
    lines = [f"line {n} of the log & its <tail>" for n in range(2_000)]
    found = rendered(Prose("\n".join(lines)))
    assert len(found) > 4
    assert re.findall(r"line (\d+) of the log &amp; its &lt;tail&gt;", words(found)) == [str(n) for n in range(2_000)]


def test_a_long_fence_is_closed_and_opened_again_in_each_section() -> None:
    found = rendered(Prose("```\n" + "\n".join(f"row {n}" for n in range(1_500)) + "\n```"))
    sections = [block["text"]["text"] for message in found for block in message.blocks if block["type"] == "section"]
    assert len(sections) > 3
    assert all(text.startswith("```\n") and text.endswith("\n```") for text in sections)


def tables(found: list[Message]) -> list[list[list[str]]]:
    blocks = [block for message in found for block in message.blocks if block["type"] == "table"]
    return [[[cell["text"] for cell in row] for row in block["rows"]] for block in blocks]


def test_a_table_that_does_not_fit_is_begun_and_lies_whole_in_a_file_of_the_last_message() -> None:
    rows = tuple((f"prod-analytics-{n}" * 4, str(n)) for n in range(412))
    found = rendered(Table(("cluster", "p99"), rows, "latency"))
    assert "The first 50 of 412 rows; all of them are in table-1.csv." in words(found)
    assert [len(table) for table in tables(found)] == [51]
    (file,) = [file for message in found for file in message.files]
    assert (file.title, file.content.decode("utf-8-sig").splitlines()[412]) == ("latency", f"{rows[411][0]},411")


def test_tables_of_a_models_words_are_tables_too() -> None:
    found = rendered(Prose("so:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nthat is all"))
    assert tables(found) == [[["a", "b"], ["1", "2"]]]


def test_three_charts_are_on_two_messages() -> None:
    chart = Chart("bar", "t", ("a",), (Series("s", (1.0,)),))
    found = rendered(chart, chart, chart)
    assert [sum(block["type"] == "data_visualization" for block in message.blocks) for message in found] == [2, 1]


def test_the_words_of_a_chart_are_its_figures() -> None:
    found = rendered(Chart("bar", "p99", ("a", "b"), (Series("s", (1.0, 20_000.0)),), alt="rises"))
    assert words(found) == "p99\ns: a 1, b 20,000\nrises"


def test_an_empty_cell_is_still_a_cell() -> None:
    assert tables(rendered(Table(("a", "b"), (("", " \n"),)))) == [[["a", "b"], ["–", "–"]]]


def test_a_heading_beyond_slacks_length_is_shown_in_full() -> None:
    assert "h" * 151 in words(rendered(Heading("h" * 151)))


def test_a_button_value_that_slack_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="button 'investigate' is longer than 2000"):
        rendered(Actions((Button("x", "investigate", "v" * (BUTTON_VALUE + 1)),)))


def test_buttons_of_one_row_have_ids_of_their_own() -> None:
    row: list[dict[str, Any]] = buttons(
        list(rendered(Actions(tuple(Button(f"b{n}", "investigate", str(n)) for n in range(3))))[0].blocks)
    )
    assert [button["action_id"] for button in row] == ["investigate", "investigate:1", "investigate:2"]


def test_a_menu_stands_beside_buttons_with_an_id_of_its_own() -> None:
    snooze = Menu("Snooze", "snooze", (("1 hour", "f-1 1h"), ("3 days", "f-1 3d")))
    (message,) = rendered(Actions((Button("Assign", "assign", "f-1"), snooze)))
    menu = message.blocks[0]["elements"][1]
    assert (menu["type"], menu["action_id"], menu["placeholder"]["text"]) == ("static_select", "snooze:1", "Snooze")
    assert [(one["text"]["text"], one["value"]) for one in menu["options"]] == list(snooze.options)


@pytest.mark.parametrize("options", [(), (("x", ""),), (("x", "v" * 151),), (("x", "v"),) * 101])
def test_a_menu_that_slack_would_refuse_is_refused_here(options: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match="menu 'snooze'"):
        rendered(Actions((Menu("Snooze", "snooze", options),)))


def test_a_file_is_named_where_it_belongs_and_goes_with_the_last_message() -> None:
    rows = File("rows.csv", "All 412 rows", b"a,b")
    found = rendered(rows, *(Prose("long " * 500) for _ in range(12)))
    assert "All 412 rows: rows.csv" in words(found[:1])
    assert [message.files for message in found] == [(), (), (rows,)]


def test_a_chart_is_made_of_series_as_long_as_its_categories() -> None:
    with pytest.raises(ValueError, match="one value per category"):
        Chart("line", "t", ("a", "b"), (Series("s", (1.0,)),))
    with pytest.raises(ValueError, match="a pie has one series"):
        Chart("pie", "t", ("a",), (Series("s", (1.0,)), Series("t", (1.0,))))


def test_names_from_the_warehouse_stay_words() -> None:
    hostile = "<!channel> *x* [a](https://evil.com) `b`"
    flagged = report(1)
    cluster = flagged.flagged_clusters[0]
    shown = report(1, flagged_clusters=(type(cluster)("c-1", hostile, "Critical", "r", {hostile: hostile}, hostile),))
    text = words(list(messages(report_document(shown), ())))
    assert text.count("&lt;!channel&gt; *x* [a](hxxps[:]//evil[.]com) `b`") == 3
    assert "<" not in text
