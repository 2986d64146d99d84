"""Whatever data says, and wherever a text is cut: nothing that Slack would act on leaves a renderer."""

import re
from collections.abc import Iterator
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks import messages, readable
from bot.slack.views import home_view, modal
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Field,
    Fields,
    File,
    Form,
    Heading,
    Menu,
    Note,
    Part,
    Prose,
    Series,
    Table,
)
from handlers.surface import Press
from tests.fakes.slack.views import view_problems

HOSTS = ("ok.example",)
BAIT = [
    "<!channel>",
    "<!here|here>",
    "<@U123>",
    "<#C1>",
    "<!subteam^S1>",
    "<https://evil.example|ok.example>",
    "https://evil.example/x?a=1&b=2",
    "[a](https://evil.example)",
    "![i](http://evil.example/i.png)",
    "[ok](https://ok.example/page)",
    "<https://ok.example@evil.example>",
    "&lt;!channel&gt;",
    "`<!channel>`",
    "```\n<@U1>\n```",
    "| <!here> | b |\n| --- | --- |\n| https://evil.example | <@U1> |",
    "slack://channel?id=1",
    "\u202e<\u200b!channel>",
]
WORDS = st.lists(st.sampled_from([*BAIT, "word", "\n", " ", "x" * 60]), max_size=60).map(" ".join)
LENGTHS = st.sampled_from([0, 1, 140, 1_980, 2_960, 2_985, 2_990, 2_999])
TEXT = st.builds(lambda length, words: "y" * length + words, LENGTHS, WORDS)
CHART = st.builds(lambda t, a: Chart("bar", t, (a, "b"), (Series(t, (1.0, 2.0)),), a, t), WORDS, WORDS)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Heading, TEXT),
    st.builds(Prose, TEXT),
    st.builds(Note, TEXT),
    st.builds(Fields, st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)),
    st.builds(lambda a, b, n: Table((a, "b"), ((b, a),) * n, a), WORDS, WORDS, st.sampled_from([0, 1, 130])),
    st.builds(lambda a: Actions((Button(a, "sql", "v"), Menu(a, "csv", ((a, "v"),)))), TEXT),
    st.builds(lambda a: File("a.csv", a, b""), TEXT),
    CHART,
    st.just(Divider()),
)
_TOKEN = re.compile(r"<([^<>]*)>")
_LIVE = re.compile(r"(?i)(?:https?|ftp|slack)://(?!ok\.example(?:[/|>]|$))")


def strings(value: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a payload and the kind of object it stands in; ids and values of ours are not read by anybody."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in {"type", "action_id", "value", "block_id", "callback_id", "private_metadata"} or (
                key == "value" and not isinstance(one, str)
            ):
                yield from strings(one, str(value.get("type", "")))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one, kind)
    elif isinstance(value, str):
        yield kind, value


def check(kind: str, text: str) -> None:
    if kind == "mrkdwn":
        for token in _TOKEN.findall(text):
            assert token.startswith("https://ok.example"), token
        text = _TOKEN.sub("", text)
        assert "<" not in text and ">" not in text
    assert not _LIVE.search(text), text


@settings(max_examples=150, deadline=None)
@given(TEXT, st.lists(PARTS, max_size=6))
def test_no_message_can_ping_or_lead_anywhere_unlisted(fallback: str, parts: list[Part]) -> None:
    for message in messages(Document(fallback, tuple(parts)), HOSTS):
        check("mrkdwn", message.text)
        check("mrkdwn", readable(message.blocks))
        for kind, text in strings(list(message.blocks)):
            check(kind, text)


@settings(max_examples=50, deadline=None)
@given(TEXT, st.lists(PARTS, max_size=4))
def test_no_dialog_can_either(title: str, parts: list[Part]) -> None:
    press = Press("k", "a", "v", "U1", "slack:T:C:1", "slack:T:C:1", "t")
    form = Form(
        (Field("reason", title, initial=""), Field("pick", title, "choice", ((title, "v"),))), "why", "v", title
    )
    document = Document(title, (Note("x"), *parts))
    for view in (modal(press, title, document, form, HOSTS), home_view(document, HOSTS)):
        assert view_problems(view) == []
        for kind, text in strings(view):
            check(kind, text)


def test_every_kind_of_part_is_baited() -> None:
    drawn = {type(part) for part in (Heading("x"), Prose("x"), Note("x"), Fields(()), Divider())}
    assert drawn | {Table, Actions, File, Chart} == set(get_args(Part))
