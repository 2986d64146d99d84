"""The ways in which a fleet can be judged: by our own rules, or as the reference platform does it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.patrol import reference_look
from agent.patrol.evidence import Evidence
from agent.patrol.inspection import inspect
from agent.patrol.predictions import Statement
from agent.patrol.reference import load_reference
from agent.patrol.rules import Rules
from agent.tools import Tools

ProfileName = Literal["own", "reference"]

Look = Callable[[Tools, datetime, Sequence[Statement]], Awaitable[Evidence]]
"""A look at the whole fleet as of a moment (naive UTC), grading the statements that wait."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to judge: `rules` are its limits in words, one line for each dimension."""

    name: ProfileName
    rules: str
    look: Look


def own(rules: Rules) -> Profile:
    """Judged by `rules`: limits, the cluster's own past, trends and freshness."""

    async def look(tools: Tools, now: datetime, waiting: Sequence[Statement]) -> Evidence:
        return await inspect(tools, rules, now, waiting)

    return Profile("own", rules.describe(), look)


def reference() -> Profile:
    """Judged by the reference platform's numbers alone."""
    rules = load_reference()

    async def look(tools: Tools, now: datetime, waiting: Sequence[Statement]) -> Evidence:
        return await reference_look.look(tools, rules, now, waiting)

    return Profile("reference", rules.describe(), look)


def profile_of(name: ProfileName, rules: Rules) -> Profile:
    """The profile of that name; `rules` are those of our own."""
    return own(rules) if name == "own" else reference()
