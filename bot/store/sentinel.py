"""What the sentinel remembers from look to look, over restarts and replicas."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.patrol.sentinel import Watched
from bot.clock import Now
from bot.store.blobs import BlobGone, Blobs
from bot.store.database import Database
from bot.store.tables import PatrolRunRow

_NAME = "sentinel"
"""Its row stands beside those of the patrols; no report type has this name."""


@dataclass(frozen=True, slots=True)
class Memory:
    """All of it. `clusters` is None before the first look; `opened` investigations were begun on `day` (ISO, UTC)."""

    clusters: dict[str, Watched] | None = None
    day: str = ""
    opened: int = 0


_MEMORY: TypeAdapter[Memory] = TypeAdapter(Memory)


class SentinelMemory:
    """Keeps the memory as one value, which changes hardly more than once an hour. What writes raises StoreUnwritable,
    what reads StoreUnreadable."""

    def __init__(self, database: Database, blobs: Blobs, now: Now) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now

    async def load(self) -> Memory:
        """What was kept last; an empty one when there is nothing that can be read any more."""
        async with self._database.reading() as session:
            row = await session.get(PatrolRunRow, _NAME)
        if row is None or row.report is None:
            return Memory()
        try:
            return _MEMORY.validate_python(await self._blobs.get(row.report))
        except (BlobGone, ValidationError):
            # one look to learn again is better than a sentinel that never looks
            return Memory()

    async def keep(self, memory: Memory) -> None:
        """Keep this in place of what was before."""
        body: Any = _MEMORY.dump_python(memory, mode="json")
        handle = await self._blobs.put(body)
        async with self._database.writing() as session:
            await session.merge(PatrolRunRow(report_type=_NAME, holder="", beat_at=self._now(), report=handle))
