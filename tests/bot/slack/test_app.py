"""From Slack's signed requests to what people read in the channel."""

import json

import pytest

from agent.progress import TextPiece
from tests.bot.slack.conftest import NOW, Bot, buttons
from tests.fakes.slack import BOT, TEAM, problems
from tests.fakes.slack.payloads import command, event, form, mention, message, press
from tests.fakes.slack.server import BOT_ID, Scripted
from tests.fakes.thinking import reading, report


async def test_a_mention_is_answered_in_its_thread(bot: Bot) -> None:
    post = bot.slack.said(f"<@{BOT}> how is prod-0?")
    response = await bot.door.event(mention(post))
    await bot.turns.idle()
    assert response.status_code == 200
    (words,) = bot.words(post.ts)
    assert words.startswith("You said: how is prod-0?")
    assert "claude-sonnet-5-5 · 2 rounds · 0 queries · 1.2 s" in words


async def test_a_reply_without_a_mention_is_answered_with_what_was_said_before(bot: Bot) -> None:
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    reply = bot.slack.said("and its alerts?", thread_ts=root.ts)
    await bot.door.event(message(reply))
    await bot.turns.idle()
    assert "You said: how is prod-0?; and its alerts?" in bot.words(root.ts)[1]


async def test_a_direct_message_needs_no_mention(bot: Bot) -> None:
    post = bot.slack.said("fleet?", channel="D0DIRECT")
    await bot.door.event(message(post))
    await bot.turns.idle()
    assert "fleet?" in bot.words(post.ts)[0]


async def test_what_is_being_done_is_shown_under_the_thread(bot: Bot) -> None:
    bot.agents.steps = (reading("prod-0"),)
    post = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(post))
    await bot.turns.idle()
    assert bot.slack.statuses == [("C0OPS", post.ts, "Reading metrics of prod-0")]
    methods = [method for method, _ in bot.slack.calls]
    assert methods.index("assistant.threads.setStatus") < methods.index("chat.postMessage")


async def test_a_post_that_comes_as_mention_and_as_message_is_answered_once(bot: Bot) -> None:
    root = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(message(root, "Ev1"))
    await bot.door.event(mention(root, "Ev2"))
    again = bot.slack.said(f"<@{BOT}> more", thread_ts=root.ts)
    await bot.door.event(message(again, "Ev3"))
    await bot.door.event(mention(again, "Ev4"))
    await bot.turns.idle()
    assert len(bot.words(root.ts)) == 2


async def test_a_redelivered_event_is_answered_once(bot: Bot) -> None:
    post = bot.slack.said(f"<@{BOT}> hello")
    for attempt in range(4):
        response = await bot.door.event(mention(post), **{"x-slack-retry-num": str(attempt)})
        assert response.status_code == 200
    await bot.turns.idle()
    assert len(bot.words(post.ts)) == 1


IGNORED = [
    pytest.param({"bot_id": "B0OTHER"}, id="another bot"),
    pytest.param({"bot_id": BOT_ID, "user": BOT}, id="ourselves"),
    pytest.param({"subtype": "message_changed"}, id="an edit"),
    pytest.param({"subtype": "message_deleted"}, id="a deletion"),
    pytest.param({"subtype": "channel_join"}, id="a join"),
    pytest.param({"user_team": "T0STRANGER"}, id="a member of another company"),
    pytest.param({"source_team": "T0STRANGER"}, id="another workspace"),
]


@pytest.mark.parametrize("more", IGNORED)
async def test_messages_that_no_member_wrote_just_now_are_acknowledged_and_ignored(
    bot: Bot, more: dict[str, str]
) -> None:
    root = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(root))
    reply = bot.slack.said("and now?", thread_ts=root.ts)
    for payload in (message(reply, **more), mention(reply, "Ev9", **more)):
        assert (await bot.door.event(payload)).status_code == 200
    await bot.turns.idle()
    assert len(bot.words(root.ts)) == 1


async def test_channels_shared_with_another_company_get_no_answer(bot: Bot) -> None:
    post = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(post) | {"is_ext_shared_channel": True})
    await bot.turns.idle()
    assert bot.slack.posts == []


async def test_talk_that_does_not_concern_us_is_left_alone(bot: Bot) -> None:
    root = bot.slack.said("lunch?")
    await bot.door.event(message(root))
    await bot.door.event(message(bot.slack.said("yes", thread_ts=root.ts)))
    await bot.turns.idle()
    assert bot.agents.threads == {}


