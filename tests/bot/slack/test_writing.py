"""An answer that grows in front of the reader."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.slack.writing import LONGEST, PLAN_AFTER, WHOLE
from handlers.document import Actions, Button, Document, File, Note, Prose
from handlers.faults import SurfaceAway
from handlers.surface import Mark, Step, SurfaceError, Writing
from tests.bot.slack.conftest import Bot, surface_on
from tests.fakes.slack import BOT, TEAM, Post
from tests.fakes.slack.server import Scripted

MARK = Mark("turn:1", "answer", repeated=False)
AGAIN = replace(MARK, repeated=True)
FOOTER = (Note("Claude · 2 rounds"), Actions((Button("Good", "good", "a-1"),)))


def answer(text: str) -> Document:
    return Document(text[:50], (Prose(text), *FOOTER))


class Desk:
    """A question in a channel, and the answer that is written to it."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.slack = bot.slack
        self.asked = bot.slack.said("how is prod-0?")
        self.thread = f"slack:{TEAM}:C0OPS:{self.asked.ts}"

    @asynccontextmanager
    async def writing(self, mark: Mark | None = MARK) -> AsyncIterator[Writing]:
        async with self.bot.surface.writing(self.thread, mark, "U0ANNA") as writing:
            yield writing

    async def until(self, method: str, calls: int = 1) -> None:
        await self.slack.until(lambda: len(self.slack.called(method)) >= calls)

    @property
    def posts(self) -> Sequence[Post]:
        return self.slack.thread(self.asked.ts)


@pytest.fixture
def desk(bot: Bot) -> Desk:
    return Desk(bot)


def running(text: str, number: int = 1) -> Step:
    return Step(f"call-{number}", text, "running")


