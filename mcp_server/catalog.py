"""What the warehouse holds: tables, columns, values of the enumerated ones and the metrics; read by two queries."""

import asyncio
import difflib
import hashlib
import logging
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mcp_server.clock import Seconds
from mcp_server.dictionary import Metric, TableColumn, TableEntry, dictionary, page
from mcp_server.errors import Code, Refusal, WarehouseError
from mcp_server.executor import Executor
from mcp_server.guard.tables import is_open
from mcp_server.principal import EVERYTHING, Scope
from mcp_server.results import plain
from mcp_server.values import Scalar

METRICS = "metrics.metrics_dict_v2"
MAX_SECONDS = 3_600.0

_STRUCTURE = """
SELECT TABLE_SCHEMA, TABLE_NAME, 0 AS place, '' AS name, '' AS type, TABLE_COMMENT AS comment
FROM information_schema.tables WHERE TABLE_SCHEMA IN ({databases})
UNION ALL
SELECT TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, DATA_TYPE, COLUMN_COMMENT
FROM information_schema.columns WHERE TABLE_SCHEMA IN ({databases})
ORDER BY TABLE_SCHEMA, TABLE_NAME, place
"""
_KNOWN_METRICS = f"SELECT 'metric', metric_name, metric_type, unit, description FROM {METRICS}"
_VALUES = """SELECT 'value', '{column}', v.value, '', ''
FROM (SELECT DISTINCT CAST({name} AS VARCHAR) AS value FROM {table} WHERE {name} IS NOT NULL LIMIT {limit}) AS v"""
_MAX_ROWS = 20_000
_MOST_VALUES = 12
# No more than a word or two: a column that turns out to hold free text is left alone.
_WORDS = re.compile(r"[\w.+/|:-]+( [\w.+/|:-]+){0,4}", re.ASCII)
_WORD_CHARS = 40

