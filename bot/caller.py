"""Who a call of the tools is made for, in the words of the door: read from the place where somebody spoke."""

from mcp_server.principal import Caller, Principal

PATROL = Caller(Principal("patrol"))
"""The patrol looks at the whole fleet, whoever asked for it."""


def caller_in(place: str, user: str) -> Caller:
    """The user in a channel (`slack:T:C`, a bare Slack id) or thread (`slack:T:C:ts`, `terminal:a1b2c3`)."""
    surface, _, rest = place.partition(":") if ":" in place else ("slack", "", f":{place}")
    parts = rest.split(":")
    # A console has one reader; what stands behind its name is no channel.
    channel = "" if surface == "terminal" else parts[1] if len(parts) > 1 else parts[0]
    return Caller(Principal(surface, channel, user), place)


def told(caller: Caller) -> dict[str, str]:
    """The caller as it travels with a call."""
    who = caller.principal
    return {"surface": who.surface, "channel": who.channel, "user": who.user, "thread": caller.thread}
