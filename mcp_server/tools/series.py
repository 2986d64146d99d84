"""How wide the steps of a series are, and which columns each metric has in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_server.queries import Columns
from mcp_server.results import TEXT_CHARS, Result

_STEPS = (1, 2, 3, 4, 6, 8, 12, 24)
# Characters of a row beside its values, and of a value: of bytes, and of everything else.
_ROW_CHARS, _BYTES_CHARS, _VALUE_CHARS = 25, 14, 7
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as the dictionary has it: its unit, and whether it counts up."""

    name: str
    unit: str
    counter: bool

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(column of the result, column of a step) of each value that is shown."""
        if self.counter:
            return ((f"{self.name}_increase", "increase"), (f"{self.name}_usual", "usual"))
        shown = (("avg", "average"), ("min", "lowest"), ("max", "highest"), ("usual", "usual"))
        return tuple((f"{self.name}_{suffix}", value) for suffix, value in shown)


def step_hours(metrics: Sequence[Metric], hours: int) -> int:
    """The narrowest step in which the series of so many hours fit into the text of a result, at most 24."""
    width = _ROW_CHARS + sum(
        len(metric.columns) * (_BYTES_CHARS if metric.unit.startswith("bytes") else _VALUE_CHARS) for metric in metrics
    )
    return next((step for step in _STEPS if (hours // step + 2) * width <= TEXT_CHARS), _STEPS[-1])


def pivot(metrics: Sequence[Metric]) -> Columns:
    """The columns of all metrics, one set beside the other. Raises ValueError for a name that is no identifier."""
    found: list[str] = []
    for metric in metrics:
        if not _NAME.fullmatch(metric.name):
            raise ValueError(f"not a metric's name: {metric.name!r}")
        found.extend(
            f"MAX(CASE WHEN metric_name = '{metric.name}' THEN {value} END) AS {column}"
            for column, value in metric.columns
        )
    return Columns(found)


def without_data(metrics: Sequence[Metric], result: Result) -> list[str]:
    """The metrics of which no step has a value."""
    places = {column.name: place for place, column in enumerate(result.columns)}
    return [
        metric.name
        for metric in metrics
        if all(row[places[column]] is None for row in result.rows for column, _ in metric.columns[:1])
    ]


def units(metrics: Sequence[Metric]) -> str:
    """`units: qps queries/s, …`, counters marked as such."""
    return "units: " + ", ".join(
        f"{metric.name} {metric.unit or 'unknown'}{' (counter)' if metric.counter else ''}" for metric in metrics
    )


def known_metrics(result: Result) -> Mapping[str, Metric]:
    """The dictionary's rows (name, unit, kind) by name."""
    return {
        str(name): Metric(str(name), str(unit or ""), str(kind or "").lower() == "counter")
        for name, unit, kind in result.rows
    }
