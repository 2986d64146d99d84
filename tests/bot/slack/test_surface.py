"""What the surface does when Slack refuses, limits, fails or is not there."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bot.pace import PATIENCE
from bot.slack.config import web_client
from bot.slack.surface import SlackSurface
from handlers.document import Document, Fields, Note, Prose, Table
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import Mark, SurfaceError
from tests.bot.slack.conftest import Bot, surface_on
from tests.fakes.slack import BOT, TEAM
from tests.fakes.slack.payloads import mention
from tests.fakes.slack.server import Scripted

LONG = Document("long", tuple(Prose("word " * 1_100) for _ in range(6)))
"""Three messages."""

OPS = f"slack:{TEAM}:C0OPS"


async def test_a_post_in_a_channel_starts_a_thread_and_gives_it_back(bot: Bot) -> None:
    thread = (await bot.surface.post(OPS, LONG)).thread
    first, *rest = bot.slack.posts
    assert thread == f"{OPS}:{first.ts}"
    assert [post.thread_ts for post in bot.slack.posts] == ["", first.ts, first.ts]
    assert len(rest) == 2


MARK = Mark("turn:1", "answer", repeated=False)
AGAIN = replace(MARK, repeated=True)


@pytest.mark.parametrize("arrived", [1, 2, 3])
async def test_a_marked_post_that_a_crash_cut_off_goes_on_behind_what_arrived(bot: Bot, arrived: int) -> None:
    root = bot.slack.said("hello")
    bot.slack.fail_after("chat.postMessage", arrived, *[Scripted(500, "internal_error")] * (arrived < 3))
    with pytest.raises(SurfaceError) if arrived < 3 else nullcontext():
        await bot.surface.post(f"{OPS}:{root.ts}", LONG, MARK)
    # another process: it has nothing of the first one's memory
    again = await surface_on(bot.config).post(f"{OPS}:{root.ts}", LONG, AGAIN)
    assert again.thread == f"{OPS}:{root.ts}"
    assert len(bot.slack.thread(root.ts)) == 3


async def test_a_marked_post_in_a_channel_is_found_again_with_its_thread(bot: Bot) -> None:
    thread = (await bot.surface.post(OPS, LONG, MARK)).thread
    assert (await surface_on(bot.config).post(OPS, LONG, AGAIN)).thread == thread
    assert len(bot.slack.posts) == 3
    other = replace(AGAIN, turn="turn:2")
    assert (await surface_on(bot.config).post(OPS, LONG, other)).thread != thread


async def test_a_bare_channel_id_is_a_place_too(bot: Bot) -> None:
    thread = (await bot.surface.post("C0OPS", Document("hi", ()))).thread
    assert thread == f"{OPS}:{bot.slack.posts[0].ts}"


async def test_a_post_in_a_thread_gives_the_same_thread_back(bot: Bot) -> None:
    root = bot.slack.said("hello")
    assert (await bot.surface.post(f"{OPS}:{root.ts}", LONG)).thread == f"{OPS}:{root.ts}"
    assert len(bot.slack.thread(root.ts)) == 3


async def test_nothing_posted_is_unfurled_and_everything_has_a_text(bot: Bot) -> None:
    await bot.surface.post(OPS, LONG)
    for arguments in bot.slack.called("chat.postMessage"):
        assert arguments["unfurl_links"] is False
        assert arguments["unfurl_media"] is False
        assert arguments["text"].startswith("long")


async def test_a_channel_post_that_failed_midway_goes_on_in_its_thread(bot: Bot) -> None:
    bot.slack.fail_after("chat.postMessage", 1, Scripted(500, "internal_error"))
    with pytest.raises(SurfaceError, match="internal_error"):
        await bot.surface.post(OPS, LONG)
    thread = (await bot.surface.post(OPS, LONG)).thread
    first, *rest = bot.slack.posts
    assert thread == f"{OPS}:{first.ts}"
    assert [post.thread_ts for post in rest] == [first.ts, first.ts]


async def test_a_post_that_failed_midway_is_not_begun_again(bot: Bot) -> None:
    root = bot.slack.said("hello")
    bot.slack.fail_after("chat.postMessage", 2, Scripted(500, "internal_error"))
    with pytest.raises(SurfaceError):
        await bot.surface.post(f"{OPS}:{root.ts}", LONG)
    await bot.surface.post(f"{OPS}:{root.ts}", LONG)
    assert [post.text for post in bot.slack.thread(root.ts)] == ["long (1/3)", "long (2/3)", "long (3/3)"]


async def test_the_same_words_may_be_said_twice(bot: Bot) -> None:
    await bot.surface.post(OPS, Document("hi", ()))
    await bot.surface.post(OPS, Document("hi", ()))
    assert len(bot.slack.posts) == 2


async def test_blocks_that_slack_refuses_go_out_as_text_with_every_word(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(200, "invalid_blocks"))
    parts = (Prose("**why** <!channel>"), Fields((("disk", "91 %"),)), Table(("a",), (("b & c",),)), Note("footer"))
    await bot.surface.post(OPS, Document("short", parts))
    (post,) = bot.slack.posts
    assert post.blocks == []
    for words in ("*why* &lt;!channel&gt;", "91 %", "b &amp; c", "footer"):
        assert words in post.text


async def test_refused_blocks_with_much_text_become_several_messages_in_one_thread(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(200, "msg_blocks_too_long"))
    await bot.surface.post(OPS, Document("short", (Prose("word " * 2_000),)))
    first, *rest = bot.slack.posts
    assert sum(post.text.count("word") for post in bot.slack.posts) == 2_000
    assert {post.thread_ts for post in rest} == {first.ts}


REFUSALS = [
    ("channel_not_found", "invite the bot"),
    ("not_in_channel", "invite the bot"),
    ("token_revoked", "install the app again"),
    ("is_archived", "archived"),
    ("some_new_error", "some_new_error"),
]


@pytest.mark.parametrize(("code", "advice"), REFUSALS)
async def test_a_refusal_says_what_to_do_and_shows_no_secret(bot: Bot, code: str, advice: str) -> None:
    bot.slack.fail("chat.postMessage", Scripted(200, code))
    with pytest.raises(SurfaceError, match=advice) as caught:
        await bot.surface.post(OPS, Document("hi", ()))
    assert "xoxb" not in str(caught.value)


async def test_a_rate_limit_is_waited_for_twice_and_then_given_up(bot: Bot) -> None:
    limits = [Scripted(429, "ratelimited", {"Retry-After": str(seconds)}) for seconds in (1, 2, 3)]
    bot.slack.fail("chat.postMessage", *limits)
    with pytest.raises(SurfaceAway, match="Slack asks to wait") as told:
        await bot.surface.post(OPS, Document("hi", ()))
    assert (bot.time.seconds, told.value.retry_after) == (3, 3)


async def test_a_rate_limit_holds_up_everybody_who_wants_the_same_and_nobody_else(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(429, "ratelimited", {"Retry-After": "40"}))
    elsewhere = asyncio.create_task(bot.surface.whisper(OPS, "U0ANNA", Document("now", ())))
    await elsewhere
    assert bot.time.seconds == 0
    await asyncio.gather(*(bot.surface.post(OPS, Document(f"{n}", ())) for n in range(3)))
    assert bot.time.seconds == 40
    assert sorted(post.text for post in bot.slack.posts) == ["0", "1", "2"]


async def test_of_redrawings_that_a_rate_limit_holds_up_only_the_newest_is_sent(bot: Bot) -> None:
    (message,) = (await bot.surface.post(OPS, Document("0", ()))).messages
    bot.slack.fail("chat.update", Scripted(429, "ratelimited", {"Retry-After": "5"}))
    await asyncio.gather(*(bot.surface.update(message, Document(f"{n}", ())) for n in range(1, 9)))
    sent = [call["text"] for call in bot.slack.called("chat.update")]
    assert len(sent) <= 2
    assert (sent[-1], bot.slack.posts[0].text) == ("8", "8")


@pytest.mark.parametrize("asked", [str(int(PATIENCE) + 1), "soon", "-1", "²"])
async def test_a_wait_too_long_or_meaningless_is_not_waited_for(bot: Bot, asked: str) -> None:
    bot.slack.fail("chat.postMessage", Scripted(429, "ratelimited", {"Retry-After": asked}))
    with pytest.raises(SurfaceAway):
        await bot.surface.post(OPS, Document("hi", ()))
    assert bot.time.seconds == 0


SORTED = [
    (Scripted(500, html=True), SurfaceAway),
    (Scripted(503, html=True), SurfaceAway),
    (Scripted(200, "internal_error"), SurfaceAway),
    (Scripted(200, "channel_not_found"), PlaceGone),
    (Scripted(200, "thread_not_found"), PlaceGone),
    (Scripted(200, "message_not_found"), PlaceGone),
    (Scripted(200, "token_revoked"), AccessEnded),
    (Scripted(200, "account_inactive"), AccessEnded),
]


@pytest.mark.parametrize(("answer", "kind"), SORTED, ids=[f"{one.status} {one.error}" for one, _ in SORTED])
async def test_each_failure_says_what_is_to_be_done_about_it(
    bot: Bot, answer: Scripted, kind: type[SurfaceError]
) -> None:
    bot.slack.fail("chat.postMessage", answer)
    with pytest.raises(kind):
        await bot.surface.post(OPS, Document("hi", ()))


async def test_a_server_error_is_no_double_post(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(502, html=True))
    with pytest.raises(SurfaceError, match="http_502"):
        await bot.surface.post(OPS, Document("hi", ()))
    assert len(bot.slack.called("chat.postMessage")) == 1


async def test_slack_out_of_reach_is_tried_twice_more_and_then_an_error(bot: Bot) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    gone = web_client(replace(bot.config, api_url="http://127.0.0.1:9/api"), sleep)
    with pytest.raises(SurfaceError, match="could not be reached"):
        await SlackSurface(gone).post(OPS, Document("hi", ()))
    assert slept == [1, 1]


@pytest.mark.parametrize("place", ["", "slack::C0", "lark:T:C", "slack:T", "slack:T:C:1:2"])
async def test_a_place_that_is_not_on_slack_is_refused_by_name(bot: Bot, place: str) -> None:
    with pytest.raises(SurfaceError, match="no Slack channel"):
        await bot.surface.post(place, Document("hi", ()))


async def test_a_status_is_shown_short_and_harmless_and_cleared(bot: Bot) -> None:
    root = bot.slack.said("hello")
    await bot.surface.status(f"{OPS}:{root.ts}", "Reading <!channel> " + "x" * 500)
    await bot.surface.status(f"{OPS}:{root.ts}", "")
    (_, _, shown), (_, _, cleared) = bot.slack.statuses
    assert shown.startswith("Reading ‹!channel›")
    assert len(shown) <= 100
    assert cleared == ""


async def test_without_the_scope_for_status_answers_still_come(bot: Bot) -> None:
    bot.slack.scopes.discard("assistant:write")
    post = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(post))
    await bot.turns.idle()
    assert len(bot.words(post.ts)) == 1
    assert len(bot.slack.called("assistant.threads.setStatus")) == 1


async def test_a_status_where_slack_shows_none_is_left_out_and_tried_again(bot: Bot) -> None:
    await bot.surface.status(f"{OPS}:1.1", "Thinking")
    root = bot.slack.said("hello")
    await bot.surface.status(f"{OPS}:{root.ts}", "Thinking")
    assert [status for _, _, status in bot.slack.statuses] == ["Thinking"]


async def test_an_unexpected_refusal_of_a_status_is_told(bot: Bot) -> None:
    bot.slack.fail("assistant.threads.setStatus", Scripted(200, "token_revoked"))
    with pytest.raises(SurfaceError, match="token_revoked"):
        await bot.surface.status(f"{OPS}:1.1", "Thinking")
