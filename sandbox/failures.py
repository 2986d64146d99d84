"""DuckDB's errors in StarRocks' words and numbers. DuckDB's own advice about its functions and settings is left out."""

from __future__ import annotations

import re

import duckdb

from sandbox.errors import StatementError, analysis, syntax, unknown_column, unknown_function

_PATTERNS = (
    (re.compile(r'Referenced column "(?P<name>[^"]+)" (?:not found|was not found)'), unknown_column),
    (re.compile(r'Table "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"'), unknown_column),
    (re.compile(r'Referenced table "(?P<table>[^"]+)" not found'), unknown_column),
    (re.compile(r"(?:Function|Macro) with name (?P<name>\S+) does not exist"), unknown_function),
    (re.compile(r"(?P<name>\w+) is not an aggregate function"), unknown_function),
    (re.compile(r"No function matches the given name and argument types '(?P<name>\w+)"), unknown_function),
    (re.compile(r'best candidate function for the function call "(?P<name>\w+)'), unknown_function),
)
_AMBIGUOUS = re.compile(r'Ambiguous reference to column name "(?P<name>[^"]+)"')
_GROUPING = re.compile(r'column "?(?P<name>[^" ]+)"? must appear in the GROUP BY clause')
_NOT_NULL = re.compile(r"NOT NULL constraint failed: (?P<name>\S+)")


def translate(error: duckdb.Error) -> StatementError:
    """The error that StarRocks would have sent."""
    # The first line without its kind: further lines advise functions and settings of DuckDB.
    text = str(error).partition("\n")[0].partition(": ")[2] or str(error)
    for pattern, make in _PATTERNS:
        if found := pattern.search(text):
            named = found.groupdict()
            return make(named.get("name") or f"{named['table']}.*")
    if found := _AMBIGUOUS.search(text):
        return StatementError(1052, f"Column '{found['name']}' is ambiguous", "23000")
    if found := _GROUPING.search(text):
        return analysis(f"'{found['name']}' must be an aggregate expression or appear in GROUP BY clause")
    if found := _NOT_NULL.search(text):
        return StatementError(1364, f"Field '{found['name']}' is not null but doesn't have a default value")
    if isinstance(error, duckdb.ParserException):
        return syntax(text)
    if isinstance(error, duckdb.OutOfMemoryException):
        return StatementError(1064, "Memory of process exceed limit")
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException | duckdb.ConstraintException):
        return StatementError(1064, text)
    # Its text names files and settings of this machine.
    if isinstance(error, duckdb.PermissionException):
        return StatementError(1064, "This operation is not permitted")
    return analysis(text)
