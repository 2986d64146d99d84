"""The same bot over Socket Mode, and on connections that are replaced, lost, refused or dead without a word."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.slack.catchup import LONGEST, CatchUp
from bot.slack.config import web_client
from bot.slack.place import Place
from bot.slack.socket import PING, connected
from tests.bot.slack.conftest import Bot, buttons
from tests.fakes.network import FAIR, Weather, network
from tests.fakes.slack import BOT, BOT_TOKEN, TEAM, Post
from tests.fakes.slack.payloads import command, mention, message, press
from tests.fakes.slack.server import Scripted
from tests.machine import on_this_machine


async def test_a_mention_is_acknowledged_and_answered(bot: Bot) -> None:
    post = bot.slack.said(f"<@{BOT}> how is prod-0?")
    async with connected(bot.config, bot.app):
        ack = await bot.slack.deliver("events_api", mention(post), "env-1")
        await bot.turns.idle()
    assert ack == {"envelope_id": "env-1"}
    assert "how is prod-0?" in bot.words(post.ts)[0]


async def test_a_redelivered_envelope_is_acknowledged_again_and_answered_once(bot: Bot) -> None:
    post = bot.slack.said("fleet?", channel="D0DIRECT")
    async with connected(bot.config, bot.app):
        await bot.slack.deliver("events_api", message(post), "env-1")
        await bot.slack.deliver("events_api", message(post), "env-2")
        await bot.turns.idle()
    assert len(bot.words(post.ts)) == 1


async def test_a_command_and_a_button_work_as_over_http(bot: Bot) -> None:
    async with connected(bot.config, bot.app):
        ack = await bot.slack.deliver("slash_commands", dict(command("weekly")), "env-1")
        await bot.turns.idle()
        posted = bot.slack.posts[1]
        await bot.slack.deliver("interactive", press(posted, buttons(posted.blocks)[0]), "env-2")
        await bot.turns.idle()
    assert ack["payload"]["response_type"] == "ephemeral"
    (case,) = bot.investigations.cases[f"slack:{TEAM}:{posted.channel}:{posted.ts}"]
    assert case.cluster == "0000-0"
    assert bot.words(posted.ts)[0].startswith("Investigation of")


async def test_a_connection_that_slack_wants_replaced_is_listened_to_until_the_new_one_stands(bot: Bot) -> None:
    async with connected(bot.config, bot.app):
        await ask(bot, "before")
        await bot.slack.ask_to_reconnect()
        assert bot.slack.links == [True, True]
        await ask(bot, "on the old one", line=-2)
        await ask(bot, "on the new one")
        assert len(bot.slack.called("apps.connections.open")) == 2
    assert bot.slack.links == [False, False]


async def test_of_too_many_connections_the_old_one_is_ended(bot: Bot) -> None:
    async with connected(bot.config, bot.app):
        await bot.slack.ask_to_reconnect("too_many_websockets")
        await ask(bot, "on the new one")
        async with asyncio.timeout(40):
            while bot.slack.links != [False, True]:
                await asyncio.sleep(0.005)


async def test_a_lost_connection_is_made_anew_however_often_slack_refuses_it_at_first(bot: Bot) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with connected(bot.config, bot.app, sleep=sleep):
        bot.slack.fail("apps.connections.open", Scripted(500, "internal_error"), *[Scripted(503, html=True)] * 6)
        await bot.slack.hang_up()
        await bot.slack.until(lambda: len(bot.slack.links) == 2)
        await ask(bot, "are you there again?")
    assert pauses[0] == 0
    assert 15 <= pauses[-1] <= 30


async def ask(bot: Bot, text: str, line: int = -1) -> Post:
    """A mention that is delivered, acknowledged and answered."""
    post = bot.slack.said(f"<@{BOT}> {text}")
    await bot.slack.deliver("events_api", mention(post), f"env-{text}", line=line)
    await bot.turns.idle()
    assert text in bot.words(post.ts)[0]
    return post


@dataclass
class Taken:
    """What was taken in, as the store would tell."""

    last: str
    threads: list[str] = field(default_factory=list)

    async def newest(self, surface: str) -> str:
        assert surface == "slack"
        return self.last

    async def lately(self, surface: str, most: int) -> Sequence[str]:
        return self.threads[:most]


def catch_up(bot: Bot, *known: Post, last: str = "") -> CatchUp:
    """Looks for what was said behind the last of the known threads' roots, which was answered."""
    threads = [str(Place(TEAM, post.channel, post.ts)) for post in known]
    taken = Taken(last or max((post.ts for post in known), default=""), threads)
    return CatchUp(web_client(bot.config), bot.app, taken, TEAM, BOT, lambda: float(bot.slack.said("now").ts))


async def test_what_was_said_while_there_was_no_connection_is_answered_once(bot: Bot) -> None:
    alone = bot.slack.said("fleet?", channel="D0DIRECT")
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    for post, kind in ((alone, message), (root, mention)):
        await bot.door.event(kind(post))
    await bot.turns.idle()
    async with connected(bot.config, bot.app, catch_up=catch_up(bot, alone, root)):
        reply = bot.slack.said("and its disks?", thread_ts=root.ts)
        fresh = bot.slack.said(f"<@{BOT}> and prod-1?")
        private = bot.slack.said("and the alerts?", channel="D0DIRECT")
        bot.slack.said("lunch?")
        bot.slack.said(f"<@{BOT}> hello", channel="C0OTHER")
        await bot.slack.hang_up()
        await bot.slack.until(lambda: all(bot.slack.thread(post.ts) for post in (fresh, private)))
        await bot.slack.until(lambda: len(bot.slack.thread(root.ts)) == 2)
        await bot.slack.deliver("events_api", message(reply), "late")
        await bot.turns.idle()
    assert ["how is prod-0?" in bot.words(root.ts)[0], "and its disks?" in bot.words(root.ts)[1]] == [True, True]
    assert [len(bot.words(post.ts)) for post in (alone, root, fresh, private)] == [1, 2, 1, 1]
    assert len(bot.slack.posts) == 5


