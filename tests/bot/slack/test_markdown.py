"""Untrusted Markdown on Slack: complete, in order, and without anything that acts."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.addresses import LONGEST_LINK
from bot.slack.escape import escape, link, plain, split
from bot.slack.markdown import Code, Grid, Text, pieces

HOSTS = frozenset({"grafana.example.com"})
ALLOWED = re.compile(r"<https://grafana\.example\.com(?:/[^<>|\s]*)?(?:\|[^<>|\n]*)?>")
ADDRESS = re.compile(r"(?i)(?:https?|ftp|slack)://")

HOSTILE = st.lists(
    st.sampled_from(
        [
            "<!channel>", "<!here|x>", "<@U123>", "<#C1|ops>", "<!subteam^S1>", "&lt;!channel&gt;", "&#60;!here&#62;",
            "<https://evil.com|safe>", "[a](https://evil.com)", "[a](https://grafana.example.com/d?x=1&y=2)",
            "![p](http://evil.com/p.png)", "<https://grafana.example.com/d>", "https://grafana.example.com@evil.com/",
            "[x](https://grafana.example.com/|y>z)", "https://grafana.example.com/d.", "HTTP://EVIL.COM",
            "ht\u200btps://e.com",
            "https://grafana.example.com\\@evil.com", "[<!here>](https://grafana.example.com)", "`", "```", "~~~\n",
            "*", "_", "~~", "# ", "> ", "- ", "1. ", "|a|b|\n|-|-|\n|c|", "\n", "\n\n", "    ", "\t", "\\", "<", ">",
            "&", "|", "\x00", "\u202e", "&amp;", "[r]: https://evil.com\n", "[r]", "](", "word", "\u00a0", "---\n",
        ]
    )
    | st.text(max_size=12),
    max_size=25,
).map("".join)  # fmt: skip


def sent(markdown: str) -> str:
    """Everything that would be sent for a text, letter by letter places marked by their own check."""
    out = []
    for piece in pieces(markdown, HOSTS):
        match piece:
            case Text():
                out.append(piece.written)
            case Code():
                out.append(piece.lines)
            case Grid():
                assert not ADDRESS.search(" ".join(cell for row in piece.rows for cell in row))
                assert {len(row) for row in piece.rows} == {len(piece.rows[0])}
    return "\n".join(out)


def dead(text: str) -> bool:
    """Whether nothing in `text` acts but links to listed hosts."""
    rest = ALLOWED.sub("", text)
    entities = re.sub(r"&(?:amp|lt|gt);", "", rest)
    quotes = re.sub(r"(?m)^[ •\d.]*(?:> )+", "", entities)
    return not re.search(r"[<>&]", quotes) and not ADDRESS.search(rest)


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
@example("<!channel> [x](https://evil.com) `<!here>` > <@U1>")
@example("https://grafana.example.com/<!here>")
@example("http://a.bHTTP://c.d")
def test_whatever_is_written_nothing_in_it_mentions_or_links_anywhere_unlisted(markdown: str) -> None:
    assert dead(sent(markdown))


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_every_word_that_was_written_is_shown(markdown: str) -> None:
    marked = [f"w{n}w" for n in range(markdown.count("word") + 1)]
    text = markdown
    for mark in marked[:-1]:
        text = text.replace("word", f"{mark} said", 1)  # two words, so that none can be the language of a fence
    shown = " ".join(str(piece) for piece in pieces(f"{text}\n\n{marked[-1]}", HOSTS))
    assert all(mark in shown for mark in marked)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab &<>\n", max_size=400), st.integers(40, 120))
def test_pieces_of_a_split_text_fit_and_lose_nothing_but_white_space(text: str, limit: int) -> None:
    escaped = escape(text) + " <https://grafana.example.com|a>"
    parts = list(split(escaped, limit))
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(escaped.split())
    assert all(dead(part) for part in parts)


@given(st.text())
def test_escaping_defangs_and_does_it_once(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert not ADDRESS.search(plain(text))


def test_markdown_becomes_slacks_form() -> None:
    (text,) = pieces(
        "# Title\n\nSome **bold**, *slanted*, ~~gone~~ and `code`.\n\n- one\n- two\n  1. deep\n\n> said\n", HOSTS
    )
    assert text == Text("*Title*\n\nSome *bold*, _slanted_, ~gone~ and `code`.\n\n• one\n• two\n    1. deep\n\n> said")


def test_a_table_becomes_plain_cells() -> None:
    (grid,) = pieces("| cluster | *p99* |\n|---|--:|\n| a\\|b <!here> | 1 |\n| short |\n", HOSTS)
    assert grid == Grid((("cluster", "p99"), ("a|b <!here>", "1"), ("short", "")))


def test_a_table_with_more_cells_than_its_header_is_shown_as_it_was_written() -> None:
    (code,) = pieces("|a|b|\n|-|-|\n|1|2|3 <!here>|", HOSTS)
    assert code == Code("|a|b|\n|-|-|\n|1|2|3 &lt;!here&gt;|")


def test_only_the_language_behind_a_fence_is_left_out() -> None:
    assert pieces("```sql\nselect 1\n```", HOSTS) == (Code("select 1"),)
    assert pieces("```which is not closed\nselect 1", HOSTS) == (Code("which is not closed\nselect 1"),)


def test_a_fence_stays_a_fence_and_cannot_be_left() -> None:
    markdown = "before\n\n````\nselect '```' <!channel>\n````\n\nafter"
    assert pieces(markdown, HOSTS) == (
        Text("before"),
        Code("select ''''' &lt;!channel&gt;"),
        Text("after"),
    )


def test_text_nested_beyond_reason_is_shown_as_it_was_written() -> None:
    (code,) = pieces("> " * 200 + "deep", HOSTS)
    assert isinstance(code, Code)
    assert code.lines.endswith("deep")


def test_links_show_their_host_and_unlisted_ones_lead_nowhere() -> None:
    assert link("https://grafana.example.com/d?a=1&b=2", "disk", HOSTS) == (
        "<https://grafana.example.com/d?a=1&amp;b=2|disk (grafana.example.com)>"
    )
    assert link("https://evil.com/x", "https://grafana.example.com", HOSTS) == (
        "hxxps[:]//grafana[.]example[.]com (hxxps[:]//evil[.]com/x)"
    )
    assert link("https://sub.grafana.example.com/", "x", HOSTS).startswith("x (hxxps")
    assert link("http://grafana.example.com/", "x", HOSTS).startswith("x (hxxp[")
    assert link("https://grafana.example.com:8443/", "x", HOSTS).startswith("x (hxxps")
    assert link("https://grafana.example.com/" + "a" * LONGEST_LINK, "x", HOSTS).startswith("x (hxxps")
    assert link("https://[broken", "x", HOSTS) == "x (hxxps[:]//[broken)"
    assert link("javascript:alert(1)", "x", HOSTS) == "x (javascript:alert(1))"


def test_quotes_rules_and_pictures_have_their_form() -> None:
    assert sent("> one\n> two\n\n---\n\n![a chart](https://evil.example/c.png)") == (
        "> one\n> two\n\n———\n\na chart (hxxps[:]//evil[.]example/c.png)"
    )


def test_lists_in_lists_keep_their_depth_and_their_numbers() -> None:
    assert sent("3. three\n   - inner\n4. four").splitlines() == ["3. three", "    • inner", "4. four"]


def test_code_in_a_list_and_in_a_quote_is_code() -> None:
    found = pieces("- before\n\n  ```\n  SELECT 1\n  ```\n- after\n\n> ```\n> quoted\n> ```", HOSTS)
    assert [type(piece) for piece in found] == [Text, Code, Text, Code]
    assert [piece.lines for piece in found if isinstance(piece, Code)] == ["SELECT 1", "quoted"]


def test_emphasis_of_nothing_leaves_no_marks() -> None:
    assert sent("a ** b") == "a ** b"
    assert sent("# **loud** and *quiet*") == "*loud* and _quiet_"


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("集群**健康**的", "集群|*健康*|的"),
        ("看`x`和**y**。", "看|`x`|和|*y*|。"),
        ("un**believ**able", "un|*believ*|able"),
        ("**bold** text, (*em*); `a`, ~~b~~.", "*bold* text, (_em_); `a`, b."),
        ("**prod-a**: 3", "*prod-a*: 3"),
        ("**全部**", "*全部*"),
    ],
)
def test_marks_within_a_word_are_set_apart_so_that_slack_sees_them(markdown: str, written: str) -> None:
    (piece,) = pieces(markdown, HOSTS)
    assert isinstance(piece, Text)
    assert piece.written.replace("~", "") == written.replace("|", "\u200b")
