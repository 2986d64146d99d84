"""From the bytes of the MySQL text protocol to JSON scalars, and the type names shown for columns."""

import math
from collections.abc import Callable

from pymysql.constants import FIELD_TYPE

Scalar = str | int | float | None

_TEXT_TYPES = {
    FIELD_TYPE.VAR_STRING: "VARCHAR",
    FIELD_TYPE.VARCHAR: "VARCHAR",
    FIELD_TYPE.STRING: "VARCHAR",
    FIELD_TYPE.JSON: "JSON",
    FIELD_TYPE.BLOB: "VARBINARY",
    FIELD_TYPE.TINY_BLOB: "VARBINARY",
    FIELD_TYPE.MEDIUM_BLOB: "VARBINARY",
    FIELD_TYPE.LONG_BLOB: "VARBINARY",
    FIELD_TYPE.DATE: "DATE",
    FIELD_TYPE.NEWDATE: "DATE",
    FIELD_TYPE.TIME: "TIME",
}
_TIME_TYPES = {FIELD_TYPE.DATETIME: "DATETIME", FIELD_TYPE.TIMESTAMP: "DATETIME"}
_INTEGER_TYPES = {
    FIELD_TYPE.TINY: "TINYINT",
    FIELD_TYPE.SHORT: "SMALLINT",
    FIELD_TYPE.INT24: "INT",
    FIELD_TYPE.LONG: "INT",
    FIELD_TYPE.LONGLONG: "BIGINT",
    FIELD_TYPE.YEAR: "INT",
}
_FLOAT_TYPES = {FIELD_TYPE.FLOAT: "FLOAT", FIELD_TYPE.DOUBLE: "DOUBLE"}
_DECIMAL_TYPES = {FIELD_TYPE.DECIMAL: "DECIMAL", FIELD_TYPE.NEWDECIMAL: "DECIMAL"}

_NAMES = {**_TEXT_TYPES, **_TIME_TYPES, **_INTEGER_TYPES, **_FLOAT_TYPES, **_DECIMAL_TYPES, FIELD_TYPE.NULL: "NULL"}


def type_name(code: int) -> str:
    """StarRocks' name of a column type, as far as the protocol tells; VARCHAR when it does not."""
    return _NAMES.get(code, "VARCHAR")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _datetime(raw: bytes) -> str:
    """`YYYY-MM-DD HH:MM:SS`, with a fraction only when there is one."""
    return raw.decode("ascii", "replace").removesuffix(".000000")


def _float(raw: bytes) -> float | None:
    """The number, or None for NaN and infinities, which JSON cannot carry."""
    number = float(raw)
    return number if math.isfinite(number) else None


def _decimal(raw: bytes) -> int | float:
    return float(raw) if b"." in raw else int(raw)


DECODERS: dict[int, Callable[[bytes], Scalar]] = {
    **dict.fromkeys(_NAMES, _text),
    **dict.fromkeys(_TIME_TYPES, _datetime),
    **dict.fromkeys(_INTEGER_TYPES, int),
    **dict.fromkeys(_FLOAT_TYPES, _float),
    **dict.fromkeys(_DECIMAL_TYPES, _decimal),
}
"""Per MySQL field type: bytes of a cell that is not NULL → JSON scalar. Other types stay bytes."""