async def test_what_was_said_before_the_start_is_answered_too_but_not_what_is_long_past(bot: Bot) -> None:
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.turns.idle()
    stale = bot.slack.said(f"<@{BOT}> long ago")
    bot.slack.wait(LONGEST)
    missed = bot.slack.said(f"<@{BOT}> and now?")
    async with connected(bot.config, bot.app, catch_up=catch_up(bot, root)):
        await bot.slack.until(lambda: bool(bot.slack.thread(missed.ts)))
        await bot.turns.idle()
    assert bot.words(stale.ts) == []


async def test_without_leave_to_read_a_channel_the_others_are_looked_through(bot: Bot) -> None:
    root, elsewhere = (bot.slack.said(f"<@{BOT}> fleet?", channel=channel) for channel in ("C0OPS", "C0OTHER"))
    for post in (root, elsewhere):
        await bot.door.event(mention(post))
    await bot.turns.idle()
    missed = bot.slack.said(f"<@{BOT}> and prod-1?", channel="C0OTHER")
    bot.slack.fail("conversations.history", Scripted(200, "not_in_channel"))
    async with connected(bot.config, bot.app, catch_up=catch_up(bot, root, elsewhere)):
        await bot.slack.until(lambda: bool(bot.slack.thread(missed.ts)))
        await bot.turns.idle()


async def test_a_slack_that_does_not_let_us_look_does_not_end_the_connection(bot: Bot) -> None:
    root = bot.slack.said(f"<@{BOT}> fleet?")
    await bot.door.event(mention(root))
    await bot.turns.idle()
    bot.slack.fail("conversations.history", Scripted(200, "internal_error"))
    async with connected(bot.config, bot.app, catch_up=catch_up(bot, root)):
        await bot.slack.until(lambda: bool(bot.slack.called("conversations.history")))
        await ask(bot, "are you there?")


async def test_a_connection_that_died_without_a_word_is_noticed_by_its_silence(bot: Bot) -> None:
    root = await first(bot)
    address = urlsplit(bot.slack.base_url)
    async with network(str(address.hostname), int(address.port or 0)) as way:
        bot.slack.base_url = f"http://127.0.0.1:{way.port}/api/"  # where the next connection leads
        async with connected(bot.config, bot.app, ping_seconds=on_this_machine(0.05), catch_up=catch_up(bot, root)):
            await bot.slack.until(lambda: bot.slack.links == [True])
            way.weather = Weather(silent=True)
            swallowed = bot.slack.said(f"<@{BOT}> and prod-1?")
            with pytest.raises(TimeoutError):
                await bot.slack.deliver("events_api", mention(swallowed), "env-1", seconds=0.2)
            way.weather = FAIR
            await bot.slack.until(lambda: bool(bot.slack.thread(swallowed.ts)))
            await bot.turns.idle()
    assert len(bot.words(swallowed.ts)) == 1
    # a ping, half of its time for an answer, and as much for the next connection
    assert PING * 1.5 * 2 <= 30


async def first(bot: Bot) -> Post:
    """A thread that we take part in."""
    root = bot.slack.said(f"<@{BOT}> how is prod-0?")
    await bot.door.event(mention(root))
    await bot.turns.idle()
    return root


async def test_a_process_that_stops_takes_nothing_more_in_and_acknowledges_what_it_took(bot: Bot) -> None:
    async with connected(bot.config, bot.app) as connection:
        post = await ask(bot, "before")
        await connection.close()
        assert bot.slack.links == [False]
    assert bot.slack.acks == [{"envelope_id": "env-before"}]
    assert len(bot.words(post.ts)) == 1


async def test_an_event_that_cannot_be_admitted_is_not_acknowledged(bot: Bot) -> None:
    await bot.turns.close(0)
    async with connected(bot.config, bot.app):
        refused = bot.slack.said(f"<@{BOT}> hello")
        with pytest.raises(TimeoutError):
            await bot.slack.deliver("events_api", mention(refused), "env-1", seconds=0.2)
    assert bot.slack.acks == []


async def test_an_event_that_comes_while_slack_does_not_say_who_we_are_is_left_to_be_delivered_again(bot: Bot) -> None:
    bot.slack.fail("auth.test", Scripted(500, "internal_error"))
    post = bot.slack.said(f"<@{BOT}> hello")
    refused = await bot.door.event(mention(post))
    taken = await bot.door.event(mention(post))
    await bot.turns.idle()
    assert (refused.status_code, taken.status_code) == (500, 200)
    assert len(bot.words(post.ts)) == 1


async def test_a_start_without_a_right_app_token_names_the_setting(bot: Bot) -> None:
    wrong = [(None, "is missing"), (SecretStr(BOT_TOKEN), "not_allowed_token_type"), (SecretStr("x"), "invalid_auth")]
    for token, reason in wrong:
        with pytest.raises(SettingsError, match=f"SLACK_APP_TOKEN: .*{reason}"):
            async with connected(replace(bot.config, app_token=token), bot.app):
                pytest.fail("connected without a token")


async def test_the_app_token_never_shows(bot: Bot) -> None:
    assert "xapp-" not in repr(bot.config)
    assert "xoxb-" not in repr(bot.config)
