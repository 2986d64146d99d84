"""What the rows themselves warn of: copies of one row, an hour that is not over, and secrets taken out of them."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from mcp_server.executor import Column
from mcp_server.values import Scalar

_LOOKED_AT = 2_000
_HOUR = ":00:00"
# What happened at a moment has it in such a name; a moment on the full hour is no hour that fills up.
_MOMENT = re.compile(r"_(at|seen)$|^(first|last)_", re.IGNORECASE)


def seen(
    columns: Sequence[Column], rows: Sequence[Sequence[Scalar]], now: datetime, hidden: int = 0
) -> tuple[str, ...]:
    """The caveats of a result; `now` is UTC without zone, `hidden` the number of cells that lost a secret. Looks at the
    first 2,000 rows."""
    looked_at = rows[:_LOOKED_AT]
    return (*_copies(columns, looked_at), *_unfinished(columns, looked_at, now), *_hidden(hidden))


def _copies(columns: Sequence[Column], rows: Sequence[Sequence[Scalar]]) -> Iterator[str]:
    copies = len(rows) - len(set(map(tuple, rows))) if len(columns) > 1 else 0
    if copies:
        yield f"{copies} of the rows {'is a copy' if copies == 1 else 'are copies'} of another"


def _unfinished(columns: Sequence[Column], rows: Sequence[Sequence[Scalar]], now: datetime) -> Iterator[str]:
    current = f"{now:%Y-%m-%d %H}{_HOUR}"
    for place, column in enumerate(columns):
        if column.type == "DATETIME" and not _MOMENT.search(column.name):
            times = {str(row[place]) for row in rows if row[place] is not None}
            if current in times and all(time.endswith(_HOUR) for time in times):
                yield f"the newest hour of {column.name}, {now:%H}:00, is not over"


def _hidden(cells: int) -> Iterator[str]:
    if cells:
        held = "cell holds" if cells == 1 else "cells hold"
        yield f"{cells} {held} what looks like a secret; [redacted] stands for it"
