"""From the best form of an answer to the plainest: at each step everything that was to be said is still there."""

import pytest

from bot.slack.pages import BLOCKS, CHARTS, TABLE_TEXT, TEXT, pages, size
from handlers.document import Chart, Document, Note, Prose, Series, Table
from handlers.surface import SurfaceError
from tests.bot.slack.conftest import Bot
from tests.fakes.slack import TEAM, problems
from tests.fakes.slack.server import Scripted

OPS = f"slack:{TEAM}:C0OPS"
ROWS = tuple((f"prod-{n}", f"{n} ms") for n in range(12))
SMALL = Chart("line", "p99", ("10:00", "11:00"), (Series("mean", (120.0, 20_345.0)),), "ms", "p99 rises")
LARGE = Chart("line", "disk", tuple(map(str, range(60))), (Series("used", tuple(map(float, range(60)))),), "%", "fills")
ANSWER = Document("Slow.", (Prose("**Slow.** <!channel>"), Table(("cluster", "p99"), ROWS), SMALL, Note("1 round")))
SAID = ("Slow.", "prod-11", "11 ms", "20,345", "p99 rises", "1 round")


async def test_what_slack_takes_is_shown_natively(bot: Bot) -> None:
    await bot.surface.post(OPS, ANSWER)
    (post,) = bot.slack.posts
    assert [block["type"] for block in post.blocks] == ["section", "table", "data_visualization", "context", "context"]
    assert problems(post.blocks) == [] and bot.slack.files == {}


async def test_a_slack_that_draws_no_charts_keeps_the_table_and_gets_pictures_from_then_on(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(200, "invalid_blocks"))
    await bot.surface.post(OPS, ANSWER)
    (post,) = bot.slack.posts
    assert [block["type"] for block in post.blocks] == ["section", "table", "section", "context", "context"]
    assert "mean: 10:00 120, 11:00 20,345" in post.blocks[2]["text"]["text"]
    assert all(words in post.words for words in SAID)
    await bot.surface.post(OPS, ANSWER)
    assert all(block["type"] != "data_visualization" for one in bot.slack.posts for block in one.blocks)
    (content,) = bot.slack.files.values()
    assert content.startswith(b"\x89PNG")


async def test_one_message_that_is_refused_for_another_reason_costs_later_ones_no_charts(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", *[Scripted(200, "invalid_blocks")] * 2)
    await bot.surface.post(OPS, ANSWER)
    await bot.surface.post(OPS, ANSWER)
    assert bot.slack.posts[-1].blocks[2]["type"] == "data_visualization"


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
async def test_a_slack_that_refuses_the_blocks_gets_every_word_as_text(bot: Bot, code: str) -> None:
    bot.slack.fail("chat.postMessage", *[Scripted(200, code)] * 2)
    await bot.surface.post(OPS, ANSWER)
    told = "\n".join(post.text for post in bot.slack.posts)
    assert [post.blocks for post in bot.slack.posts] == [[]]
    assert all(words in told for words in SAID), told
    assert "<!channel>" not in told


async def test_a_chart_too_large_for_slack_is_a_picture_in_the_thread_and_words_in_the_message(bot: Bot) -> None:
    posted = await bot.surface.post(OPS, Document("x", (Prose("so"), LARGE)))
    (post,) = [one for one in bot.slack.posts if one.blocks]
    assert "fills" in post.words and "chart-1.png" in post.words
    (content,) = bot.slack.files.values()
    assert content.startswith(b"\x89PNG")
    assert posted.thread == f"{OPS}:{post.ts}"


async def test_a_table_too_long_for_slack_is_begun_and_lies_beside_as_a_file(bot: Bot) -> None:
    rows = tuple((f"prod-analytics-{n}" * 6, str(n)) for n in range(412))
    await bot.surface.post(OPS, Document("x", (Table(("cluster", "n"), rows, "all of them"),)))
    (post,) = [one for one in bot.slack.posts if one.blocks]
    assert "of 412 rows; all of them are in table-1.csv" in post.words
    assert bot.slack.files["table-1.csv"].decode("utf-8-sig").splitlines()[-1].endswith(",411")


async def test_a_file_that_slack_does_not_take_costs_the_message_nothing(bot: Bot) -> None:
    bot.slack.fail("files.getUploadURLExternal", Scripted(200, "missing_scope"))
    await bot.surface.post(OPS, Document("x", (Prose("so"), LARGE)))
    assert bot.slack.files == {}
    assert any("so" in post.words and "fills" in post.words for post in bot.slack.posts)


async def test_a_slack_that_is_away_takes_nothing_and_says_so(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", *[Scripted(200, "channel_not_found")] * 2)
    with pytest.raises(SurfaceError):
        await bot.surface.post(OPS, ANSWER)


def section(letters: int) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * letters}}


def grid(letters: int) -> dict[str, object]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * letters}]]}


CHART = {"type": "data_visualization", "title": "t", "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]}}


@pytest.mark.parametrize(
    ("block", "count", "filled"),
    [
        (section(1), 2 * BLOCKS + 1, [BLOCKS, BLOCKS, 1]),
        (section(3_000), 2 * (TEXT // 3_000) + 1, [4, 4, 1]),
        (grid(TABLE_TEXT // 2), 5, [2, 2, 1]),
        (grid(TABLE_TEXT), 2, [1, 1]),
        (CHART, 2 * CHARTS + 1, [2, 2, 1]),
    ],
)
def test_messages_are_filled_up_to_each_of_slacks_limits(
    block: dict[str, object], count: int, filled: list[int]
) -> None:
    found = pages([(False, (block,))] * count)
    assert [len(page) for page in found] == filled


def test_a_group_that_fits_one_message_is_not_torn_apart() -> None:
    groups = [(True, (section(3_000),)), (False, (section(3_000), section(3_000)))] * 3
    assert [len(page) for page in pages(groups)] == [3, 3, 3]


def test_every_text_that_is_sent_counts() -> None:
    assert size(section(5)) == 5
    assert size(grid(7)) == 7
    assert size(CHART) > len("t" + "a"), "which texts of a chart count is not documented"
    menu = {"type": "static_select", "placeholder": {"type": "plain_text", "text": "abc"}, "action_id": "long id"}
    assert size({"type": "actions", "elements": [menu]}) == 3
