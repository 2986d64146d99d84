"""What is read without the parser is read as the parser reads it: the same text, letter by letter."""

import string
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.lark.markdown import pieces as for_lark
from bot.markdown import Text
from bot.simple_markdown import Node, read
from bot.slack.markdown import pieces as for_slack

PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["reference"])

MARKS = st.sampled_from(
    [
        "**",
        "_",
        "*",
        "`",
        "\\",
        "- ",
        "\n",
        "\n\n",
        "  \n",
        " ",
        "&",
        "&amp;",
        "[",
        "]",
        "(",
        ")",
        "![",
        "<",
        ">",
        "~~",
        "# ",
        "1. ",
        "12) ",
        "+ ",
        "---",
        "===",
        "|",
        ":-:",
        "    ",
        "```",
        ".",
        ",",
        ";",
        ":",
        "a_b",
        "\\*",
        "\\_",
        "\\-",
        "a",
        "Z",
        "7",
        "集群",
        "，",
        "é",
        "🔴",
        "\xa0",
        "\t",
        "\u200b",
        "https://x.example/a_b",
        "!",
    ]
)
HOSTILE = st.lists(MARKS, max_size=14).map("".join)

PLAIN = st.text(string.ascii_letters + string.digits + " .,;:()%/'!?€集群", min_size=1).map(
    lambda text: "x" + " ".join(text.split())
)
SPAN = st.one_of(
    PLAIN,
    PLAIN.map(lambda text: f"**{text}**"),
    PLAIN.map(lambda text: f"_{text}_"),
    PLAIN.map(lambda text: f"`{text}`"),
    st.sampled_from(string.punctuation).map(lambda mark: f"\\{mark}"),
)
LINE = st.lists(SPAN, min_size=1, max_size=5).map(" ".join)
OURS = st.lists(st.one_of(LINE, LINE.map(lambda line: f"- {line}"), st.just("")), max_size=8).map("\n".join)


def told(nodes: Sequence[Node]) -> Iterator[object]:
    """A tree without what shows nothing: empty texts, wrappers, and whether a list is loose."""
    for node in nodes:
        if node.type == "inline":
            yield from told(node.children)
        elif node.type == "text" and not node.content:
            continue
        else:
            yield (
                node.type.replace("hardbreak", "softbreak"),
                node.content if not node.children else "",
                [*told(node.children)],
            )


def same_as_parsed(markdown: str) -> bool:
    """Whether it was read here; if so, as the parser reads it."""
    blocks = read(markdown)
    if blocks is None:
        return False
    parsed = SyntaxTreeNode(PARSER.parse(markdown)).children
    assert [*told(blocks)] == [*told(parsed)]
    return True


@settings(max_examples=600, deadline=None)
@given(HOSTILE)
@example("**a\\.**b")
@example("a\n- b\n\nc")
@example("- a\n\n- b\nc")
@example("_a_b_")
@example("**a** **b**")
@example("(**a**)")
@example("`a ** b` ** c")
@example("a &lt; b & c")
def test_whatever_is_read_without_the_parser_is_read_as_it_would(markdown: str) -> None:
    same_as_parsed(markdown)


@settings(max_examples=300, deadline=None)
@given(OURS)
def test_text_of_the_kind_that_we_write_is_read_as_the_parser_would(markdown: str) -> None:
    same_as_parsed(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        "🔴 **Critical** · **prod\\-1** · Acme \\& Sons, tier A · since 2026-11-18 08:00 UTC",
        "- disk used 85%, usually 40%, limit 80% ▁·▂▄█\n- compaction 312",
        "✅ _Acknowledged by Ada, 2026-11-20 08:00 UTC_  \n👤 _Bob_  ",
        "**3 new · 2 worse**\n\n- 🆕 **prod\\-1**: disk used 85%\n- 🔺 **prod\\-2**: 9",
        "Lag grew (`starrocks_fe_max_tablet_compaction_score`), see starrocks_be_disks.",
        "**今天**\n\n- 扩容 prod\\-1",
        "",
    ],
)
def test_what_reports_consist_of_needs_no_parser(markdown: str) -> None:
    assert same_as_parsed(markdown)


@pytest.mark.parametrize(
    "markdown",
    [
        "# title",
        "> quote",
        "1. one",
        "- - deep",
        "a\n---",
        "| a |\n| - |",
        "[a](https://x.example)",
        "<https://x.example>",
        "```\ncode\n```",
        "    code",
        "~~gone~~",
        "a &copy; b",
        "a  \tb",
        "*a*",
        "**a**b",
        "- a\nlazy",
        "-5 degrees",
        "__a__",
    ],
)
def test_what_may_mean_more_is_left_to_the_parser(markdown: str) -> None:
    assert read(markdown) is None


@given(OURS)
@settings(max_examples=200, deadline=None)
def test_both_platforms_write_the_same_letters_whoever_read_them(markdown: str) -> None:
    # a title in front makes the parser read all of it
    for write in (for_slack, for_lark):
        alone = list(write(markdown, ()))
        below = list(write(f"# t\n\n{markdown}", ()))
        heading = below[0]
        assert isinstance(heading, Text)
        rest = heading.written.partition("\n\n")[2]
        assert [*([Text(rest)] if rest else []), *below[1:]] == alone


def test_a_long_hostile_text_is_given_up_at_once() -> None:
    assert read("**" + "a\\" * 50_000) is None
    assert read("_" * 50_000) is None
    assert read("**a " * 20_000) is None
