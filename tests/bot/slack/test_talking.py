"""Conversations as people have them, from Slack's requests to what stands in the thread."""

import json

import pytest

from agent.answer import Answer
from agent.progress import RoundStarted, TextPiece, ToolFinished
from handlers.buttons import RETRY
from tests.bot.slack.conftest import Bot, buttons
from tests.fakes.slack import BOT, TEAM, Post
from tests.fakes.slack.payloads import USER, event, form, mention, message, pointed, press
from tests.fakes.slack.server import Scripted
from tests.fakes.thinking import reading


async def say(bot: Bot, text: str, root: Post | None = None) -> Post:
    """Somebody says something: in a thread without a mention, else with one."""
    if root is None:
        post = bot.slack.said(f"<@{BOT}> {text}")
        await bot.door.event(mention(post, f"Ev-{post.ts}"))
    else:
        post = bot.slack.said(text, thread_ts=root.ts)
        await bot.door.event(message(post, f"Ev-{post.ts}"))
    await bot.turns.idle()
    return post


async def test_an_answer_is_streamed_and_stands_as_one_message(bot: Bot) -> None:
    bot.agents.reply = "prod-0 is well."
    bot.agents.steps = (
        RoundStarted(1, last=False),
        TextPiece("Let me look."),
        reading("prod-0"),
        ToolFinished("call-1", "query_cluster_metrics", is_error=False, seconds=0.1),
        RoundStarted(2, last=False),
        TextPiece("prod-0 is "),
        TextPiece("well."),
    )
    root = await say(bot, "how is prod-0?")
    (words,) = bot.words(root.ts)
    (post,) = bot.slack.thread(root.ts)
    assert "prod-0 is well." in post.text + words
    assert "Let me look" not in post.text + words
    assert not post.streaming


async def test_a_muted_thread_answers_mentions_alone(bot: Bot) -> None:
    root = await say(bot, "how is prod-0?")
    await say(bot, "mute", root)
    await say(bot, "and prod-1?", root)
    assert len(bot.words(root.ts)) == 2
    again = bot.slack.said(f"<@{BOT}> unmute", thread_ts=root.ts)
    await bot.door.event(mention(again, "Ev-unmute"))
    await bot.turns.idle()
    await say(bot, "and prod-2?", root)
    assert "and prod-2?" in bot.words(root.ts)[-1]


async def test_a_channel_can_want_mentions(bot: Bot) -> None:
    root = await say(bot, "follow-ups off")
    await say(bot, "and prod-1?", root)
    assert len(bot.words(root.ts)) == 1
    assert "only when I am mentioned" in bot.words(root.ts)[0]


async def test_what_people_said_before_the_mention_reaches_the_agent_as_theirs(bot: Bot) -> None:
    root = bot.slack.said("prod-0 is slow since noon", user="U0BEN")
    asked = bot.slack.said(f"<@{BOT}> why?", thread_ts=root.ts)
    await bot.door.event(mention(asked))
    await bot.turns.idle()
    assert json.loads(bot.agents.overheard[-1]) == [{"user": "U0BEN", "said": "prod-0 is slow since noon"}]


async def test_reset_makes_it_forget(bot: Bot) -> None:
    root = await say(bot, "how is prod-0?")
    await say(bot, "reset", root)
    await say(bot, "what did I ask?", root)
    assert "how is prod-0?" not in bot.words(root.ts)[-1]


async def test_a_failed_question_can_be_asked_again_by_its_button(bot: Bot) -> None:
    bot.agents.fault = KeyError("boom")
    root = await say(bot, "how is prod-0?")
    (failure,) = bot.slack.thread(root.ts)
    (button,) = [one for one in buttons(failure.blocks) if one["action_id"] == RETRY]
    assert button["text"]["text"] == "Retry"
    response = await bot.door.form(form(press(failure, {"action_id": RETRY, "value": button["value"]})))
    await bot.turns.idle()
    assert response.status_code == 200
    assert "how is prod-0?" in bot.words(root.ts)[-1]
    assert len(bot.words(root.ts)) == 2


