"""Column kinds and rows as the protocol carries them: text rows for COM_QUERY, binary rows for prepared statements."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sandbox.errors import StatementError
from sandbox.wire.packets import lenint, lenstr

Scalar = None | bool | int | float | decimal.Decimal | str | bytes | dt.datetime | dt.date
Row = Sequence[Scalar]

_BINARY_CHARSET = 63
_UTF8MB4 = 45
# Clients format floats by this number of digits; 31 tells them to keep what they get.
_NO_FIXED_DECIMALS = 31


class Kind(IntEnum):
    """Column types of the protocol that StarRocks uses."""

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    DATE = 10
    TIME = 11
    DATETIME = 12
    BIT = 16
    DECIMAL = 246
    BLOB = 252
    VAR_STRING = 253
    STRING = 254


_WIDTHS = {
    Kind.TINY: 4,
    Kind.SHORT: 6,
    Kind.LONG: 11,
    Kind.LONGLONG: 20,
    Kind.FLOAT: 12,
    Kind.DOUBLE: 22,
    Kind.DATE: 10,
    Kind.DATETIME: 26,
    Kind.DECIMAL: 40,
}
_SHORT = [bytes([length]) for length in range(251)]
_INTEGERS = {Kind.TINY: "<b", Kind.SHORT: "<h", Kind.LONG: "<i", Kind.LONGLONG: "<q"}


@dataclass(frozen=True, slots=True)
class Column:
    """A result column: its name as StarRocks gives it, its type, and for decimals the digits after the point."""

    name: str
    kind: Kind
    scale: int = 0


def definition(column: Column) -> bytes:
    """The column definition packet (protocol 4.1)."""
    text = column.kind in (Kind.VAR_STRING, Kind.STRING)
    floating = column.kind in (Kind.FLOAT, Kind.DOUBLE)
    decimals = _NO_FIXED_DECIMALS if floating else column.scale
    name = lenstr(column.name.encode())
    fixed = struct.pack(
        "<HIBHB",
        _UTF8MB4 if text else _BINARY_CHARSET,
        # Clients size their display by it and never trust it for memory, so texts name a generous one.
        _WIDTHS.get(column.kind, 1 << 20),
        column.kind,
        0,
        decimals,
    )
    return lenstr(b"def") + lenstr(b"") * 3 + name * 2 + b"\x0c" + fixed + b"\0\0"


def text_row(row: Row) -> bytes:
    """One row of the text protocol."""
    parts: list[bytes] = []
    for value in row:
        if value is None:
            parts.append(b"\xfb")
            continue
        plain = _PLAIN.get(type(value), _bytes_of)(value)
        # most values are short: their length is one byte, made once
        parts.append(_SHORT[len(plain)] if len(plain) < 251 else lenint(len(plain)))
        parts.append(plain)
    return b"".join(parts)


def binary_row(row: Row, columns: Sequence[Column]) -> bytes:
    """One row of the binary protocol.

    Raises:
        StatementError: 1264 when an integer does not fit the declared column type.
    """
    # The first two bits of the bitmap are reserved in rows, though not in parameters.
    nulls = bytearray((len(columns) + 9) // 8)
    body: list[bytes] = []
    for index, (value, column) in enumerate(zip(row, columns, strict=True)):
        if value is None:
            nulls[(index + 2) // 8] |= 1 << (index + 2) % 8
        else:
            body.append(_binary(value, column))
    return b"\0" + bytes(nulls) + b"".join(body)


def _plain(value: Scalar) -> bytes:
    return _PLAIN.get(type(value), _bytes_of)(value)


def _bytes_of(value: Any) -> bytes:
    return str(value).encode()


_PLAIN: dict[type, Callable[[Any], bytes]] = {
    bytes: bytes,
    bool: lambda value: b"1" if value else b"0",
    dt.datetime: lambda value: value.isoformat(" ").encode(),
    # str() of a Decimal switches to exponents for small numbers; SQL clients expect digits
    decimal.Decimal: lambda value: format(value, "f").encode(),
}


def _binary(value: Scalar, column: Column) -> bytes:
    layout = _INTEGERS.get(column.kind)
    if layout is not None and isinstance(value, int):
        try:
            return struct.pack(layout, value)
        except struct.error as error:
            raise StatementError(1264, f"Out of range value for column '{column.name}'", "22003") from error
    if column.kind in (Kind.FLOAT, Kind.DOUBLE) and isinstance(value, float):
        return struct.pack("<f" if column.kind is Kind.FLOAT else "<d", value)
    if column.kind is Kind.DATETIME and isinstance(value, dt.datetime):
        moment = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
        return b"\x0b" + struct.pack("<HBBBBBI", *moment)
    if column.kind is Kind.DATE and isinstance(value, dt.date):
        return b"\x04" + struct.pack("<HBB", value.year, value.month, value.day)
    return lenstr(_plain(value))


def row_count(count: int) -> bytes:
    """The packet that opens a result set: its number of columns."""
    return lenint(count)
