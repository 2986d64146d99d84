"""What the sentinel remembers from look to look, over restarts and replicas."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.patrol.sentinel import Watched
from bot.clock import Now
from bot.store.database import Database
from bot.store.tables import SentinelRow

_NAME = "fleet"
"""The one row that there is: all replicas look at the same fleet."""


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it. `clusters` is None before the first look; `opened` investigations were begun on `day` (ISO, UTC)."""

    clusters: dict[str, Watched] | None = None
    day: str = ""
    opened: int = 0


_MEMORY: TypeAdapter[Memory] = TypeAdapter(Memory)


class SentinelMemory:
    """Keeps the memory in a row of its own. What writes raises StoreUnwritable, what reads StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def load(self) -> Memory:
        """What was kept last; an empty one when there is nothing, or nothing that can be read any more."""
        async with self._database.reading() as session:
            row = await session.get(SentinelRow, _NAME)
        if row is None:
            return Memory()
        try:
            return _MEMORY.validate_python(row.body)
        except ValidationError:
            # one look to learn again is better than a sentinel that never looks
            return Memory()

    async def keep(self, memory: Memory) -> None:
        """Keep this in place of what was before."""
        body: Any = _MEMORY.dump_python(memory, mode="json")
        async with self._database.writing() as session:
            await session.merge(SentinelRow(name=_NAME, body=body, changed_at=self._now()))
