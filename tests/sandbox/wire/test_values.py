"""Values in the bytes of the text and the binary protocol."""

import datetime as dt
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import StatementError
from sandbox.wire.packets import Payload
from sandbox.wire.values import Column, Kind, Scalar, binary_row, definition, text_row


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, b"1"),
        (False, b"0"),
        (-7, b"-7"),
        (1.5, b"1.5"),
        (1e300, b"1e+300"),
        (Decimal("0.0000001"), b"0.0000001"),
        (Decimal("1E+3"), b"1000"),
        ("日本", "日本".encode()),
        (b"\xff\x00", b"\xff\x00"),
        (dt.date(2026, 1, 2), b"2026-01-02"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), b"2026-01-02 03:04:05"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6), b"2026-01-02 03:04:05.000006"),
        ("", b""),
    ],
)
def test_a_value_is_written_as_text(value: Scalar, text: bytes) -> None:
    assert Payload(text_row([value])).lenstr() == text


def test_null_is_not_the_empty_text() -> None:
    assert text_row([None, ""]) == b"\xfb\x00"


@given(st.lists(st.text(max_size=400), min_size=1, max_size=5))
def test_any_row_of_texts_survives(row: list[str]) -> None:
    payload = Payload(text_row(row))
    assert [payload.lenstr().decode() for _ in row] == row
    assert payload.left == 0


@pytest.mark.parametrize(
    ("kind", "value", "packed"),
    [
        (Kind.TINY, True, b"\x01"),
        (Kind.TINY, -1, b"\xff"),
        (Kind.SHORT, 258, b"\x02\x01"),
        (Kind.LONG, -2, struct.pack("<i", -2)),
        (Kind.LONGLONG, 2**40, struct.pack("<q", 2**40)),
        (Kind.FLOAT, 1.5, struct.pack("<f", 1.5)),
        (Kind.DOUBLE, 1.5, struct.pack("<d", 1.5)),
        (Kind.DECIMAL, Decimal("1.50"), b"\x041.50"),
        (Kind.VAR_STRING, "ab", b"\x02ab"),
        (Kind.DATE, dt.date(2026, 1, 2), b"\x04" + struct.pack("<HBB", 2026, 1, 2)),
        (Kind.DATETIME, dt.datetime(2026, 1, 2), b"\x0b" + struct.pack("<HBBBBBI", 2026, 1, 2, 0, 0, 0, 0)),
    ],
)
def test_a_value_is_written_in_binary(kind: Kind, value: Scalar, packed: bytes) -> None:
    assert binary_row([value], [Column("v", kind)]) == b"\0\0" + packed


def test_nulls_are_bits_in_front_of_a_binary_row() -> None:
    columns = [Column(str(number), Kind.TINY) for number in range(8)]
    row = [None if number in (0, 6, 7) else number for number in range(8)]
    assert binary_row(row, columns)[:3] == bytes([0, 0b00000100, 0b00000011])


@pytest.mark.parametrize(("kind", "value"), [(Kind.LONGLONG, 2**63), (Kind.TINY, 128), (Kind.LONG, -(2**31) - 1)])
def test_a_number_too_large_for_its_column_is_an_error(kind: Kind, value: int) -> None:
    with pytest.raises(StatementError, match="Out of range value for column 'v'") as refused:
        binary_row([value], [Column("v", kind)])
    assert refused.value.code == 1264


@pytest.mark.parametrize(
    ("column", "charset", "decimals"),
    [
        (Column("t", Kind.VAR_STRING), 45, 0),
        (Column("j", Kind.STRING), 45, 0),
        (Column("b", Kind.BLOB), 63, 0),
        (Column("n", Kind.LONGLONG), 63, 0),
        (Column("d", Kind.DOUBLE), 63, 31),
        (Column("m", Kind.DECIMAL, 4), 63, 4),
    ],
)
def test_a_column_tells_charset_type_and_decimals(column: Column, charset: int, decimals: int) -> None:
    payload = Payload(definition(column))
    assert [payload.lenstr() for _ in range(6)] == [b"def", b"", b"", b"", column.name.encode(), column.name.encode()]
    fixed = payload.lenstr()
    assert struct.unpack("<HIBHB", fixed[:10])[0] == charset
    assert struct.unpack("<HIBHB", fixed[:10])[2] == column.kind
    assert struct.unpack("<HIBHB", fixed[:10])[4] == decimals