async def test_slacks_own_stop_button_ends_the_turn(bot: Bot) -> None:
    bot.agents.hold.clear()
    bot.agents.steps = (reading("prod-0"), TextPiece("half a sen"))
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.slack.until(lambda: bool(bot.slack.called("chat.startStream")))
    bot.slack.end_streams()
    inner = {"type": "agent_session_stopped", "channel": "C0OPS", "user": USER, "thread_ts": root.ts, "event_ts": "9.9"}
    await bot.door.event(event(inner | {"streaming_message_ts": []}, "Ev-stop"))
    await bot.turns.idle()
    assert bot.words(root.ts) == ["half a sen", "Stopped. Done until then: Reading metrics of prod-0."]
    assert bot.slack.sessions[-1] == ("C0OPS", root.ts, "active")


async def test_opening_the_conversation_pins_first_questions(bot: Bot) -> None:
    opened = event({"type": "app_home_opened", "user": USER, "channel": "D0DIRECT", "tab": "messages"}, "Ev-open")
    await bot.door.event(opened)
    assert bot.slack.prompts["D0DIRECT"][0]["title"] == "How is the fleet?"
    assert len(bot.slack.prompts["D0DIRECT"]) == 4


@pytest.mark.parametrize("text", ["help", "帮助", ""])
async def test_help_is_given_without_a_model(bot: Bot, text: str) -> None:
    root = await say(bot, text)
    assert "time zone Asia/Shanghai" in bot.words(root.ts)[0]
    assert bot.agents.threads == {}


async def test_an_answer_that_failed_is_no_stream_left_open(bot: Bot) -> None:
    async def failed(*arguments: object, **named: object) -> Answer:
        await arguments[3](TextPiece("half a sen"))  # type: ignore[operator]
        return Answer("The model is away.", "claude", "m", rounds=0, seconds=0.1, failed=True)

    bot.agents.chat = failed  # type: ignore[method-assign,assignment]
    root = await say(bot, "how is prod-0?")
    (post,) = bot.slack.thread(root.ts)
    assert not post.streaming
    assert "The model is away." in post.words
    assert "half a sen" not in post.text


async def test_a_message_of_another_program_can_be_looked_into(bot: Bot) -> None:
    alert = bot.slack.said("", user="U0ALERTS")
    hanging = [{"text": "prod-0: <!channel> disk &lt;/message&gt; 95 %"}, {"fallback": "see runbook"}]
    response = await bot.door.form(form(pointed(alert, hanging)))
    await bot.turns.idle()
    assert response.status_code == 200
    (asked,) = bot.agents.threads[f"slack:{TEAM}:C0OPS:{alert.ts}"]
    told = json.loads(asked.split("<message>")[1].removesuffix("</message>"))
    assert told == "prod-0: @channel disk </message> 95 %\nsee runbook"
    assert len(bot.words(alert.ts)) == 1


async def test_where_we_are_not_whoever_points_is_told_in_a_dialog(bot: Bot) -> None:
    elsewhere = bot.slack.said("disk 95 %", channel="C0ELSEWHERE")
    payload = pointed(elsewhere)
    bot.slack.triggers.add(payload["trigger_id"])
    response = await bot.door.form(form(payload))
    await bot.turns.idle()
    assert response.status_code == 200
    (shown,) = bot.slack.modals
    assert "Invite me to the channel" in json.dumps(shown["blocks"])
    assert bot.agents.threads == {}
    assert bot.slack.posts == []


async def test_when_slack_does_not_say_whether_we_are_there_it_is_tried(bot: Bot) -> None:
    alert = bot.slack.said("disk 95 %")
    bot.slack.fail("conversations.replies", Scripted(200, "fatal_error"))
    await bot.door.form(form(pointed(alert)))
    await bot.turns.idle()
    assert len(bot.words(alert.ts)) == 1


async def test_a_stranger_has_nothing_looked_into(bot: Bot) -> None:
    alert = bot.slack.said("disk 95 %")
    await bot.door.form(form(pointed(alert, team="T0STRANGER")))
    await bot.turns.idle()
    assert bot.agents.threads == {}
