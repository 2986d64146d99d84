"""manifest.yml and docs/slack.md say what the code does."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from bot.slack.app import LOOK, build_app
from bot.slack.config import SlackConfig, web_client
from handlers.patrol import COMMANDS
from handlers.surface import Event
from handlers.welcome import QUESTIONS
from handlers.words import say
from tests.fakes.slack.methods import SCOPES, UNSCOPED

ROOT = Path(__file__).parents[3]
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
}


def manifest() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))


async def listeners() -> tuple[list[str], bool, bool]:
    """Event types listened to, whether `/patrol` is, whether buttons are: found out by asking the app's matchers."""

    class Nobody:
        async def knows(self, thread: str) -> bool:
            return False

    async def submit(event: Event) -> None:
        """Takes nothing: the matchers are asked, not the listeners."""

    config = SlackConfig(bot_token=SecretStr("xoxb-unused"))
    app = build_app(config, web_client(config), submit, submit, Nobody())
    names = {listener.ack_function.__name__ for listener in app._async_listeners}
    return sorted(names & {"mention", "message", "opened", "stopped"}), "patrol" in names, "press" in names


async def test_every_subscribed_event_has_a_listener_and_every_listener_an_event() -> None:
    subscribed = manifest()["settings"]["event_subscriptions"]["bot_events"]
    kinds = {"app_mention": "mention", "message": "message"}
    kinds |= {"app_home_opened": "opened", "agent_session_stopped": "stopped"}
    events, has_command, has_buttons = await listeners()
    assert sorted({kinds[name.split(".")[0]] for name in subscribed}) == events
    assert [command["command"] for command in manifest()["features"]["slash_commands"]] == ["/patrol"] * has_command
    assert manifest()["settings"]["interactivity"]["is_enabled"] is has_buttons


def test_the_scopes_are_those_that_events_commands_and_methods_need() -> None:
    subscribed = manifest()["settings"]["event_subscriptions"]["bot_events"]
    needed = {EVENT_SCOPES[name] for name in subscribed if name in EVENT_SCOPES} | set(SCOPES.values()) | {"commands"}
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == needed


def test_the_methods_called_are_those_that_the_stand_in_holds_to_scopes() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot/slack").glob("*.py"))
    families = "agents|chat|assistant|conversations|users|files|reactions|views"
    called = set(re.findall(rf'"((?:{families})\.[a-zA-Z.]+)"', source))
    assert called == set(SCOPES) | UNSCOPED


def test_every_scope_is_justified_in_the_docs() -> None:
    docs = (ROOT / "docs/slack.md").read_text(encoding="utf-8")
    justified = set(re.findall(r"`([a-z_]+(?::[a-z]+)?)`", docs.split("## Why each scope")[1].split("## What")[0]))
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) <= justified


def test_the_hint_of_the_command_names_every_word_of_it() -> None:
    hint = manifest()["features"]["slash_commands"][0]["usage_hint"]
    assert sorted(hint.strip("[]").split(" | ")) == sorted(COMMANDS)


def test_texts_keep_within_slacks_limits() -> None:
    view = manifest()["features"]["agent_view"]
    assert len(view["suggested_prompts"]) <= 4
    assert len(view["agent_description"]) <= 300
    assert len(manifest()["display_information"]["name"]) <= 35
    assert len(manifest()["display_information"]["description"]) <= 140


def test_the_shortcut_is_the_one_that_is_listened_to() -> None:
    (shortcut,) = manifest()["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", LOOK)
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150


def test_the_first_questions_are_those_of_the_catalogue() -> None:
    told = [(one["title"], one["message"]) for one in manifest()["features"]["agent_view"]["suggested_prompts"]]
    assert told == [(say("en", f"prompt.{key}.title"), say("en", f"prompt.{key}.question")) for key in QUESTIONS]
