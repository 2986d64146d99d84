"""Documents as Lark cards: complete, in order, within the limits, and harmless whatever is in them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.lark.card import Rendered, rendered, words
from bot.lark.elements import Origin
from bot.lark.escape import escape, letters, link, linked, split
from bot.lark.markdown import flowing, pieces
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Field,
    Fields,
    Form,
    Heading,
    Menu,
    Note,
    Part,
    Prose,
    Series,
    Table,
)
from tests.fakes.lark.cards import element, pressable, problems, shown
from tests.fakes.lark.state import pings

HOSTS = {"dash.example"}
LISTED = re.compile(r"\]\(https://dash\.example(?:[/?#][^()\s]*)?\)")

DANGEROUS = r"""
<at id=all></at>|<at|user_id="all">|</at>|< at id=ou_1>|&#60;at id=all&#62;|&lt;at|<|<person id='ou_1'></person>|
<a href='https://evil.example'>x</a>|[x](https://evil.example)|](|```|https://evil.example/a|:DONE:|@_all|1. |
https://dash.example/b_c?d=(e)|<link url='https://evil.example'></link>|`|**|__|~~|\|- |# |> |![i](img_1)|$x|
<text_tag color='red'>|a|中文|&amp;#60;at id=all&amp;#62;|<AT ID=ALL>|<at\tid=all>
"""
HOSTILE = st.lists(
    st.sampled_from([*DANGEROUS.strip().split("|"), "|", "|-|-|\n", "\n", "\n\n", "    ", " ", "\u202e", "\u200b"]),
    max_size=30,
).map("".join)


def parts_of(text: str) -> tuple[Part, ...]:
    """`text` in every place where a text may stand."""
    some = text or "x"
    return (
        Heading(some),
        Heading(some * 3),
        Prose(text),
        Fields(((text, text), ("b", text))),
        Table((some, "b"), ((text, "1"), ("2", text)), text),
        Chart("bar", some, (some, "b"), (Series(some, (1.0, None)),), text, text),
        Note(text),
        Actions((Button(some, "go", "v"), Menu(some, "menu", ((some, "1"),)))),
        Divider(),
    )


def all_texts(card: dict[str, Any]) -> str:
    return json.dumps(card, ensure_ascii=False)


def read(found: Rendered) -> str:
    return "\n".join(shown(card) for card in found.cards)


def draw(*parts: Part, **more: Any) -> Rendered:
    return rendered(Document("fallback", parts), HOSTS, **more)


@settings(max_examples=300, deadline=None)
@given(text=HOSTILE)
def test_nothing_that_is_shown_mentions_anybody_or_leads_anywhere_unlisted(text: str) -> None:
    form = Form((Field("why", text or "x"), Field("c", "c", "choice", ((text or "x", "1"),))), "go")
    found = rendered(Document(text, parts_of(text)), HOSTS, form=form, origin=Origin("lark:a:oc_1:om_1"))
    for card in found.cards:
        assert problems(card) == []
        assert not pings("interactive", card, [all_texts(card)])
        # an address on a listed host may hold anything behind its first slash
        assert "https://" not in LISTED.sub("", all_texts(card))
        assert not pings("text", {"text": words(card)}, [])


@settings(max_examples=150, deadline=None)
@given(text=HOSTILE, limit=st.integers(20, 200))
def test_no_place_to_cut_a_text_makes_anything_of_it(text: str, limit: int) -> None:
    for written in (flowing(text, HOSTS), escape(text), linked(text, HOSTS)):
        found = list(split(written, limit))
        assert all(len(piece.encode()) <= max(limit, 120) for piece in found)
        assert not pings("interactive", {}, found)
        assert "".join("".join(found).split()) == "".join(written.split())


@settings(max_examples=100, deadline=None)
@given(text=HOSTILE)
def test_a_text_that_grows_is_harmless_at_every_length(text: str) -> None:
    for end in range(len(text) + 1):
        told = flowing(text[:end], HOSTS)
        assert not pings("interactive", {}, [told])
        assert "https://" not in LISTED.sub("", told)


@settings(max_examples=100, deadline=None)
@given(rows=st.integers(0, 400), columns=st.integers(1, 60), cell=st.text(max_size=60))
def test_tables_of_any_size_are_within_the_limits_and_whole(rows: int, columns: int, cell: str) -> None:
    table = Table(tuple(f"c{n}" for n in range(columns)), tuple((cell,) * columns for _ in range(rows)), "All")
    found = draw(table)
    assert all(problems(card) == [] for card in found.cards)
    told = sum(len(one["rows"]) for card in found.cards for one in card["body"]["elements"] if one["tag"] == "table")
    in_file = sum(file.content.count(b"\r\n") - 1 for file in found.files)
    assert told == rows or in_file >= rows or columns > 50


def test_a_document_is_one_card_with_its_first_heading_as_the_title() -> None:
    [card] = draw(Heading("Morning patrol"), Prose("All is **well**."), Note("rules only")).cards
    assert card["header"] == {"title": {"tag": "plain_text", "content": "Morning patrol"}}
    assert card["config"]["summary"] == {"content": "fallback"}
    assert [one["tag"] for one in card["body"]["elements"]] == ["markdown", "div"]


def test_groups_stay_together_and_the_cards_are_counted() -> None:
    group = [part for n in range(60) for part in (Divider(), Prose(f"Flag {n}"), Fields((("a", "1"), ("b", "2"))))]
    found = draw(*group)
    assert len(found.cards) > 1
    assert all(card["body"]["elements"][0]["tag"] == "hr" for card in found.cards)
    assert [f"Flag {n}\n" in read(found) for n in range(60)] == [True] * 60
    assert f"Part 2 of {len(found.cards)}" in shown(found.cards[1])


def test_more_than_five_tables_or_charts_go_on_in_the_next_card() -> None:
    table, chart = Table(("a",), (("1",),)), Chart("pie", "t", ("a",), (Series("s", (1.0,)),))
    for part in (table, chart):
        found = draw(*[part] * 12)
        assert [problems(card) for card in found.cards] == [[], [], []]


def test_very_long_texts_code_and_notes_lose_nothing() -> None:
    lines = [f"line-{n} {'x' * 40}" for n in range(2_000)]
    found = draw(Prose("```\n" + "\n".join(lines) + "\n```"), Note(" ".join(f"n{n}" for n in range(5_000))))
    assert all(problems(card) == [] for card in found.cards)
    told = read(found)
    assert all(f"line-{n} " in told for n in range(2_000))
    assert all(f"n{n}" in told for n in range(5_000))


def test_our_own_words_are_in_the_language_of_the_document() -> None:
    long = Prose("\n\n".join("words " * 300 for _ in range(30)))
    form = Form((Field("why", "为什么"),), "go")
    found = rendered(Document("f", (long,), "zh"), HOSTS, form=form)
    assert "第 1 部分" in shown(found.cards[0])
    assert pressable(found.cards[-1])[-1]["text"]["content"] == "提交"


def test_an_empty_document_is_still_a_card() -> None:
    [card] = rendered(Document("", ()), HOSTS).cards
    assert problems(card) == []


def test_a_wide_table_is_written_as_lines() -> None:
    table = Table(tuple(f"c{n}" for n in range(60)), (tuple(str(n) for n in range(60)),))
    assert "c0 · c1" in read(draw(table))


def test_buttons_carry_their_action_value_and_where_they_came_from() -> None:
    origin = Origin("lark:a:oc_1:om_1", "lark:a:oc_1:om_2")
    [card] = draw(Actions((Button("Go", "go", "v" * 2_000, "danger"),)), origin=origin).cards
    [button] = pressable(card)
    assert button["type"] == "danger"
    value = {"action": "go", "value": "v" * 2_000, "thread": origin.thread, "message": origin.message}
    assert button["behaviors"] == [{"type": "callback", "value": value}]


@pytest.mark.parametrize(
    "wrong",
    [
        Button("Go", "go", "v" * 2_001),
        Menu("Snooze", "snooze", ()),
        Menu("Snooze", "snooze", (("a", "1"), ("b", "1"))),
        Menu("Snooze", "snooze", (("a", ""),)),
    ],
)
def test_what_no_press_could_carry_back_is_refused_when_it_is_drawn(wrong: Button | Menu) -> None:
    with pytest.raises(ValueError, match=r"button|menu"):
        draw(Actions((wrong,)))


def test_a_form_asks_each_field_and_can_be_sent() -> None:
    fields = (
        Field("why", "Why?", "multiline", initial="because"),
        Field("who", "Who?", "choice", (("Anna", "1"), ("Ben", "2")), "2", optional=True),
        Field("note", "Note"),
    )
    [card] = draw(form=Form(fields, "snooze", "f-1")).cards
    assert problems(card) == []
    form = card["body"]["elements"][0]
    told = [one for one in form["elements"] if one["tag"] != "markdown"]
    assert [(one["tag"], one["name"], one.get("required")) for one in told] == [
        ("input", "why", True),
        ("select_static", "who", False),
        ("input", "note", True),
        ("button", "submit", None),
    ]
    assert (told[0]["default_value"], told[1]["initial_index"]) == ("because", 2)
    assert told[3]["text"]["content"] == "Send"


@pytest.mark.parametrize(("people", "offered"), [((("Anna", "ou_1"), ("Of Slack", "U2")), ["ou_1"]), ((), None)])
def test_a_person_is_picked_with_larks_own_list_of_people(
    people: tuple[tuple[str, str], ...], offered: list[str] | None
) -> None:
    asked = Field("person", "Who else?", "person", people, optional=True)
    [card] = draw(form=Form((asked,), "assign", "f-1")).cards
    assert problems(card) == []
    _, picker, _ = card["body"]["elements"][0]["elements"]
    assert (picker["tag"], picker["name"], picker["required"]) == ("select_person", "person", False)
    assert (None if "options" not in picker else [one["value"] for one in picker["options"]]) == offered


def test_links_lead_to_listed_hosts_alone_and_say_so() -> None:
    assert link("https://dash.example/x_(1)", "the board", HOSTS) == (
        "[the board (dash.example)](https://dash.example/x_%281%29)"
    )
    assert "](" not in link("https://evil.example", "the board", HOSTS)
    assert "](" not in link("https://dash.example@evil.example", "x", HOSTS)
    assert linked("see https://dash.example/x.", HOSTS) == "see [dash.example](https://dash.example/x)."


def test_text_reads_as_it_was_written() -> None:
    assert escape("12:30:45 a_b *c* -5 3.2 x") == "12:30:45 a&#95;b &#42;c&#42; -5 3.2 x"
    assert escape("- a\n1. b\n--- :DONE:") == "&#45; a\n1&#46; b\n&#45;-- &#58;DONE:"
    assert letters("SELECT a<b, x <at") == "SELECT a<b, x < at"


def test_markdown_keeps_its_form() -> None:
    [text] = pieces("# Title\n\n- a\n- b\n  - c\n\n> quote\n\n*em* ~~no~~ `x<at`", HOSTS)
    assert text.written == "**Title**\n\n- a\n- b\n    - c\n\n> quote\n\n*em* ~~no~~ `x< at`"  # type: ignore[union-attr]


def test_a_picture_stands_where_its_chart_was() -> None:
    chart = Chart("line", "t", ("a",), (Series("s", (1.0,)),), alt="flat")
    [card] = draw(chart, pictures={chart: "img_1"}).cards
    assert card["body"]["elements"][0] == {"tag": "img", "img_key": "img_1", "alt": element_alt("flat")}


def element_alt(text: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": text}


def test_the_judge_of_cards_refuses_what_lark_refuses() -> None:
    good = draw(Prose("x"), Actions((Button("Go", "go", "v"),))).cards[0]
    assert problems(good) == []
    bad: list[Any] = [
        {"schema": "1.0"},
        good | {"extra": 1},
        good | {"body": {"elements": [{"tag": "markdown", "content": "x", "colour": "red"}]}},
        good | {"body": {"elements": [{"tag": "action", "actions": []}]}},
        good | {"body": {"elements": [{"tag": "markdown", "content": "x", "element_id": "1st"}]}},
        good | {"body": {"elements": [{"tag": "markdown", "content": "x", "element_id": "a"}] * 2}},
        good | {"body": {"elements": [{"tag": "hr"}] * 201}},
        good | {"body": {"elements": [{"tag": "markdown", "content": "x" * 31_000}]}},
        good | {"body": {"elements": [{"tag": "button", "text": {"tag": "plain_text", "content": "x"}}]}},
        good | {"body": {"elements": [{"tag": "form", "name": "f", "elements": []}]}},
        good | {"body": {"elements": [{"tag": "img", "img_key": "x", "alt": element_alt("a")}]}},
        good | {"body": {"elements": [{"tag": "table", "page_size": 11, "columns": [], "rows": []}]}},
    ]
    assert [bool(problems(one)) for one in bad] == [True] * len(bad)
    assert element(good, "nothing") is None
