"""The rules of who may ask, where and how much, made from the settings; and whose purses an event goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.settings import Settings
from bot.store import Payer, Usage
from bot.store.usage import Scope
from handlers.purse import Thrift
from handlers.surface import Event, PatrolRequest

BY_RULES = 0.95
"""Share of a limit from which on only the rules-only analyst works: the rest is for what is under way already."""


class Role(StrEnum):
    """What somebody is in the workspace."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    NOBODY = "nobody"


class Roles(Protocol):
    """Knows people."""

    async def of(self, user: str) -> Role:
        """The role of a person, as the surface names them. Raises SurfaceError when it cannot be found out."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules. An empty list lets everybody of an allowed role in. A limit of 0 is none: `limits` are per day,
    `bursts` are turns per minute. `thrifty` is the share of a limit of tokens or money from which on turns get cheaper;
    `cheaper` says whether there is a cheaper model."""

    teams: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset({Role.MEMBER})
    limits: Mapping[Scope, Usage] = field(default_factory=dict)
    bursts: Mapping[Scope, int] = field(default_factory=dict)
    thrifty: float = 0.8
    cheaper: bool = False

    def lists(self, user: str) -> bool:
        """Whether a person is on the list of people, or there is none."""
        return not self.users or user in self.users

    def covers(self, place: str, *, direct: bool = False) -> bool:
        """Whether a thread or channel is one to answer in; a conversation with us alone counts as listed."""
        _, team, channel = [*place.split(":"), "", ""][:3]
        if self.teams and team not in self.teams:
            return False
        return not self.channels or channel in self.channels or direct

    def thrift(self, share: float) -> Thrift:
        """How to save when so much of a limit is used."""
        if share < min(self.thrifty, BY_RULES):
            return ""
        return "cheaper" if self.cheaper and share < BY_RULES else "rules"


def admission(settings: Settings) -> Admission:
    """The rules out of the settings."""
    return Admission(
        teams=_names(settings.teams),
        channels=_names(settings.channels),
        users=_names(settings.users),
        roles=frozenset(Role(name) for name in _names(settings.roles)),
        limits={
            "user": _limit(settings.user_turns_per_day, settings.user_tokens_per_day, settings.user_dollars_per_day),
            "channel": _limit(
                settings.channel_turns_per_day, settings.channel_tokens_per_day, settings.channel_dollars_per_day
            ),
            "workspace": _limit(
                settings.workspace_turns_per_day, settings.workspace_tokens_per_day, settings.workspace_dollars_per_day
            ),
        },
        bursts={"user": settings.user_turns_per_minute, "channel": settings.channel_turns_per_minute},
        thrifty=settings.thrifty_percent / 100,
        cheaper=settings.cheaper_model is not None and settings.uses_claude,
    )


def payers(event: Event) -> list[Payer]:
    """Whose purses an event goes on: the person, the channel and the workspace."""
    surface, team, channel = [*place_of(event).split(":"), "", ""][:3]
    home = f"{surface}:{team}"
    return [
        Payer("user", f"{home}:{event.user}"),
        Payer("channel", f"{home}:{channel}"),
        Payer("workspace", home),
    ]


def place_of(event: Event) -> str:
    """A thread or channel of any surface: `surface:team:channel[:message]`."""
    return event.channel if isinstance(event, PatrolRequest) else event.thread


def _limit(turns: int, tokens: int, dollars: float) -> Usage:
    # a limit below a millionth is still one, while 0 would be none
    return Usage(turns, tokens, max(1, round(dollars * 1_000_000)) if dollars else 0)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
