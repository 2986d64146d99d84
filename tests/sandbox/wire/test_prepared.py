"""Parameters become literals that cannot break out of their place."""

import datetime as dt
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dialect.statement import parse, placeholders, split
from sandbox.errors import ProtocolError, StatementError
from sandbox.wire.packets import MAX_PACKET, Payload, lenstr
from sandbox.wire.prepared import MAX_PREPARED, PreparedStatements
from sandbox.wire.values import Kind


def execution(statement: int, kinds: list[int], values: bytes, nulls: bytes = b"\0") -> Payload:
    """The body of a COM_STMT_EXECUTE."""
    types = b"".join(struct.pack("<H", kind) for kind in kinds)
    return Payload(struct.pack("<IBI", statement, 0, 1) + nulls + b"\x01" + types + values)


def bound(kind: int, value: bytes) -> str:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", ""))
    return statements.bind(execution(number, [kind], value)).removeprefix("SELECT ")


@given(st.text())
def test_any_text_comes_back_as_itself(text: str) -> None:
    literal = bound(Kind.VAR_STRING, lenstr(text.encode()))
    [statement] = split(f"SELECT {literal}")
    assert parse(statement).expressions[0].name == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_integer_comes_back_as_itself(number: int) -> None:
    assert int(bound(Kind.LONGLONG, struct.pack("<q", number))) == number


@given(st.integers(0, 2**64 - 1))
def test_an_unsigned_integer_is_not_negative(number: int) -> None:
    assert int(bound(Kind.LONGLONG | 0x8000, struct.pack("<Q", number))) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_comes_back_as_itself(number: float) -> None:
    assert float(bound(Kind.DOUBLE, struct.pack("<d", number))) == number


@given(st.datetimes())
def test_any_moment_comes_back_as_itself(moment: dt.datetime) -> None:
    fields = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond)
    literal = bound(Kind.DATETIME, lenstr(struct.pack("<HBBBBBI", *fields)))
    assert dt.datetime.fromisoformat(literal.strip("'")) == moment


@pytest.mark.parametrize(
    ("packed", "literal"),
    [
        (struct.pack("<HBB", 2026, 1, 2), "'2026-01-02 00:00:00.000000'"),
        (struct.pack("<HBBBBB", 2026, 1, 2, 3, 4, 5), "'2026-01-02 03:04:05.000000'"),
        (b"", "'0000-00-00 00:00:00.000000'"),
    ],
)
def test_a_short_moment_is_filled_with_zeros(packed: bytes, literal: str) -> None:
    assert bound(Kind.DATE, lenstr(packed)) == literal


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        (Kind.DATETIME, lenstr(b"abc"), ProtocolError),
        (Kind.LONGLONG, b"\0", ProtocolError),
        (Kind.VAR_STRING, b"\xfe", ProtocolError),
        (Kind.VAR_STRING, lenstr(b"\xff"), StatementError),
        (Kind.TIME, lenstr(b""), StatementError),
    ],
)
def test_a_malformed_parameter_is_refused(kind: int, value: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        bound(kind, value)


def test_a_null_parameter_is_null() -> None:
    statements = PreparedStatements()
    number, _ = statements.add(placeholders("SELECT ?, ?"))
    payload = execution(number, [Kind.LONG, Kind.LONG], struct.pack("<i", 7), nulls=b"\x01")
    assert statements.bind(payload) == "SELECT NULL, 7"


def test_types_of_the_first_execution_serve_the_next() -> None:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", ""))
    statements.bind(execution(number, [Kind.LONG], struct.pack("<i", 7)))
    again = Payload(struct.pack("<IBI", number, 0, 1) + b"\0\0" + struct.pack("<i", 8))
    assert statements.bind(again) == "SELECT 8"


def test_an_execution_without_types_is_a_protocol_error() -> None:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", ""))
    with pytest.raises(ProtocolError, match="never sent"):
        statements.bind(Payload(struct.pack("<IBI", number, 0, 1) + b"\0\0"))


def test_data_for_no_statement_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="no statement"):
        PreparedStatements().append_long_data(Payload(struct.pack("<IH", 1, 0) + b"x"))


def test_a_forgotten_statement_takes_its_data_with_it() -> None:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", ""))
    statements.append_long_data(Payload(struct.pack("<IH", number, 0) + b"x"))
    statements.forget(number)
    with pytest.raises(StatementError, match="Unknown prepared statement"):
        statements.bind(execution(number, [Kind.VAR_STRING], b""))


@given(st.binary(max_size=60), st.integers(0, 4), st.booleans())
def test_any_execution_is_bound_or_refused(body: bytes, parameters: int, known: bool) -> None:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", *[", "] * parameters))
    try:
        text = statements.bind(Payload(struct.pack("<I", number if known else 99) + body))
    except (ProtocolError, StatementError):
        return
    assert text.startswith("SELECT ")
    assert known


@given(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=20))
def test_any_pattern_of_nulls_keeps_every_value_in_its_place(values: list[int | None]) -> None:
    statements = PreparedStatements()
    number, _ = statements.add(placeholders("SELECT " + ", ".join("?" * len(values))))
    nulls = bytearray((len(values) + 7) // 8)
    sent = b""
    for place, value in enumerate(values):
        if value is None:
            nulls[place // 8] |= 1 << place % 8
        else:
            sent += struct.pack("<i", value)
    bound_text = statements.bind(execution(number, [Kind.LONG] * len(values), sent, bytes(nulls)))
    assert bound_text == "SELECT " + ", ".join("NULL" if value is None else str(value) for value in values)


def test_pieces_sent_ahead_are_joined_and_used_once() -> None:
    statements = PreparedStatements()
    number, _ = statements.add(("SELECT ", ""))
    for piece in ("it's ", "a \\ b"):
        statements.append_long_data(Payload(struct.pack("<IH", number, 0) + piece.encode()))
    assert statements.bind(execution(number, [Kind.VAR_STRING], b"")) == "SELECT 'it\\'s a \\\\ b'"
    with pytest.raises(ProtocolError):
        statements.bind(execution(number, [Kind.VAR_STRING], b""))


def test_pieces_of_several_statements_share_one_limit() -> None:
    statements = PreparedStatements()
    first, second = (statements.add(("SELECT ", ""))[0] for _ in range(2))
    half = b"x" * (MAX_PACKET // 2)
    statements.append_long_data(Payload(struct.pack("<IH", first, 0) + half))
    statements.append_long_data(Payload(struct.pack("<IH", second, 0) + half))
    with pytest.raises(ProtocolError, match="too much"):
        statements.append_long_data(Payload(struct.pack("<IH", second, 0) + b"x"))
    statements.forget(first)
    statements.append_long_data(Payload(struct.pack("<IH", second, 0) + b"x"))


def test_room_for_a_statement_comes_back_when_one_is_closed() -> None:
    statements = PreparedStatements()
    numbers = [statements.add(("SELECT 1",))[0] for _ in range(MAX_PREPARED)]
    with pytest.raises(StatementError) as refused:
        statements.add(("SELECT 1",))
    assert refused.value.code == 1461
    statements.forget(numbers[0])
    assert statements.add(("SELECT 1",))[0] not in numbers


def test_floats_that_sql_has_no_word_for_are_no_way_to_write_a_name() -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        [statement] = split(f"SELECT {bound(Kind.DOUBLE, struct.pack('<d', value))}")
        assert len(statement.tokens) <= 3