async def test_the_first_words_open_a_stream_and_the_end_closes_it_with_footer_and_mark(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("prod-0 is ")
        await desk.until("chat.startStream")
        await writing.text("well.")
        await desk.until("chat.appendStream")
        posted = await writing.finish(answer("prod-0 is well."))
    (post,) = desk.posts
    assert (post.text, post.streaming) == ("prod-0 is well.", False)
    assert [block["type"] for block in post.blocks] == ["context", "actions"]
    assert post.metadata["event_payload"] == {"turn": "turn:1", "part": "answer", "page": 0}
    assert posted.messages == (f"slack:{TEAM}:C0OPS:{post.ts}",)
    assert posted.thread == desk.thread
    assert desk.slack.called("chat.update") == []


async def test_words_that_come_faster_than_slack_takes_them_go_out_together(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("one ")
        await desk.until("chat.startStream")
        for word in ("two ", "three ", "four "):
            await writing.text(word)
        await writing.finish(answer("one two three four "))
    (post,) = desk.posts
    assert post.text == "one two three four "
    assert len(desk.slack.called("chat.appendStream")) <= 1


async def test_an_answer_that_was_not_streamed_is_a_post(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.steps([running("Thinking")])
        await writing.finish(answer("done"))
    (post,) = desk.posts
    assert "done" in post.words
    assert desk.slack.called("chat.startStream") == []


async def test_a_link_is_dead_while_it_is_streamed_and_lives_in_the_whole_answer(desk: Desk) -> None:
    text = "see https://grafana.example.com/d/1 <!channel>"
    async with desk.writing() as writing:
        await writing.text(text)
        await desk.until("chat.startStream")
        (post,) = desk.posts
        assert post.text.startswith("see https[:]//grafana(.)example(.)com/d/1 &lt;!channel")
        await writing.finish(answer(text))
    assert desk.posts == [post]
    assert "<https://grafana.example.com/d/1>" in post.words
    assert "<!channel>" not in post.words
    assert post.metadata


TABLE = "Two:\n\n| Cluster | Disk |\n| --- | --- |\n| prod-0 | 91 % |"


@pytest.mark.parametrize(("text", "shown"), [(TABLE, "prod-0"), ("`a < b` holds", "`a &lt; b`"), ("a > b", "a &gt; b")])
async def test_what_a_stream_cannot_show_as_it_is_meant_is_drawn_in_the_end(desk: Desk, text: str, shown: str) -> None:
    async with desk.writing() as writing:
        await writing.text(text)
        await desk.until("chat.startStream")
        await writing.finish(answer(text))
    (post,) = desk.posts
    assert shown in post.words
    assert len(desk.slack.called("chat.update")) == 1


async def test_what_was_streamed_can_be_taken_back(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("Let me look.")
        await desk.until("chat.startStream")
        await writing.text("")
        await desk.until("chat.delete")
        await writing.text("It is well.")
        await desk.until("chat.startStream", 2)
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert post.text == "It is well."


async def test_words_taken_back_before_they_were_shown_leave_no_trace(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("Let me look.")
        await writing.text("")
        await writing.text("It is well.")
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "Let me" not in post.text + post.words


async def test_a_stream_that_slack_ended_goes_on_and_the_answer_is_one_message(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("one ")
        await desk.until("chat.startStream")
        desk.slack.end_streams()
        await writing.text("two ")
        await desk.until("chat.startStream", 2)
        assert [post.text for post in desk.posts] == ["one ", "two "]
        await writing.finish(answer("one two "))
    (post,) = desk.posts
    assert "one two" in post.words


async def test_a_stream_is_replaced_before_slack_would_end_it(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("one ")
        await desk.until("chat.startStream")
        desk.bot.time.seconds += LONGEST + 1
        await writing.text("two ")
        await desk.until("chat.startStream", 2)
        first, _ = desk.posts
        assert not first.streaming
        await writing.finish(answer("one two "))
    assert len(desk.posts) == 1


async def test_slack_ending_the_stream_right_before_its_end_costs_nothing(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("one two")
        await desk.until("chat.startStream")
        desk.slack.end_streams()
        await writing.finish(answer("one two"))
    (post,) = desk.posts
    assert "one two" in post.words
    assert "Claude · 2 rounds" in post.words


async def test_a_long_answer_is_streamed_in_several_messages_and_loses_nothing(desk: Desk) -> None:
    text = "\n\n".join(f"Line {number} of a long answer, with words in it." for number in range(800))
    async with desk.writing() as writing:
        for start in range(0, len(text), 5_000):
            await writing.text(text[start : start + 5_000])
        await desk.until("chat.startStream", 2)
        await writing.finish(answer(text))
    words = "\n".join(post.words for post in desk.posts)
    assert all(f"Line {number} of" in words for number in range(800))
    assert not any(post.streaming for post in desk.posts)
    sent = [*desk.slack.called("chat.startStream"), *desk.slack.called("chat.appendStream")]
    assert max(len(arguments["markdown_text"]) for arguments in sent) <= WHOLE


async def test_an_answer_longer_than_people_read_goes_on_in_a_file(desk: Desk) -> None:
    text = "\n\n".join(f"Line {number} " + "of a very long answer " * 20 for number in range(400))
    async with desk.writing() as writing:
        await writing.finish(answer(text))
    told = desk.slack.files["answer.txt"].decode()
    assert all(f"Line {number} of" in told for number in range(400))
    assert len([post for post in desk.posts if not post.files]) == 8


async def test_files_of_a_document_are_uploaded_into_the_thread(desk: Desk) -> None:
    rows = File("rows.csv", "All rows", b"a,b\n1,2\n")
    async with desk.writing() as writing:
        await writing.finish(Document("x", (Prose("see file"), rows)))
    assert desk.slack.files == {"rows.csv": b"a,b\n1,2\n"}
    assert [post.files for post in desk.posts] == [[], ["rows.csv"]]


async def test_a_file_that_cannot_be_uploaded_costs_only_itself(desk: Desk) -> None:
    desk.slack.scopes.discard("files:write")
    async with desk.writing() as writing:
        await writing.finish(Document("x", (Prose("see file"), File("rows.csv", "All rows", b"a"))))
    assert "see file" in desk.posts[0].words


async def test_short_work_shows_its_status_and_no_plan(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.steps([running("Reading metrics of prod-0")])
        await desk.until("assistant.threads.setStatus")
        await writing.finish(answer("done"))
    assert desk.slack.statuses == [("C0OPS", desk.asked.ts, "Reading metrics of prod-0")]
    assert len(desk.posts) == 1


async def test_longer_work_shows_a_plan_that_is_gone_when_the_answer_is_there(desk: Desk) -> None:
    async with desk.writing() as writing:
        desk.bot.time.seconds += PLAN_AFTER
        await writing.steps([running("Reading metrics of prod-0")])
        await desk.until("chat.postMessage")
        (plan,) = desk.posts
        assert plan.blocks[0]["tasks"][0]["status"] == "in_progress"
        await writing.steps([Step("call-1", "Reading metrics", "failed"), running("Reading alerts <!here>", 2)])
        await desk.until("chat.update")
        tasks = plan.blocks[0]["tasks"]
        assert [task["status"] for task in tasks] == ["error", "in_progress"]
        await writing.text("It is well.")
        await desk.until("chat.startStream")
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert post.text == "It is well."


async def test_while_it_is_written_slack_shows_its_own_stop_button(desk: Desk) -> None:
    async with desk.writing() as writing:
        await desk.until("agents.sessions.setStatus")
        await writing.finish(answer("done"))
    assert [status for _, _, status in desk.slack.sessions] == ["processing", "active"]


async def test_a_turn_that_is_cut_off_leaves_what_people_have_read(desk: Desk) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with desk.writing() as writing:
            await writing.text("half a sen")
            await desk.until("chat.startStream")
            raise asyncio.CancelledError
    (post,) = desk.posts
    assert (post.text, post.streaming) == ("half a sen …", False)
    assert [status for _, _, status in desk.slack.sessions] == ["processing", "active"]


async def test_a_turn_that_is_cut_off_and_goes_on_elsewhere_finishes_what_it_left(desk: Desk) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with desk.writing() as writing:
            await writing.text("half a sen")
            await desk.until("chat.startStream")
            raise asyncio.CancelledError
    async with surface_on(desk.bot.config).writing(desk.thread, AGAIN, "U0ANNA") as writing:
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "It is well." in post.words


async def test_a_fault_takes_back_what_was_streamed(desk: Desk) -> None:
    with pytest.raises(KeyError):
        async with desk.writing() as writing:
            await writing.text("half a sen")
            await desk.until("chat.startStream")
            raise KeyError("boom")
    assert desk.posts == []
    assert [status for _, _, status in desk.slack.sessions] == ["processing", "active"]


async def test_a_slack_that_takes_no_streams_still_gets_the_answer(desk: Desk) -> None:
    desk.slack.fail("chat.startStream", Scripted(200, "unknown_method"))
    async with desk.writing() as writing:
        await writing.text("It is ")
        await desk.until("chat.startStream")
        await writing.text("well.")
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "It is well." in post.words


async def test_a_slack_that_fails_in_the_middle_gets_the_whole_in_place_of_the_half(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.text("It is ")
        await desk.until("chat.startStream")
        desk.slack.fail("chat.appendStream", Scripted(500, "internal_error"))
        await writing.text("well.")
        await desk.until("chat.appendStream")
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "It is well." in post.words
    assert not post.streaming


async def test_an_answer_that_cannot_be_posted_is_an_error(desk: Desk) -> None:
    desk.slack.fail("chat.postMessage", Scripted(200, "is_archived"))
    with pytest.raises(SurfaceError, match="archived"):
        async with desk.writing() as writing:
            await writing.finish(answer("x"))


async def test_a_second_try_finds_what_the_first_one_had_posted_all_the_same(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.finish(answer("It is well."))
        await writing.finish(answer("It is well."))
    assert len(desk.posts) == 1


async def test_a_redrawing_whose_reply_was_lost_is_tried_again_in_place(desk: Desk) -> None:
    text = "see https://grafana.example.com/d/1"
    async with desk.writing() as writing:
        await writing.text(text)
        await desk.until("chat.startStream")
        desk.slack.fail("chat.update", Scripted(500, "internal_error"))
        with pytest.raises(SurfaceAway):
            await writing.finish(answer(text))
        await writing.finish(answer(text))
    (post,) = desk.posts
    assert "<https://grafana.example.com/d/1>" in post.words


async def test_a_conversation_without_a_thread_gets_the_whole_at_once(bot: Bot) -> None:
    bot.slack.channels.add("U0ANNA")
    async with bot.surface.writing(f"slack:{TEAM}:U0ANNA", MARK, "U0ANNA") as writing:
        await writing.text("It is well.")
        await writing.finish(answer("It is well."))
    assert "It is well." in bot.slack.posts[0].words
    assert bot.slack.called("chat.startStream") == []
    assert bot.slack.sessions == []


async def crashed(desk: Desk, *texts: str) -> None:
    """A process that dies while it streams: nothing of it is cleaned up."""
    arguments = {"channel": "C0OPS", "thread_ts": desk.asked.ts, "recipient_team_id": TEAM}
    for text in texts:
        started = {"markdown_text": text, "recipient_user_id": "U0ANNA"} | arguments
        await desk.bot.surface._api.call("chat.startStream", started)


@pytest.mark.parametrize("ended", [False, True])
async def test_after_a_crash_in_the_middle_the_answer_takes_the_place_of_the_half(desk: Desk, ended: bool) -> None:
    await crashed(desk, "half a sen")
    if ended:
        desk.slack.end_streams()
    async with surface_on(desk.bot.config).writing(desk.thread, AGAIN, "U0ANNA") as writing:
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "It is well." in post.words
    assert post.metadata["event_payload"]["turn"] == "turn:1"


async def test_after_a_crash_a_second_stream_leaves_one_message(desk: Desk) -> None:
    await crashed(desk, "half a sen", "tence and")
    async with surface_on(desk.bot.config).writing(desk.thread, AGAIN, "U0ANNA") as writing:
        await writing.text("It is well.")
        await desk.until("chat.startStream", 3)
        await writing.finish(answer("It is well."))
    (post,) = desk.posts
    assert "It is well." in post.words


async def test_after_a_crash_behind_the_last_step_nothing_is_posted_again(desk: Desk) -> None:
    async with desk.writing() as writing:
        await writing.finish(answer("It is well."))
    async with surface_on(desk.bot.config).writing(desk.thread, AGAIN, "U0ANNA") as writing:
        await writing.finish(answer("It is well."))
    assert len(desk.posts) == 1


async def test_posts_of_other_turns_and_of_none_are_no_leftovers(desk: Desk) -> None:
    await desk.bot.surface.post(desk.thread, Document("noted", (Prose("noted"),)))
    await desk.bot.surface.post(desk.thread, Document("earlier", (Prose("earlier"),)), Mark("turn:0", "answer", False))
    desk.slack.said("thanks", thread_ts=desk.asked.ts)
    async with surface_on(desk.bot.config).writing(desk.thread, AGAIN, "U0ANNA") as writing:
        await writing.finish(answer("It is well."))
    assert [post.words.split("\n")[0] for post in desk.posts] == ["noted", "earlier", "It is well."]


async def test_a_direct_conversation_is_streamed_to_as_well(bot: Bot) -> None:
    asked = bot.slack.said("fleet?", channel="D0DIRECT")
    async with bot.surface.writing(f"slack:{TEAM}:D0DIRECT:{asked.ts}", MARK, "U0ANNA") as writing:
        await writing.text("Well.")
        await writing.finish(answer("Well."))
    assert any("Well." in post.words + post.text for post in bot.slack.thread(asked.ts))
    assert BOT not in asked.text


async def test_when_many_are_answered_at_once_the_last_get_the_whole_without_waiting(bot: Bot) -> None:
    desks = [Desk(bot) for _ in range(20)]
    for desk in desks:
        async with desk.writing(replace(MARK, turn=f"turn:{desk.asked.ts}")) as writing:
            await writing.text("It is well.")
            for _ in range(20):
                await asyncio.sleep(0)
            began = bot.time.seconds
            await writing.finish(answer("It is well."))
            assert bot.time.seconds - began < 1
    assert [len(desk.posts) for desk in desks] == [1] * 20
    assert 10 <= len(bot.slack.called("chat.startStream")) < 20
