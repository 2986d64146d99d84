"""What the warehouse's errors mean: numbers and message texts of StarRocks, turned into the door's codes."""

import re

from pymysql.err import MySQLError

from mcp_server.errors import Code, ConnectionLost, WarehouseError

_WORDS_CHARS = 300
_NO_SUCH_THREAD = 1094
_LOST = {2006, 2013, 2014, 2055}
_REFUSED = {1045, 1130, 1698}
_UNREACHABLE = {1040, 1129, 1203, 2002, 2003, 2005}
_BY_NUMBER = {
    1054: Code.UNKNOWN_COLUMN,
    1049: Code.UNKNOWN_TABLE,
    1051: Code.UNKNOWN_TABLE,
    1146: Code.UNKNOWN_TABLE,
    5501: Code.UNKNOWN_TABLE,
    5502: Code.UNKNOWN_TABLE,
    1044: Code.PERMISSION,
    1142: Code.PERMISSION,
    1143: Code.PERMISSION,
    1227: Code.PERMISSION,
    5203: Code.PERMISSION,
    1317: Code.TIMEOUT,
    1969: Code.TIMEOUT,
    3024: Code.TIMEOUT,
    1292: Code.TYPE_MISMATCH,
    1366: Code.TYPE_MISMATCH,
}

# StarRocks reports most analysis errors as 1064; the words tell them apart. The first match wins.
_BY_WORDS: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile(r"column .{0,200}(cannot be resolved|is ambiguous)|unknown column", re.I | re.S), Code.UNKNOWN_COLUMN),
    (
        re.compile(r"unknown (table|database)|(table|database) .{0,200}(not exist|not found)", re.I | re.S),
        Code.UNKNOWN_TABLE,
    ),
    (re.compile(r"access denied|privilege|not authorized", re.I), Code.PERMISSION),
    (re.compile(r"time ?out|timed out|cancelled|interrupted|exceeded.{0,40}time", re.I | re.S), Code.TIMEOUT),
    (
        re.compile(
            r"no (matching )?function\b|cannot cast|invalid (type|date|value)|type mismatch|must be .{0,40}type",
            re.I,
        ),
        Code.TYPE_MISMATCH,
    ),
    (re.compile(r"syntax error|getting syntax|unexpected input|parse error", re.I), Code.SYNTAX),
)

_NAMED = re.compile(r"(?:column|table|database)\s+['\"]([^'\"]{1,128})['\"]", re.IGNORECASE)
_PREAMBLE = re.compile(r"^getting \w+ error\W.{0,60}?detail message:\s*", re.IGNORECASE)
_POSITION = re.compile(r"\bat line \d+, column \d+", re.IGNORECASE)
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|'[^']*'@'[^']*'|\[?backend[^]]{0,60}\]?", re.IGNORECASE)


def unreachable(error: MySQLError | OSError) -> WarehouseError:
    """What failed before there was a connection: always `unavailable`, whatever the server said."""
    if isinstance(error, MySQLError) and _number(error) in _REFUSED:
        return WarehouseError(Code.UNAVAILABLE, "the warehouse refused the door's account")
    return WarehouseError(Code.UNAVAILABLE, "the warehouse cannot be reached")


def unreadable() -> WarehouseError:
    """A result whose bytes are not the protocol's, or whose values are not of their type."""
    return WarehouseError(Code.EXECUTION, "the warehouse sent a result that cannot be read", hint="CAST odd columns")


def is_gone(error: MySQLError) -> bool:
    """Whether a KILL found nothing to kill: the warehouse had noticed by itself that its client left."""
    return _number(error) == _NO_SUCH_THREAD or "unknown thread" in str(error).lower()


def translated(error: MySQLError | OSError) -> WarehouseError:
    """What failed under a statement, as one of the codes: the warehouse's words without address, account or stack."""
    if isinstance(error, OSError) or _number(error) in _LOST:
        return ConnectionLost(Code.UNAVAILABLE, "the connection to the warehouse was lost")
    number = _number(error)
    if number in _UNREACHABLE | _REFUSED:
        return unreachable(error)
    raw = str(error.args[1]) if len(error.args) > 1 else "the warehouse reported an error"
    code = _code(number, raw)
    return WarehouseError(code, _words(raw), part=_part(raw))


def _part(raw: str) -> str:
    """The column, table or database the message quotes, else the place it names, else nothing."""
    named = _NAMED.search(raw)
    if named:
        return named[1].replace("`", "")
    position = _POSITION.search(raw)
    return position[0] if position else ""


def _code(number: int, words: str) -> Code:
    known = _BY_NUMBER.get(number)
    if known is not None:
        return known
    return next((code for pattern, code in _BY_WORDS if pattern.search(words)), Code.EXECUTION)


def _number(error: MySQLError) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _words(raw: str) -> str:
    """The message in one line, without its preamble and without addresses and accounts."""
    one_line = _PREAMBLE.sub("", " ".join(_ADDRESS.sub("…", raw).split()))
    return one_line if len(one_line) <= _WORDS_CHARS else f"{one_line[:_WORDS_CHARS]}…"
