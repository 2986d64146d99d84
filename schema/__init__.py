"""The warehouse's tables as StarRocks DDL: databases metrics, byoc and alerts, read from the .sql files beside."""

import re
from functools import cache
from importlib.resources import files

DATABASES: tuple[str, ...] = ("byoc", "metrics", "alerts")
"""Databases in the order in which they can be created: the views of `metrics` read tables of `byoc`."""

_CREATED = re.compile(r"CREATE (?P<kind>TABLE|VIEW) IF NOT EXISTS (?P<name>\w+\.\w+)")


@cache
def statements() -> tuple[str, ...]:
    """Return every DDL statement, without its semicolon, in an order that runs on an empty warehouse."""
    return tuple(statement for database in DATABASES for statement in _split(_text(database)))


@cache
def tables() -> tuple[str, ...]:
    """Return the qualified names (`database.table`) of all tables and views, in creation order."""
    return tuple(match["name"] for match in _creations())


@cache
def views() -> tuple[str, ...]:
    """Return the qualified names of those tables that are views: they hold no rows of their own."""
    return tuple(match["name"] for match in _creations() if match["kind"] == "VIEW")


def _creations() -> list[re.Match[str]]:
    return [match for statement in statements() if (match := _CREATED.match(statement))]


def _text(database: str) -> str:
    return (files(__name__) / f"{database}.sql").read_text(encoding="utf-8")


def _split(text: str) -> list[str]:
    # A statement ends with a semicolon at the end of a line; the test suite holds the files to that.
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [piece.strip() for piece in re.split(r";[ \t]*(?:\n|$)", code) if piece.strip()]


WRITTEN: tuple[str, ...] = tuple(
    f"alerts.{name}"
    for name in ("patrol_reports", "cluster_health_scores", "cluster_risk_snapshots", "agent_investigations")
)
"""The tables that the writer account fills; every other one is filled by somebody else and only read."""

TABLES: tuple[str, ...] = tables()
"""All qualified names, for callers that want a constant."""
