"""Large values under a short handle, so that a journal of many steps holds each of them once."""

import asyncio
import hashlib
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select

from bot.clock import Now
from bot.store.database import Database
from bot.store.tables import BlobRow


class BlobGone(LookupError):
    """No value is kept under the handle any more, or what is kept is not what was put there."""


class Blobs:
    """Values of plain JSON, compressed. A handle is the hash of its value, so a value is stored once however often
    and by however many processes it is put."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now
        # a thread of its own: other libraries fill the loop's default executor with waiting
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="blobs")

    async def put(self, value: Any) -> str:
        """The handle of a value, stored unless it was already. Raises StoreUnwritable, and TypeError when the value is
        not JSON."""
        loop = asyncio.get_running_loop()
        handle, body = await loop.run_in_executor(self._packer, _packed, value)
        row = {"handle": handle, "used_at": self._now(), "body": body}
        statement = self._database.insert(BlobRow, row).on_conflict_do_update(
            index_elements=[BlobRow.handle], set_={"used_at": row["used_at"]}
        )
        await self._database.write(lambda connection: connection.execute(statement).close(), about=handle)
        return handle

    async def get(self, handle: str) -> Any:
        """The value under a handle. Raises BlobGone, StoreUnreadable."""
        query = select(BlobRow.body).where(BlobRow.handle == handle)
        body = await self._database.read(lambda connection: connection.scalars(query).one_or_none())
        if body is None:
            raise BlobGone(handle)
        return await asyncio.get_running_loop().run_in_executor(self._packer, _unpacked, handle, body)

    def close(self) -> None:
        """End the thread that packs."""
        self._packer.shutdown(wait=False)


def _packed(value: Any) -> tuple[str, bytes]:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return _handle(text), zlib.compress(text, level=3)


def _unpacked(handle: str, body: bytes) -> Any:
    try:
        text = zlib.decompress(body)
    except zlib.error as error:
        raise BlobGone(handle) from error
    if _handle(text) != handle:
        raise BlobGone(handle)
    return json.loads(text)


def _handle(text: bytes) -> str:
    return "b-" + hashlib.blake2b(text, digest_size=20).hexdigest()