ENUMERATED = (
    "alerts.cluster_health_scores.classification",
    "alerts.cluster_risk_snapshots.risk_level",
    "alerts.issues.category",
    "alerts.issues.disposition_status",
    "alerts.issues.severity",
    "alerts.issues.status",
    "alerts.issues.triage_status",
    "byoc.billing_order.state",
    "byoc.billing_order.type",
    "byoc.clusters.cluster_type",
    "byoc.region_details.cloud",
    "byoc.resource.state",
    "byoc.scaling_policy.policy_type",
    "metrics.dim_customer_profile.stage",
    "metrics.dim_customer_profile.tier",
    f"{METRICS}.category",
)
"""Columns of small tables that hold one of a few words. Only of these are values ever shown."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contents:
    """One reading of the catalogue; `digest` is the same for the same contents."""

    entries: Mapping[str, TableEntry]
    metrics: tuple[Metric, ...]
    digest: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)


class Catalog:
    """The allowed tables as the warehouse has them; read at first use, and again when an hour has passed."""

    def __init__(self, executor: Executor, tables: Collection[str], clock: Seconds = time.monotonic) -> None:
        self._executor = executor
        self._allowed = frozenset(tables)
        self._clock = clock
        self._loading = asyncio.Lock()
        self._contents: Contents | None = None
        self._read_at = 0.0

    async def entries(self, scope: Scope = EVERYTHING) -> dict[str, TableEntry]:
        """Qualified name → entry of the tables open in the scope, sorted by name. Raises WarehouseError."""
        entries = (await self._current()).entries
        return {name: entry for name, entry in entries.items() if is_open(name, scope)}

    async def entry(self, table: str, scope: Scope = EVERYTHING) -> TableEntry:
        """One table by `database.table`, or by its name alone when that is unique. Raises Refusal."""
        entries = await self.entries(scope)
        wanted = table.strip().strip("`").lower()
        matches = [name for name in entries if name == wanted or name.partition(".")[2] == wanted]
        if len(matches) == 1:
            return entries[matches[0]]
        near = matches or difflib.get_close_matches(wanted, entries, 3, 0.4)
        hint = "write database.table as discover_schema lists it"
        raise Refusal("table", Code.UNKNOWN_TABLE, "there is no such table", part=table, near=near, hint=hint)

    async def dictionary(self) -> str:
        """The data dictionary for a prompt: the same bytes for the same contents."""
        return await self.dictionary_of(EVERYTHING)

    async def dictionary_of(self, scope: Scope) -> str:
        """The data dictionary of the tables open in a scope."""
        contents = await self._current()
        entries = await self.entries(scope)
        return dictionary(list(entries.values()), contents.metrics if METRICS in entries else ())

    async def page(self, table: str, scope: Scope = EVERYTHING) -> str:
        """All that is known of one table, as text. Raises Refusal."""
        return page(await self.entry(table, scope), (await self._current()).metrics)

    async def digest(self) -> str:
        """Twelve hex digits that change when the dictionary does."""
        return (await self._current()).digest

    async def kinds(self) -> Mapping[str, str]:
        """Metric name → gauge, counter or histogram. Raises WarehouseError."""
        return (await self._current()).kinds

    async def near_columns(self, column: str, tables: Sequence[str]) -> list[str]:
        """Columns of the given tables that are written much like `column`."""
        entries = await self.entries()
        names = sorted({known.name for table in tables if table in entries for known in entries[table].columns})
        return difflib.get_close_matches(column.rpartition(".")[2].strip("`'\""), names, 4, 0.5)

    async def _current(self) -> Contents:
        async with self._loading:
            if self._contents is None or self._clock() - self._read_at > MAX_SECONDS:
                self._contents = await self._renewed(self._contents)
                self._read_at = self._clock()
            return self._contents

    async def _renewed(self, old: Contents | None) -> Contents:
        """What the warehouse holds now; what it held before when it cannot tell."""
        try:
            new = await self._load()
        except WarehouseError:
            if old is None:
                raise
            _log.warning("the catalogue could not be read again; the one of an hour ago stays")
            return old
        return old if old is not None and old.digest == new.digest else new

    async def _load(self) -> Contents:
        databases = ", ".join(f"'{name}'" for name in sorted({table.partition(".")[0] for table in self._allowed}))
        structure = await self._executor.fetch(_STRUCTURE.format(databases=databases), max_rows=_MAX_ROWS)
        entries = _entries(row for row in structure.rows if f"{row[0]}.{row[1]}" in self._allowed)
        asked = [_KNOWN_METRICS] if METRICS in entries else []
        columns = {f"{entry.name}.{column.name}" for entry in entries.values() for column in entry.columns}
        asked += [_asked(column) for column in ENUMERATED if column in columns]
        told = await self._told(asked) if asked else []
        metrics = tuple(sorted(Metric(*map(_text, row[1:])) for row in told if row[0] == "metric"))
        entries = _with_values(entries, [(str(row[1]), _text(row[2])) for row in told if row[0] == "value"])
        text = dictionary(list(entries.values()), metrics) + "".join(page(entry, metrics) for entry in entries.values())
        kinds = {metric.name: metric.kind for metric in metrics}
        return Contents(entries, metrics, hashlib.sha256(text.encode()).hexdigest()[:12], kinds)

    async def _told(self, asked: Sequence[str]) -> list[list[Scalar]]:
        """Metrics and values; none when a table of theirs is closed, for the structure is of use without them."""
        try:
            return (await self._executor.fetch("\nUNION ALL\n".join(asked), max_rows=_MAX_ROWS)).rows
        except WarehouseError as error:
            if error.code in (Code.UNAVAILABLE, Code.TIMEOUT):
                raise
            _log.warning("metrics and values could not be read for the catalogue: %s", error.code)
            return []


def _asked(column: str) -> str:
    table, _, name = column.rpartition(".")
    return _VALUES.format(column=column, name=name, table=table, limit=_MOST_VALUES + 1)


def _text(cell: Scalar) -> str:
    return plain(str(cell)) if cell is not None else ""


def _entries(rows: Iterable[Sequence[Scalar]]) -> dict[str, TableEntry]:
    comments: dict[str, str] = {}
    columns: dict[str, list[TableColumn]] = {}
    for database, table, place, name, kind, comment in rows:
        key = f"{database}.{table}"
        if place == 0:
            comments[key] = _text(comment)
        else:
            columns.setdefault(key, []).append(TableColumn(_text(name), _text(kind).upper(), _text(comment)))
    return {key: TableEntry(key, comment, tuple(columns.get(key, ()))) for key, comment in sorted(comments.items())}


def _with_values(entries: Mapping[str, TableEntry], told: Sequence[tuple[str, str]]) -> dict[str, TableEntry]:
    """The entries with the values of their enumerated columns, where these are few and short."""
    values: dict[str, list[str]] = {}
    for column, value in told:
        values.setdefault(column, []).append(value)
    few = {
        column: tuple(sorted(found))
        for column, found in values.items()
        if len(found) <= _MOST_VALUES and all(len(one) <= _WORD_CHARS and _WORDS.fullmatch(one) for one in found)
    }
    return {
        name: TableEntry(
            name,
            entry.comment,
            tuple(
                TableColumn(column.name, column.type, column.comment, few.get(f"{name}.{column.name}", ()))
                for column in entry.columns
            ),
        )
        for name, entry in entries.items()
    }
