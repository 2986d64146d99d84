"""Slack's payloads as events: pure, and None for everything that is not a person asking us something."""

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from bot.slack.place import Place
from handlers.buttons import HOME, OUTSIDE, WELCOME
from handlers.commands import is_stop
from handlers.look import question_about
from handlers.markdown import excerpt
from handlers.surface import Control, Deleted, Edited, PatrolRequest, Press, Question, Stop

Payload = Mapping[str, Any]

LONGEST_QUESTION = 12_000
"""Characters of a message that are read; the rest is left out, and the question says so."""

SPOKEN = {None, "file_share", "thread_broadcast"}
"""Subtypes of messages that somebody wrote just now; edits, deletions, joins and the like carry another one."""

_NUMBER = re.compile(r":\d+$")
"""Behind an action id where the same action stands twice in a row of buttons."""

_TOKEN = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")


def mention(body: Payload, bot_user: str, *, shared_channels: bool = False) -> Question | None:
    """A post that mentions us."""
    return _question(body, bot_user) if _spoken_by_member(body, shared_channels) else None


def message(body: Payload, bot_user: str, *, shared_channels: bool = False) -> Question | None:
    """A post in a direct conversation, or a reply in a thread. One that mentions us in a channel is left to the
    mention event, which Slack sends for the same post. Whether a thread is ours is for the caller to find out."""
    event = body["event"]
    if not _spoken_by_member(body, shared_channels):
        return None
    direct = event.get("channel_type") == "im"
    # Both events come for a mention in a thread; answering each would answer twice.
    if not direct and ("thread_ts" not in event or f"<@{bot_user}" in event.get("text", "")):
        return None
    return _question(body, bot_user)


def stop(question: Question) -> Stop | None:
    """The question as a wish to stop, if it is one."""
    if not is_stop(question.text):
        return None
    return Stop(question.key, question.thread, question.user, question.direct)


def correction(body: Payload, bot_user: str) -> Control | None:
    """Somebody changed or deleted a message of theirs."""
    event, team = body["event"], body["team_id"]
    if event.get("subtype") == "message_changed":
        said, before = event.get("message", {}), event.get("previous_message", {})
        # Slack also tells of links unfolded and threads grown
        if said.get("bot_id") or not said.get("user") or "ts" not in said or said.get("text") == before.get("text"):
            return None
        place = Place(team, event["channel"], said["ts"])
        thread = Place(team, event["channel"], said.get("thread_ts") or said["ts"])
        return Edited(str(place), str(thread), said["user"], words(said.get("text", ""), bot_user) or "help")
    if event.get("subtype") == "message_deleted" and "deleted_ts" in event:
        before = event.get("previous_message", {})
        place = Place(team, event["channel"], event["deleted_ts"])
        thread = Place(team, event["channel"], before.get("thread_ts") or event["deleted_ts"])
        return None if before.get("bot_id") else Deleted(str(place), str(thread), before.get("user", ""))
    return None


def direct(body: Payload) -> bool:
    """Whether a message event comes from a conversation with us alone."""
    return bool(body["event"].get("channel_type") == "im")


def patrol(body: Payload) -> PatrolRequest:
    """A `/patrol` command."""
    channel = Place(body["team_id"], body["channel_id"])
    key = f"slack:command:{body['team_id']}:{body['trigger_id']}"
    return PatrolRequest(key, str(channel), body["user_id"], excerpt(unescape(body.get("text", "")), 200))


def press(body: Payload) -> Press | None:
    """A pressed button or a choice from a menu, in a message or on our Home tab; None for a member of another
    company, who sees our buttons in a shared channel."""
    team, user, action = body["team"]["id"], body["user"], body["actions"][0]
    if user.get("team_id", team) != team:
        return None
    carrier = body.get("message")
    channel = body["channel"]["id"] if carrier else user["id"]
    message = str(Place(team, channel, carrier["ts"])) if carrier else ""
    # on the Home tab there is no thread: what is to be said is said to this person alone
    thread = Place(team, channel, carrier.get("thread_ts") or carrier["ts"]) if carrier else Place(team, channel)
    return Press(
        key=f"slack:action:{team}:{channel}:{carrier['ts'] if carrier else ''}:{action['action_ts']}",
        action=_NUMBER.sub("", action["action_id"]),
        value=_chosen(action),
        user=user["id"],
        thread=str(thread),
        message=message,
        trigger=body.get("trigger_id", ""),
        order=action["action_ts"],
    )


