"""Cells as the protocol sends them, and the JSON scalars made of them."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.constants import FIELD_TYPE

from mcp_server.values import DECODERS, Scalar, type_name


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (FIELD_TYPE.TINY, b"1", 1),
        (FIELD_TYPE.LONGLONG, b"-9223372036854775808", -(2**63)),
        (FIELD_TYPE.DOUBLE, b"1.5e3", 1500.0),
        (FIELD_TYPE.DOUBLE, b"nan", None),
        (FIELD_TYPE.DOUBLE, b"-inf", None),
        (FIELD_TYPE.FLOAT, b"0.25", 0.25),
        (FIELD_TYPE.NEWDECIMAL, b"12.50", 12.5),
        (FIELD_TYPE.NEWDECIMAL, b"170141183460469231731687303715884105727", 2**127 - 1),
        (FIELD_TYPE.DATETIME, b"2026-03-08 02:30:00", "2026-03-08 02:30:00"),
        (FIELD_TYPE.DATETIME, b"2026-03-08 02:30:00.000000", "2026-03-08 02:30:00"),
        (FIELD_TYPE.DATETIME, b"2026-03-08 02:30:00.250000", "2026-03-08 02:30:00.250000"),
        (FIELD_TYPE.DATE, b"2026-03-08", "2026-03-08"),
        (FIELD_TYPE.VAR_STRING, "größe 雪".encode(), "größe 雪"),
        (FIELD_TYPE.VAR_STRING, b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (FIELD_TYPE.JSON, b'{"a": [1]}', '{"a": [1]}'),
        (FIELD_TYPE.BLOB, b"\x00\x01", "\x00\x01"),
    ],
)
def test_a_cell_becomes_a_json_scalar(kind: int, raw: bytes, value: Scalar) -> None:
    assert DECODERS[kind](raw) == value


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FIELD_TYPE.VAR_STRING, "VARCHAR"),
        (FIELD_TYPE.LONGLONG, "BIGINT"),
        (FIELD_TYPE.DATETIME, "DATETIME"),
        (FIELD_TYPE.TIMESTAMP, "DATETIME"),
        (FIELD_TYPE.NEWDECIMAL, "DECIMAL"),
        (FIELD_TYPE.GEOMETRY, "VARCHAR"),
    ],
)
def test_a_type_is_named_as_starrocks_names_it(kind: int, name: str) -> None:
    assert type_name(kind) == name


@given(st.sampled_from(sorted(DECODERS)), st.floats() | st.integers())
def test_any_number_a_column_can_hold_is_fit_for_json(kind: int, number: float) -> None:
    if isinstance(number, float) and DECODERS[kind] is int:
        number = 0 if not math.isfinite(number) else int(number)
    raw = repr(number).encode()
    if isinstance(number, float) and kind in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        raw = b"%.4f" % (0 if not math.isfinite(number) else number)
    json.dumps(DECODERS[kind](raw), allow_nan=False)


@given(st.binary(max_size=64))
def test_any_bytes_of_a_text_column_become_text(raw: bytes) -> None:
    decoded = DECODERS[FIELD_TYPE.VAR_STRING](raw)
    assert isinstance(decoded, str)
    json.dumps(decoded).encode("utf-8")
