"""Large results of steps: kept once in the store, so that the journal holds a short handle in their place."""

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


async def stand_in(value: Json, blobs: Blobs) -> str:
    """What a journal is to hold of a result, as JSON text: the result itself, or the handle of a large one."""
    text = json.dumps(value)
    return text if len(text) <= LARGE else json.dumps({_HANDLE: await blobs.put(value)})


async def whole(text: str, blobs: Blobs) -> Json:
    """The result that a journal's text stands for. Raises LookupError when it was forgotten."""
    written = json.loads(text)
    if isinstance(written, dict) and set(written) == {_HANDLE}:
        return await blobs.get(written[_HANDLE])
    return written