async def test_a_patrol_posts_blocks_that_slack_takes_and_its_thread_knows_it(bot: Bot) -> None:
    response = await bot.door.form(command("morning"))
    await bot.turns.idle()
    assert response.status_code == 200
    assert response.json()["response_type"] == "ephemeral"
    started, posted = bot.slack.posts
    assert "Morning patrol has started" in started.words
    assert problems(posted.blocks) == []
    assert posted.thread_ts == ""
    assert "Morning patrol: 1 critical, 1 warning of 170 clusters" in posted.words
    assert "Acme &amp; Sons" in posted.words
    reply = bot.slack.said("why prod-1?", thread_ts=posted.ts)
    await bot.door.event(message(reply))
    await bot.turns.idle()
    assert "why prod-1?" in bot.words(posted.ts)[0]
    assert f"slack:{TEAM}:C0OPS:{posted.ts}" in bot.reports.openings


async def test_an_unknown_report_type_gets_the_list(bot: Bot) -> None:
    await bot.door.form(command("midnight <!channel>"))
    await bot.turns.idle()
    (post,) = bot.slack.posts
    assert "`/patrol now`" in post.words
    assert "midnight &lt;!channel&gt;" in post.words
    assert bot.patrols.runs == []


async def test_investigate_is_answered_under_the_report(bot: Bot) -> None:
    await bot.door.form(command("evening"))
    await bot.turns.idle()
    posted = bot.slack.posts[1]
    button = buttons(posted.blocks)[1]
    response = await bot.door.form(form(press(posted, button)))
    again = await bot.door.form(form(press(posted, button)))
    await bot.turns.idle()
    assert (response.status_code, again.status_code) == (200, 200)
    (case,) = bot.investigations.cases[f"slack:{TEAM}:C0OPS:{posted.ts}"]
    assert case.cluster == "0000-1"
    assert case.told["cluster_name"] == "prod-1"
    assert "Compaction score 101" in case.told["reason"]
    (told,) = bot.words(posted.ts)
    assert "Investigation of prod-1" in told
    assert problems(bot.slack.thread(posted.ts)[0].blocks) == []


async def test_a_button_with_a_foreign_value_or_a_foreign_hand_does_nothing(bot: Bot) -> None:
    await bot.door.form(command(""))
    await bot.turns.idle()
    posted = bot.slack.posts[1]
    button = buttons(posted.blocks)[0]
    for value in ("", "7", "{}", '{"report": 1, "cluster": "x"}', '{"report": "", "cluster": ""}', "[" * 1000):
        assert (await bot.door.form(form(press(posted, button | {"value": value})))).status_code == 200
    assert (await bot.door.form(form(press(posted, button, team="T0STRANGER")))).status_code == 200
    await bot.turns.idle()
    assert bot.agents.threads == {}


async def test_a_report_with_sixty_flagged_clusters_is_complete_over_several_messages(bot: Bot) -> None:
    bot.patrols.report = report(60)
    await bot.door.form(command("weekly"))
    await bot.turns.idle()
    first, *rest = bot.slack.posts[1:]
    assert len(rest) >= 4
    assert {post.thread_ts for post in rest} == {first.ts}
    pressed = [json.loads(button["value"])["cluster"] for post in (first, *rest) for button in buttons(post.blocks)]
    # the critical ones first
    assert pressed == [f"0000-{n}" for n in (*range(0, 60, 2), *range(1, 60, 2))]
    everything = "\n".join(post.words for post in (first, *rest))
    assert all(f"Compaction score {n + 100} for three hours." in everything for n in range(60))
    assert f"Part 1 of {len(rest) + 1}" in first.words


async def test_a_failing_turn_is_apologised_for_once_without_its_cause(bot: Bot) -> None:
    bot.agents.fault = RuntimeError("password=hunter2")
    post = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(post))
    await bot.turns.idle()
    (words,) = bot.words(post.ts)
    assert "reference ref-1" in words
    assert "hunter2" not in words


async def test_an_event_that_cannot_be_admitted_is_left_to_be_delivered_again(bot: Bot) -> None:
    await bot.turns.close(0)
    response = await bot.door.event(mention(bot.slack.said(f"<@{BOT}> hello")))
    assert response.status_code == 500
    assert "TurnsFull" not in response.text


