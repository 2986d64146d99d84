"""Who a call of the tools is made for, in the words of the door: read from the place where somebody spoke."""

from bot.platforms import platform_of
from mcp_server.principal import Caller, Principal

PATROL = Caller(Principal("patrol"))
"""The patrol looks at the whole fleet, whoever asked for it."""

_CONSOLE = "terminal"


def caller_in(thread: str, user: str) -> Caller:
    """The user in a thread: `slack:T:C:ts`, `terminal:a1b2c3`, or a name that was given to `starwatch ask --thread`."""
    surface, colon, rest = thread.partition(":")
    if not colon or surface == _CONSOLE:
        return Caller(Principal(_CONSOLE, "", user), thread)
    return Caller(Principal(surface, _channel(rest), user), thread)


def reader_in(place: str, user: str) -> Principal:
    """The user who reads a channel: `slack:T:C`, `lark:A:C`, or the bare id of one."""
    return caller_in(place if ":" in place else f"{platform_of(place)}::{place}", user).principal


def told(caller: Caller) -> dict[str, str]:
    """The caller as it travels with a call."""
    who = caller.principal
    return {"surface": who.surface, "channel": who.channel, "user": who.user, "thread": caller.thread}


def _channel(rest: str) -> str:
    """The second of `TEAM:CHANNEL…`, or all there is."""
    parts = rest.split(":")
    return parts[1] if len(parts) > 1 else parts[0]
