"""DuckDB's result types and values as StarRocks sends them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sandbox.wire.values import Column, Kind, Row, Scalar

_KINDS = {
    "boolean": Kind.TINY,
    "tinyint": Kind.TINY,
    "utinyint": Kind.SHORT,
    "smallint": Kind.SHORT,
    "usmallint": Kind.LONG,
    "integer": Kind.LONG,
    "uinteger": Kind.LONGLONG,
    "bigint": Kind.LONGLONG,
    # sums of integers are HUGEINT in DuckDB and BIGINT in StarRocks
    "hugeint": Kind.LONGLONG,
    "ubigint": Kind.LONGLONG,
    "float": Kind.FLOAT,
    "double": Kind.DOUBLE,
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "timestamp": Kind.DATETIME,
    "timestamp_s": Kind.DATETIME,
    "timestamp_ms": Kind.DATETIME,
    "timestamp_ns": Kind.DATETIME,
    "blob": Kind.BLOB,
    '"null"': Kind.NULL,
}
_STARROCKS = {
    Kind.TINY: "tinyint",
    Kind.SHORT: "smallint",
    Kind.LONG: "int",
    Kind.LONGLONG: "bigint",
    Kind.FLOAT: "float",
    Kind.DOUBLE: "double",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.BLOB: "varbinary",
}


def columns(description: Sequence[tuple[Any, ...]]) -> tuple[Column, ...]:
    """The wire columns of a cursor's description."""
    return tuple(_column(str(entry[0]), str(entry[1])) for entry in description)


def type_name(duck_type: str) -> str:
    """The StarRocks type of a DuckDB type, for the columns of views."""
    if duck_type.upper().startswith("DECIMAL"):
        return duck_type.lower()
    if duck_type.upper() == "JSON":
        return "json"
    if duck_type.upper() == "BOOLEAN":
        return "boolean"
    return _STARROCKS.get(_column("", duck_type).kind, "varchar(65533)")


def kind_of(starrocks_type: str) -> Kind:
    """The wire type of a StarRocks type such as `varchar(32)`."""
    base = starrocks_type.partition("(")[0].strip().lower()
    names = {"datetime": "timestamp", "int": "integer", "largeint": "hugeint", "varbinary": "blob"}
    return _KINDS.get(names.get(base, base), Kind.VAR_STRING)


def rows(batch: Sequence[tuple[Any, ...]], kinds: Sequence[Column]) -> Sequence[Row]:
    """The rows of a batch with every value in a form that the wire knows."""
    convert = [_CONVERTERS.get(column.kind, _text) for column in kinds]
    return [tuple(None if v is None else c(v) for v, c in zip(row, convert, strict=True)) for row in batch]


def _column(name: str, duck_type: str) -> Column:
    base = duck_type.partition("(")[0].strip().lower()
    # StarRocks sends nested values as JSON text; the wire has no type for them.
    if duck_type.endswith("]") or base in ("map", "struct"):
        return Column(name, Kind.STRING)
    kind = _KINDS.get(base, Kind.STRING if base == "json" else Kind.VAR_STRING)
    scale = int(duck_type.rstrip(")").rpartition(",")[2]) if kind is Kind.DECIMAL else 0
    return Column(name, kind, scale)


def _same(value: Any) -> Scalar:
    scalar: Scalar = value
    return scalar


def _finite(value: float) -> Scalar:
    # StarRocks has neither NaN nor infinity in results: both come out as NULL
    return value if math.isfinite(value) else None


def _text(value: Any) -> Scalar:
    if isinstance(value, str | bytes):
        return value
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=_json, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _json(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


_CONVERTERS: dict[Kind, Callable[[Any], Scalar]] = {
    **dict.fromkeys((*_STARROCKS, Kind.DECIMAL, Kind.NULL), _same),
    Kind.FLOAT: _finite,
    Kind.DOUBLE: _finite,
}