def shortcut(body: Payload) -> Question | None:
    """Somebody pointed at a message and chose to have it looked into; answered in that message's thread."""
    team, user, said = body["team"]["id"], body["user"], body["message"]
    if user.get("team_id", team) != team:
        return None
    channel = body["channel"]["id"]
    thread = Place(team, channel, said.get("thread_ts") or said["ts"])
    key = f"slack:shortcut:{team}:{channel}:{said['ts']}:{body['action_ts']}"
    text = question_about(words(_whole(said), ""))
    return Question(key, str(thread), user["id"], text, order=body["action_ts"], direct=channel.startswith("D"))


def outside(body: Payload, question: Question) -> Press:
    """The shortcut where we cannot answer, as a press that tells so."""
    return Press(question.key, OUTSIDE, "", question.user, question.thread, "", body["trigger_id"])


def _whole(message: Payload) -> str:
    """The words of a message and of what hangs under it, which is where alerts of other programs have theirs."""
    hanging = [one.get("text") or one.get("fallback") or "" for one in message.get("attachments") or ()]
    return "\n".join(filter(None, (message.get("text", ""), *hanging)))


def submission(body: Payload) -> Press | None:
    """A dialog of ours that was sent; None for one that is none of ours."""
    team, user, view = body["team"]["id"], body["user"], body["view"]
    if user.get("team_id", team) != team:
        return None
    try:
        told = json.loads(view.get("private_metadata") or "{}")
        value, thread, message = told["value"], told["thread"], told["message"]
    except (ValueError, KeyError, TypeError):
        return None
    entered = {name: _chosen(one) for fields in view["state"]["values"].values() for name, one in fields.items()}
    key = f"slack:view:{team}:{view['id']}:{view.get('hash', '')}"
    trigger = body.get("trigger_id", "")
    return Press(key, view["callback_id"], value, user["id"], thread, message, trigger, entered)


def opened(body: Payload) -> Press | None:
    """Somebody opened our Home tab, or the conversation with us alone."""
    event, team = body["event"], body["team_id"]
    match event.get("tab"):
        case "home":
            action, place = HOME, Place(team, event["user"])
        case "messages":
            action, place = WELCOME, Place(team, event["channel"])
        case _:
            return None
    return Press(f"slack:{action}:{body['event_id']}", action, "", event["user"], str(place), "")


def halted(body: Payload) -> Stop:
    """Somebody pressed Slack's own stop button in a thread."""
    event = body["event"]
    thread = Place(body["team_id"], event["channel"], event["thread_ts"])
    return Stop(f"slack:halted:{body['event_id']}", str(thread), event["user"])


def _chosen(element: Payload) -> str:
    """What stands in a button, was chosen from a menu or typed into a field; of a person the id."""
    if (option := element.get("selected_option")) is not None:
        return str(option["value"])
    return str(element.get("selected_user") or element.get("value") or "")


def words(text: str, bot_user: str) -> str:
    """What somebody typed, read back from Slack's form: our own mention gone, links and names as they are shown."""

    def shown(found: re.Match[str]) -> str:
        target, label = found[1], found[2]
        if bot_user and target.startswith(f"@{bot_user}"):
            return ""
        if target.startswith(("@", "#", "!")):
            return f"{target[0].replace('!', '@')}{label or target[1:]}"
        return target.removeprefix("mailto:") if not label or label in target else f"{label} ({target})"

    read = unescape(_TOKEN.sub(shown, text)).strip()
    return read if len(read) <= LONGEST_QUESTION else f"{read[:LONGEST_QUESTION]} […the message goes on]"


def _spoken_by_member(body: Payload, shared_channels: bool) -> bool:
    """Whether a person of our own workspace wrote it, in a channel that is not shared with another company."""
    event = body["event"]
    if event.get("subtype") not in SPOKEN or event.get("bot_id") or not event.get("user"):
        return False
    if shared_channels:
        return True
    # Absent means our own: Slack names the team only where it could be another.
    teams = {event.get(key) or body["team_id"] for key in ("user_team", "source_team")}
    return teams == {body["team_id"]} and not body.get("is_ext_shared_channel")


def _question(body: Payload, bot_user: str) -> Question:
    event, team = body["event"], body["team_id"]
    thread = Place(team, event["channel"], event.get("thread_ts") or event["ts"])
    text = words(event.get("text", ""), bot_user) or "help"
    key = str(Place(team, event["channel"], event["ts"]))
    # a mention does not say what kind of channel it comes from
    alone = event["channel"].startswith("D")
    return Question(key, str(thread), event["user"], text, order=event["ts"], direct=alone)
