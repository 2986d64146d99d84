"""The data dictionary as text: few tables in full, many as a list; how they join, the shapes of ids, the metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

IN_FULL = 15
"""Up to so many tables are described column by column; of more, only their names, columns and purpose are listed."""

_SUMMARY_CHARS = 44
_MOST_COLUMNS = 14
_MADE_OF_METRICS = "metric_name"
_PREFIXES = ("starrocks_fe_", "starrocks_be_")
# In the list only these types are told: for text and numbers the name says enough.
_TOLD_TYPES = frozenset({"DATETIME", "DATE", "BOOLEAN", "JSON"})

NOTES = (files(__package__) / "dictionary.txt").read_text(encoding="utf-8").strip()
"""Join paths and traps, the same for every fleet."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the warehouse describes it; `values` are all that it holds, where these are a few words."""

    name: str
    type: str
    comment: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table or view: qualified name, comment, columns in their order."""

    name: str
    comment: str
    columns: tuple[TableColumn, ...]


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """A metric of the hourly snapshots; `kind` is gauge, counter or histogram."""

    name: str
    kind: str
    unit: str
    description: str


def dictionary(entries: Sequence[TableEntry], metrics: Sequence[Metric]) -> str:
    """The text for a prompt: the same bytes for the same arguments."""
    if len(entries) <= IN_FULL:
        lines = [line for entry in entries for line in [*_described(entry), ""]]
    else:
        lines = [*_listed(entries), ""]
    return "\n".join([*lines, *_metric_names(metrics), NOTES])


def page(entry: TableEntry, metrics: Sequence[Metric]) -> str:
    """One table in full; with the metrics where it has a column of their names."""
    lines = list(_described(entry))
    if any(column.name == _MADE_OF_METRICS for column in entry.columns) and metrics:
        lines.append("Metrics (metric_name: kind, unit: meaning):")
        lines += [f"- {metric.name}: {metric.kind}, {metric.unit}: {metric.description}" for metric in metrics]
    return "\n".join(lines)


def _described(entry: TableEntry) -> Iterator[str]:
    yield f"{entry.name}: {entry.comment}"
    for column in entry.columns:
        values = f" [{', '.join(column.values)}]" if column.values else ""
        yield f"- {column.name} {column.type}: {column.comment}{values}"


def _listed(entries: Sequence[TableEntry]) -> Iterator[str]:
    yield "Tables (columns without a type are text or numbers; describe_table tells what they mean and hold):"
    database = ""
    for entry in entries:
        if entry.name.partition(".")[0] != database:
            database = entry.name.partition(".")[0]
            yield f"[{database}]"
        columns = ", ".join(map(_brief, entry.columns[:_MOST_COLUMNS]))
        columns += f", and {left} more" if (left := len(entry.columns) - _MOST_COLUMNS) > 0 else ""
        yield f"{entry.name.partition('.')[2]}({columns}): {_summary(entry.comment)}"


def _brief(column: TableColumn) -> str:
    kind = column.type.partition("(")[0]
    return f"{column.name} {kind}" if kind in _TOLD_TYPES else column.name


def _summary(comment: str) -> str:
    first = comment.partition(". ")[0]
    return first if len(first) <= _SUMMARY_CHARS else f"{first[:_SUMMARY_CHARS].rpartition(' ')[0]} …"


def _metric_names(metrics: Sequence[Metric]) -> Iterator[str]:
    """The names by kind, those of one exporter without the beginning that they share."""
    if not metrics:
        return
    yield "Metrics by kind (metric_name = the beginning and one of the words):"
    groups: dict[tuple[str, str], list[str]] = {}
    for metric in metrics:
        prefix = next((prefix for prefix in _PREFIXES if metric.name.startswith(prefix)), "")
        groups.setdefault((metric.kind, prefix), []).append(metric.name.removeprefix(prefix))
    for (kind, prefix), names in sorted(groups.items()):
        yield f"{kind} {prefix}: {', '.join(names)}" if prefix else f"{kind}: {', '.join(names)}"
    yield ""
