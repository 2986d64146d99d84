"""The SQL of the fleet tools, one file each; values are escaped as the driver does, and the guard reads the whole."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pymysql.converters import escape_item


class Columns(tuple[str, ...]):
    """Columns of a SELECT, written by code from checked names. They stand in a query as they are."""

    __slots__ = ()


Value = str | int | float | None | Sequence[str] | Columns


@cache
def text(name: str) -> str:
    """The text of a query with `%(name)s` placeholders; a literal percent sign is doubled."""
    return (files(__name__) / f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    """All queries, sorted."""
    return sorted(entry.name.removesuffix(".sql") for entry in files(__name__).iterdir() if entry.name.endswith(".sql"))


def bound(name: str, **values: Value) -> str:
    """The query with its values as literals; a list of texts becomes a list of literals. Raises KeyError."""
    return text(name) % {key: _literal(value) for key, value in values.items()}


def _literal(value: Value) -> str:
    if isinstance(value, Columns):
        return ",\n  ".join(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_literal(item) for item in value)
    return str(escape_item(value, "utf8mb4"))
