"""Rows too long to be held: their cells are read piece by piece, and of each no more is kept than will be shown."""

import struct
from collections.abc import Sequence
from typing import Protocol

from pymysql.constants import CR
from pymysql.err import OperationalError

LONG = 1 << 20
"""Bytes from which a row is read this way."""

_FULL_FRAME = 0xFFFFFF
_ROW_KEPT = 4 << 20
_PIECE = 1 << 16
_NULL = 251
_WIDTHS = {252: 2, 253: 3, 254: 8}

# In UTF-8 every character has exactly one byte that is none of these.
_CONTINUATION = bytes(range(0x80, 0xC0))


class Wire(Protocol):
    """What a long row is read from."""

    async def header(self) -> int:
        """The length of the next frame of the same packet."""
        ...

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes."""
        ...


class Beginning(bytes):
    """The first bytes of a cell; `chars` is how many characters the whole cell had."""

    chars: int


class LongRow:
    """A row that was read already, as the driver takes a row's packet."""

    def __init__(self, cells: Sequence[bytes | None]) -> None:
        self._cells = iter(cells)

    def is_eof_packet(self) -> bool:
        """A row is not the end of a result."""
        return False

    def read_length_coded_string(self) -> bytes | None:
        """The next cell. Raises IndexError after the last, as the driver's own packets do."""
        try:
            return next(self._cells)
        except StopIteration:
            raise IndexError("no more cells") from None


def shown(raw: bytes, limit: int) -> str:
    """The text of a cell, cut to `limit` characters with a note of how many are missing."""
    cut = isinstance(raw, Beginning)
    text = raw.decode("utf-8", "ignore" if cut else "replace")
    chars = raw.chars if isinstance(raw, Beginning) else len(text)
    beginning = text[:limit]
    return beginning if chars <= len(beginning) else f"{beginning}…[+{chars - len(beginning)} chars]"


async def read_long_row(wire: Wire, length: int, keep_chars: int) -> LongRow:
    """The row whose first frame has `length` bytes; of a cell `keep_chars` characters are kept, of all cells 4 MiB."""
    payload = _Payload(wire, length)
    cells: list[bytes | None] = []
    budget = _ROW_KEPT
    while not await payload.ended():
        cell = await _cell(payload, min(keep_chars * 4, budget))
        budget -= len(cell or b"")
        cells.append(cell)
    return LongRow(cells)


async def _cell(payload: "_Payload", keep: int) -> bytes | None:
    mark = (await payload.take(1))[0]
    if mark == _NULL:
        return None
    if mark > max(_WIDTHS):
        raise OperationalError(CR.CR_MALFORMED_PACKET, "a row is malformed")
    left = mark if mark < _NULL else int.from_bytes(await payload.take(_WIDTHS[mark]), "little")
    kept = bytearray()
    chars = 0
    while left:
        piece = await payload.piece(left)
        left -= len(piece)
        chars += len(piece.translate(None, _CONTINUATION))
        kept += piece[: max(0, keep - len(kept))]
    cell = Beginning(kept)
    cell.chars = chars
    return cell


class _Payload:
    """The bytes of one packet across its frames."""

    def __init__(self, wire: Wire, length: int) -> None:
        self._wire = wire
        self._left = length
        self._last = length < _FULL_FRAME

    async def ended(self) -> bool:
        """Whether all is read. A frame that is full is followed by another, if only by an empty one."""
        while not self._left and not self._last:
            self._left = await self._wire.header()
            self._last = self._left < _FULL_FRAME
        return not self._left

    async def piece(self, most: int) -> bytes:
        """At least one byte and at most `most`, as many as come in one frame and one go."""
        if await self.ended():
            raise OperationalError(CR.CR_MALFORMED_PACKET, "a row is shorter than it says")
        count = min(most, self._left, _PIECE)
        self._left -= count
        return await self._wire.exactly(count)

    async def take(self, count: int) -> bytes:
        """Exactly `count` bytes, few of them."""
        taken = b""
        while len(taken) < count:
            taken += await self.piece(count - len(taken))
        return taken


def frame_length(header: bytes) -> tuple[int, int]:
    """Length and sequence number in a frame's four-byte header."""
    low, high, sequence = struct.unpack("<HBB", header)
    return low + (high << 16), sequence
