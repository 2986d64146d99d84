"""Where something is said on Slack, as the one string that the rest of the process passes around."""

from dataclasses import dataclass

PREFIX = "slack"


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, or with `ts` a thread in it. `team` is empty when only a channel id was given."""

    team: str
    channel: str
    ts: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (PREFIX, self.team, self.channel, self.ts) if part)


def parse(text: str) -> Place:
    """`slack:TEAM:CHANNEL:TS`, `slack:TEAM:CHANNEL` or a bare channel id. Raises ValueError for anything else."""
    parts = text.split(":")
    if not all(parts):
        raise ValueError("not a place on Slack")
    match parts:
        case [channel]:
            return Place("", channel)
        case ["slack", team, channel]:
            return Place(team, channel)
        case ["slack", team, channel, ts]:
            return Place(team, channel, ts)
        case _:
            raise ValueError("not a place on Slack")
