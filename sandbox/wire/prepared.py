"""Prepared statements: parameters of the binary protocol become literals in the statement's text."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sandbox.errors import ProtocolError, StatementError
from sandbox.wire.packets import MAX_PACKET, Payload
from sandbox.wire.values import Kind

MAX_PREPARED = 256
"""Statements one connection may hold prepared."""
_UNSIGNED = 0x8000
_INTEGER_WIDTHS = {Kind.TINY: 1, Kind.SHORT: 2, Kind.LONG: 4, Kind.LONGLONG: 8}
_MOMENTS = {Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The statement's text around its parameters, and the parameter types of the last execution."""

    parts: tuple[str, ...]
    types: tuple[int, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of `?` in the statement."""
        return len(self.parts) - 1


@dataclass(slots=True)
class PreparedStatements:
    """The prepared statements of one connection."""

    _statements: dict[int, Prepared] = field(default_factory=dict)
    _long_data: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, parts: Sequence[str]) -> tuple[int, Prepared]:
        """Keep a statement; returns its id.

        Raises:
            StatementError: 1461 when the connection holds too many.
        """
        if len(self._statements) >= MAX_PREPARED:
            raise StatementError(1461, f"Can't create more than {MAX_PREPARED} prepared statements", "42000")
        self._last_id += 1
        self._statements[self._last_id] = prepared = Prepared(tuple(parts))
        return self._last_id, prepared

    def forget(self, statement_id: int) -> None:
        """Drop one statement; unknown ids are ignored, as the protocol wants."""
        self._statements.pop(statement_id, None)
        self._drop_long_data(statement_id)

    def clear(self) -> None:
        """Drop all statements."""
        self._statements.clear()
        self._long_data.clear()

    def append_long_data(self, payload: Payload) -> None:
        """Keep a piece of a parameter that is sent ahead of the execution."""
        key = (payload.integer(4), payload.integer(2))
        piece = payload.rest()
        # The cap is on all pieces of the connection: many parameters of many statements add up as well.
        held = sum(map(len, self._long_data.values()))
        # This command is never answered, so a refusal could only end the connection.
        if key[0] not in self._statements or held + len(piece) > MAX_PACKET:
            raise ProtocolError("parameter data for no statement, or too much of it")
        self._long_data[key] = self._long_data.get(key, b"") + piece

    def bind(self, payload: Payload) -> str:
        """The statement of a COM_STMT_EXECUTE with its parameters written in.

        Raises:
            StatementError: 1243 for an unknown id, 1210 for a parameter type that has no literal.
        """
        statement_id = payload.integer(4)
        # Cursor type and iteration count: there are no server-side cursors here, and the count is always one.
        payload.take(5)
        prepared = self._statements.get(statement_id)
        if prepared is None:
            raise StatementError(1243, f"Unknown prepared statement handler ({statement_id}) given to EXECUTE")
        count = prepared.parameters
        if not count:
            return prepared.parts[0]
        nulls = payload.take((count + 7) // 8)
        # Drivers send the types with the first execution alone and count on our remembering them.
        if payload.integer(1):
            prepared = replace(prepared, types=tuple(payload.integer(2) for _ in range(count)))
            self._statements[statement_id] = prepared
        if len(prepared.types) != count:
            raise ProtocolError("parameter types were never sent")
        literals = [
            # A NULL has its bit and no bytes: reading some would shift every parameter behind it.
            "NULL" if nulls[index // 8] >> (index % 8) & 1 else self._literal(statement_id, index, payload, prepared)
            for index in range(count)
        ]
        self._drop_long_data(statement_id)
        return prepared.parts[0] + "".join(
            literal + part for literal, part in zip(literals, prepared.parts[1:], strict=True)
        )

    def _literal(self, statement_id: int, index: int, payload: Payload, prepared: Prepared) -> str:
        sent_ahead: Mapping[tuple[int, int], bytes] = self._long_data
        piece = sent_ahead.get((statement_id, index))
        return _quoted(piece) if piece is not None else _literal(payload, prepared.types[index])

    def _drop_long_data(self, statement_id: int) -> None:
        for key in [key for key in self._long_data if key[0] == statement_id]:
            del self._long_data[key]


def _literal(payload: Payload, declared: int) -> str:
    kind = declared & 0xFF
    if kind == Kind.NULL:
        return "NULL"
    if kind in _INTEGER_WIDTHS:
        return str(payload.integer(_INTEGER_WIDTHS[Kind(kind)], signed=not declared & _UNSIGNED))
    if kind == Kind.FLOAT:
        return repr(struct.unpack("<f", payload.take(4))[0])
    if kind == Kind.DOUBLE:
        return repr(struct.unpack("<d", payload.take(8))[0])
    if kind in _MOMENTS:
        return _moment(payload.lenstr())
    if kind == Kind.TIME:
        raise StatementError(1210, "Incorrect arguments to EXECUTE: TIME parameters are not supported")
    return _quoted(payload.lenstr())


def _moment(packed: bytes) -> str:
    layout = {0: "", 4: "<HBB", 7: "<HBBBBB", 11: "<HBBBBBI"}.get(len(packed))
    if layout is None:
        raise ProtocolError("a date parameter has a wrong length")
    fields = [*struct.unpack(layout, packed), *[0] * 7][:7] if layout else [0] * 7
    return "'{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}.{:06d}'".format(*fields)


def _quoted(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise StatementError(1210, "Incorrect arguments to EXECUTE: a string is not UTF-8") from error
    # The backslash first: it is what the second step escapes with.
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