WRONG = [
    pytest.param({"secret": "another"}, id="signed with another secret"),
    pytest.param({"signature": ""}, id="not signed"),
    pytest.param({"signature": "v0=é"}, id="a signature outside ASCII"),
    pytest.param({"timestamp": str(NOW - 301)}, id="stale"),
    pytest.param({"timestamp": str(NOW + 301)}, id="from the future"),
    pytest.param({"timestamp": "abc"}, id="no number"),
    pytest.param({"timestamp": ""}, id="empty"),
    pytest.param({"timestamp": "²"}, id="a digit that is no number"),
    pytest.param({"timestamp": "9" * 5000}, id="a number without end"),
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_request_that_slack_did_not_just_sign_is_refused(bot: Bot, wrong: dict[str, str]) -> None:
    post = bot.slack.said(f"<@{BOT}> hello")
    response = await bot.door.event(mention(post), **wrong)
    await bot.turns.idle()
    assert response.status_code == 401
    assert bot.slack.posts == []


async def test_bodies_that_are_no_payload_are_refused_without_a_trace(bot: Bot) -> None:
    for body in (b"", b"{", b"[]", b"null", b"[" * 100_000):
        response = await bot.door.send(body)
        assert response.status_code == 400
        assert "Traceback" not in response.text
    assert (await bot.door.send(b"\xff\xfe", signature="v0=00")).status_code == 401


async def test_a_body_beyond_the_cap_is_not_read(bot: Bot) -> None:
    assert (await bot.door.send(b"{" + b" " * (1024 * 1024))).status_code == 413


async def test_the_address_can_be_verified_and_health_is_told(bot: Bot) -> None:
    answer = await bot.door.event({"type": "url_verification", "challenge": "c-1", "token": "unused"})
    assert answer.json() == {"challenge": "c-1"}
    assert (await bot.door.get("/healthz")).text == "ok"


async def test_an_unknown_event_does_no_harm(bot: Bot) -> None:
    response = await bot.door.event(event({"type": "reaction_added", "user": "U0ANNA", "event_ts": "1.1"}))
    assert response.status_code == 404


async def test_a_rate_limit_is_waited_for(bot: Bot) -> None:
    bot.slack.fail("chat.postMessage", Scripted(429, "ratelimited", {"Retry-After": "7"}))
    post = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(post))
    await bot.turns.idle()
    assert bot.time.seconds >= 7
    assert len(bot.words(post.ts)) == 1


async def test_a_thread_is_answered_while_a_patrol_runs(bot: Bot) -> None:
    bot.patrols.gate.clear()
    await bot.door.form(command("morning"))
    await bot.slack.until(lambda: bool(bot.slack.posts))
    post = bot.slack.said(f"<@{BOT}> hello")
    await bot.door.event(mention(post))
    await bot.slack.until(lambda: len(bot.slack.posts) == 2)
    assert len(bot.words(post.ts)) == 1
    bot.patrols.gate.set()
    await bot.turns.idle()


async def test_the_word_stop_ends_the_turn_and_the_thread_hears_how_far_it_came(bot: Bot) -> None:
    bot.agents.steps = (reading("prod-0"),)
    bot.agents.hold.clear()
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.slack.until(lambda: bool(bot.slack.statuses))
    await bot.door.event(message(bot.slack.said("stop", thread_ts=root.ts)))
    await bot.turns.idle()
    assert bot.words(root.ts) == ["Stopped. Done until then: Reading metrics of prod-0."]


async def test_a_question_deleted_in_mid_stream_leaves_nothing_of_its_answer(bot: Bot) -> None:
    bot.agents.hold.clear()
    bot.agents.steps = (TextPiece("prod-0 is"),)
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.slack.until(lambda: [post.text for post in bot.slack.thread(root.ts)] == ["prod-0 is"])
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C0OPS", "ts": "9.9", "deleted_ts": root.ts}
    await bot.door.event(event(gone | {"channel_type": "channel"}))
    await bot.turns.idle()
    assert bot.slack.thread(root.ts) == []


async def test_a_question_stopped_in_mid_stream_keeps_what_was_read_of_its_answer(bot: Bot) -> None:
    bot.agents.hold.clear()
    bot.agents.steps = (TextPiece("prod-0 is"),)
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.slack.until(lambda: [post.text for post in bot.slack.thread(root.ts)] == ["prod-0 is"])
    await bot.door.event(message(bot.slack.said("stop", thread_ts=root.ts)))
    await bot.turns.idle()
    assert [post.text for post in bot.slack.thread(root.ts) if post.text.startswith("prod-0")] == ["prod-0 is …"]


async def test_a_deleted_question_is_not_answered(bot: Bot) -> None:
    bot.agents.hold.clear()
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.slack.until(lambda: bool(bot.slack.statuses))
    further = bot.slack.said("and prod-1?", thread_ts=root.ts)
    await bot.door.event(message(further))
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C0OPS", "ts": "9.9", "deleted_ts": further.ts}
    await bot.door.event(event(gone | {"channel_type": "channel"}))
    bot.agents.hold.set()
    await bot.turns.idle()
    assert len(bot.words(root.ts)) == 1
