"""Markdown from untrusted values: escaped cells, tables that say what they leave out."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.rules_only.envelope import Row, Sheet
from agent.untrusted import visible

MAX_ROWS = 12
_MAX_CELL = 90
_SPECIAL = re.compile(r"([\\`*\[\]|~])")
# An underscore inside a word is no emphasis, and names read better without a backslash.
_EDGE = re.compile(r"(?<!\w)_|_(?!\w)")
_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}):(?=//|[^\s:/]+@)|\bmailto:|\bjavascript:")
_MENTION = re.compile(r"@(?=\w)")


def safe(value: str, limit: int = _MAX_CELL) -> str:
    """A value from data as inert text of one line: no markup, no mention, no live link, at most `limit` characters."""
    text = " ".join(visible(value).split())
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    text = _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;"))
    text = _EDGE.sub(lambda match: "\\" + match.group(0), text)
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    text = _SCHEME.sub(lambda match: match.group(0)[:-1] + "\\[:\\]", text)
    return _MENTION.sub("@\u200a", text)


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: its title and how a row's cell is written, already safe."""

    title: str
    cell: Callable[[Row], str]


def plain(title: str, *names: str, limit: int = _MAX_CELL) -> Column:
    """A column that shows the first of the named cells that holds something."""
    return Column(title, lambda row: safe(row.text(*names), limit) or "–")


def short_id(row: Row) -> str:
    """The first block of the cluster's id: enough to ask about it again."""
    return safe(row.text("cluster_id", "biz_id")[:8]) or "–"


ID = Column("Id", short_id)
CLUSTER = plain("Cluster", "cluster_name", "name", limit=48)


def _customer(row: Row) -> str:
    tier = row.text("tier")
    return (safe(row.text("customer", "customer_name"), 32) or "–") + (f" (tier {safe(tier, 3)})" if tier else "")


CUSTOMER = Column("Customer", _customer)


def table(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [[column.title for column in columns], ["---"] * len(columns)]
    lines += [[column.cell(row) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def listing(columns: Sequence[Column], sheet: Sheet, *, limit: int = MAX_ROWS) -> str:
    """A table of the sheet's first rows and, when that is not all of them, a line that says so. A column `total` holds
    how many rows there are; empty without rows."""
    shown = sheet.rows[: min(limit, MAX_ROWS)]
    if not shown:
        return ""
    text = table(columns, shown)
    total = sheet.first.number("total")
    if len(shown) < total_of(sheet) or sheet.cut:
        more = "more than " if sheet.cut and total is None else ""
        text += f"\n\n{len(shown)} of {more}{total_of(sheet):,} shown."
    return text


def total_of(sheet: Sheet) -> int:
    """How many rows there are, shown or not."""
    return max(int(sheet.first.number("total") or 0), len(sheet))


def paragraphs(*parts: str) -> str:
    """The parts that say something, a blank line between them."""
    return "\n\n".join(part for part in parts if part)
