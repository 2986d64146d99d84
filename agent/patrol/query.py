"""Reading the warehouse through the door: one SELECT in, typed rows out, each result with its query id."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.tools import ToolResult, Tools, ToolSpec

Row = Mapping[str, Any]

MAX_ROWS = 20_000
"""The most rows the door gives to code in one result."""

BEYOND_REASON = 1e300
"""No measurement is as large as this."""

AT_ONCE = 4
"""Statements of one inspection that run at once: as many as the door lets one caller run."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One result. `query_id` is the door's receipt, `cut` tells that there were more rows; `error` is the door's own
    code and reason when there is no result. `sql` is the statement as it was run."""

    rows: tuple[Row, ...] = ()
    query_id: str = ""
    sql: str = ""
    cut: bool = False
    error: str = ""
    code: str = ""

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return bool(self.error)


def _read(result: ToolResult) -> Rows:
    data = result.data or {}
    if result.is_error or "rows" not in data:
        return Rows(error=result.text.strip()[:300] or "no result", code=str(data.get("code", "unavailable")))
    names = [column["name"] for column in data["columns"]]
    rows = tuple(dict(zip(names, row, strict=True)) for row in data["rows"])
    return Rows(rows, str(data.get("query_id", "")), str(data.get("sql", "")), bool(data.get("truncated", False)))


class InLine:
    """Tools of which at most `AT_ONCE` calls run; the others wait here, since the door refuses who waits for long."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._places = asyncio.Semaphore(AT_ONCE)

    async def specs(self) -> Sequence[ToolSpec]:
        """The tools themselves."""
        return await self._tools.specs()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """The call, once there is a place."""
        async with self._places:
            return await self._tools.call(name, arguments)


async def read(tools: Tools, sql: str, max_rows: int = MAX_ROWS) -> Rows:
    """The rows of one SELECT; a refused or failed one is a Rows with `error` set."""
    return _read(await tools.call("read_query", {"sql": sql, "max_rows": max_rows}))


async def read_all(tools: Tools, statements: Sequence[str]) -> tuple[Rows, ...]:
    """Several SELECTs at once, results in the order of the statements."""
    return tuple(await asyncio.gather(*(read(tools, sql) for sql in statements)))


def figure(value: object) -> float | None:
    """A cell as a usable measurement: not negative and not beyond reason, else None. Text such as `NaN` is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    # NaN fails both comparisons; what is larger overflows as soon as it is counted or scaled.
    return number if 0 <= number < BEYOND_REASON else None


def moment(value: object) -> datetime | None:
    """A cell as a naive UTC time, or None when it is no time. A time with an offset is brought to UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo is None else parsed.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def words(value: object) -> str:
    """A cell as text; NULL is empty."""
    return "" if value is None else str(value)


def stamp(value: datetime) -> str:
    """A time as the warehouse writes it: `2026-01-31 09:00:00`."""
    return value.strftime("%Y-%m-%d %H:%M:%S")
