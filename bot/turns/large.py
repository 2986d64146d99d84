"""Large results of steps: kept once in the store, so that a checkpoint holds a short handle in their place."""

import json
from typing import Protocol

from agent.journal import Json

LARGE = 4_000
"""Characters of JSON beyond which a result is kept apart."""
_HANDLE = "starwatch:blob"


class Blobs(Protocol):
    """Keeps values of plain JSON under handles."""

    async def put(self, value: Json) -> str:
        """The handle of a value, which is stored unless it was already."""
        ...

    async def get(self, handle: str) -> Json:
        """The value. Raises LookupError when it is kept no longer."""
        ...


async def stand_in(value: Json, blobs: Blobs) -> Json:
    """What a checkpoint is to hold of a result: the result itself, or the handle of a large one."""
    if len(json.dumps(value)) <= LARGE:
        return value
    return {_HANDLE: await blobs.put(value)}


async def whole(written: Json, blobs: Blobs) -> Json:
    """The result that a checkpoint stands for. Raises LookupError when it was forgotten."""
    if isinstance(written, dict) and set(written) == {_HANDLE}:
        return await blobs.get(written[_HANDLE])
    return written
