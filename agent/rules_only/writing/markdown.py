"""Markdown from untrusted values: escaped cells, tables that say what they leave out."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent.rules_only.envelope import Row, Sheet
from agent.rules_only.voice import NO_VALUE, Voice
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
    """A table column: the key of its title below `column.`, and how a row's cell is written, already safe."""

    title: str
    cell: Callable[[Row], str]


def plain(title: str, *names: str, limit: int = _MAX_CELL) -> Column:
    """A column that shows the first of the named cells that holds something."""
    return Column(title, lambda row: safe(row.text(*names), limit) or NO_VALUE)


def short_id(row: Row) -> str:
    """The first block of the cluster's id: enough to ask about it again."""
    return safe(row.text("cluster_id", "biz_id")[:8]) or NO_VALUE


ID = Column("id", short_id)
CLUSTER = plain("cluster", "cluster_name", "name", limit=48)


def customer(voice: Voice) -> Column:
    """The column of customers with their tier."""

    def cell(row: Row) -> str:
        name, tier = safe(row.text("customer", "customer_name"), 32) or NO_VALUE, row.text("tier")
        return voice.say("customer.tier", name=name, tier=safe(tier, 3)) if tier else name

    return Column("customer", cell)


def table(voice: Voice, titles: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of written cells; `titles` are keys below `column.`."""
    header = [voice.say(f"column.{title}") for title in titles]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def listing(voice: Voice, columns: Sequence[Column], sheet: Sheet, *, limit: int = MAX_ROWS) -> str:
    """A table of the sheet's first rows and, when that is not all of them, a line that says so. A column `total` holds
    how many rows there are; empty without rows."""
    shown = sheet.rows[: min(limit, MAX_ROWS)]
    if not shown:
        return ""
    text = table(
        voice, [column.title for column in columns], [[column.cell(row) for column in columns] for row in shown]
    )
    total = sheet.first.number("total")
    if len(shown) < total_of(sheet) or sheet.cut:
        key = "shown.more" if sheet.cut and total is None else "shown.of"
        text += "\n\n" + voice.say(key, shown=len(shown), total=f"{total_of(sheet):,}")
    return text


def total_of(sheet: Sheet) -> int:
    """How many rows there are, shown or not."""
    return max(int(sheet.first.number("total") or 0), len(sheet))


def paragraphs(*parts: str) -> str:
    """The parts that say something, a blank line between them."""
    return "\n\n".join(part for part in parts if part)
