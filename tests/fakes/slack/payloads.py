"""What Slack sends: the shapes of real payloads, with only the parts that differ between tests as arguments."""

import json
from typing import Any

from tests.fakes.slack.server import BOT, TEAM, Post

USER = "U0ANNA"


def event(inner: dict[str, Any], event_id: str = "Ev01", **outer: Any) -> dict[str, Any]:
    """An event in its envelope."""
    authorization = {
        "enterprise_id": None,
        "team_id": TEAM,
        "user_id": BOT,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "unused",
        "team_id": TEAM,
        "api_app_id": "A0APP",
        "type": "event_callback",
        "event_id": event_id,
        "event_time": 1_766_000_000,
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event": inner,
        **outer,
    }


def mention(post: Post, event_id: str = "Ev01", **more: Any) -> dict[str, Any]:
    """Somebody mentioned the bot in `post`."""
    return event(_said("app_mention", post) | more, event_id)


def message(post: Post, event_id: str = "Ev02", **more: Any) -> dict[str, Any]:
    """`post` as the message event that every post in a channel raises."""
    kind = "im" if post.channel.startswith("D") else "channel"
    return event(_said("message", post) | {"channel_type": kind} | more, event_id)


def command(text: str, channel: str = "C0OPS", trigger_id: str = "13345.67890.abc", **more: str) -> dict[str, str]:
    """`/patrol text` typed in a channel."""
    names = {"team_domain": "ops", "channel_name": "ops", "user_name": "anna", "api_app_id": "A0APP"}
    form = {"command": "/patrol", "text": text, "channel_id": channel, "user_id": USER, "team_id": TEAM}
    return form | names | {"trigger_id": trigger_id, "response_url": "http://127.0.0.1:9/unused"} | more


def press(post: Post, element: dict[str, Any], action_ts: str = "1766000099.1", team: str = TEAM) -> dict[str, Any]:
    """Somebody pressed a button of `post`."""
    carrier = {"ts": post.ts, "text": post.text} | ({"thread_ts": post.thread_ts} if post.thread_ts else {})
    return {
        "type": "block_actions",
        "user": {"id": USER, "username": "anna", "team_id": team},
        "api_app_id": "A0APP",
        "team": {"id": TEAM, "domain": "ops"},
        "channel": {"id": post.channel, "name": "ops"},
        "container": {"type": "message", "message_ts": post.ts, "channel_id": post.channel},
        "message": carrier,
        "trigger_id": "13345.67890.def",
        "actions": [element | {"block_id": "b1", "action_ts": action_ts}],
    }


def form(payload: dict[str, Any]) -> dict[str, str]:
    """An interaction as it travels over HTTP."""
    return {"payload": json.dumps(payload)}


def _said(kind: str, post: Post) -> dict[str, Any]:
    said = {"type": kind, "user": USER, "team": TEAM, "user_team": TEAM, "text": post.text, "ts": post.ts}
    said |= {"channel": post.channel, "event_ts": post.ts, "blocks": []}
    return said | ({"thread_ts": post.thread_ts} if post.thread_ts else {})


def pointed(post: Post, attachments: list[dict[str, Any]] | None = None, team: str = TEAM) -> dict[str, Any]:
    """Somebody chose our shortcut in the menu of `post`."""
    said = {"type": "message", "ts": post.ts, "text": post.text, "attachments": attachments or []}
    return {
        "type": "message_action",
        "callback_id": "look_into",
        "trigger_id": "13345.67890.ghi",
        "action_ts": "1766000099.5",
        "team": {"id": TEAM, "domain": "ops"},
        "user": {"id": USER, "name": "anna", "team_id": team},
        "channel": {"id": post.channel, "name": "ops"},
        "message_ts": post.ts,
        "message": said | ({"thread_ts": post.thread_ts} if post.thread_ts else {}),
        "response_url": "http://127.0.0.1:9/unused",
    }
