"""The journal of one turn: what was done once is written down under its name and not done again after a crash."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

Json = Any
"""A value of plain JSON: what a step gives back must survive being written down and read again."""

Work = Callable[[], Awaitable[Json]]


class Journal(Protocol):
    """What the loop and the handlers need of whoever makes a turn durable. Step names are unique within a turn, and
    steps begin in the same order whenever the turn is repeated."""

    async def step(self, name: str, work: Work) -> Json:
        """The result of `work`, or the one written down under this name when the turn was here before. Work that
        raises is not done: what it raises is passed on."""
        ...

    async def heard(self, name: str) -> Sequence[str]:
        """What people said in the thread since the last call, oldest first: this turn answers it, no other will."""
        ...


class Unwritten:
    """A journal that keeps nothing: for commands and tests, whose turns end with the process."""

    async def step(self, name: str, work: Work) -> Json:
        """Always does the work."""
        return await work()

    async def heard(self, name: str) -> Sequence[str]:
        """Nothing: there is no queue to hear from."""
        return ()


class Chapter:
    """A part of a turn whose step names must not meet those of another part: a second loop of the same turn."""

    def __init__(self, journal: Journal, title: str) -> None:
        self._journal = journal
        self._title = title

    async def step(self, name: str, work: Work) -> Json:
        """The step, its name behind the chapter's title."""
        return await self._journal.step(f"{self._title}/{name}", work)

    async def heard(self, name: str) -> Sequence[str]:
        """The same, named likewise."""
        return await self._journal.heard(f"{self._title}/{name}")


UNWRITTEN = Unwritten()
