"""What a cluster's own front end says this moment: its nodes and its running queries, under caps of their own."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from mcp_server.cells import clean
from mcp_server.config import WarehouseConfig
from mcp_server.endpoints import LiveEndpoint
from mcp_server.errors import Code, WarehouseError
from mcp_server.executor import Column, Executor, Fetched
from mcp_server.results import Result
from mcp_server.values import Scalar

FRONTENDS = "SHOW FRONTENDS"
BACKENDS = "SHOW BACKENDS"
COMPUTE_NODES = "SHOW COMPUTE NODES"
QUERIES = "SHOW PROC '/current_queries'"
STATEMENTS = (FRONTENDS, BACKENDS, COMPUTE_NODES, QUERIES)
"""All that is ever asked of a front end. They take no value, and no caller can change them."""
SQL = "; ".join(STATEMENTS)
"""The same as one text, for receipts and the audit; it is never run as one."""

_ROWS = 500
_AT_ONCE = 4
_LONGEST = 3
_QUANTITY = re.compile(r"\s*(\d[\d,]*(?:\.\d+)?)\s*([A-Za-z%]*)")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

_COLUMNS = (
    Column("kind", "VARCHAR"),
    Column("node", "VARCHAR"),
    Column("role", "VARCHAR"),
    Column("alive", "VARCHAR"),
    Column("version", "VARCHAR"),
    # The FE writes its own zone's wall clock and does not say which.
    Column("last_heartbeat_fe_clock", "VARCHAR"),
    Column("cpu_pct", "DOUBLE"),
    Column("mem_pct", "DOUBLE"),
    Column("fullest_disk_pct", "DOUBLE"),
    Column("tablets", "DOUBLE"),
    Column("running_queries", "DOUBLE"),
    Column("error", "VARCHAR"),
)

Record = Mapping[str, Scalar]
"""A row by lower-case column name; versions of StarRocks differ in which columns there are, and in their order."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """The nodes, those that do not answer first, and what to tell of the rest in words."""

    nodes: Result
    notes: tuple[str, ...]


class Frontends:
    """The front ends that are configured. Each look opens connections of its own and closes them again."""

    def __init__(
        self, endpoints: Mapping[str, LiveEndpoint], new_id: Callable[[], str], *, seconds: float = 5.0
    ) -> None:
        self._endpoints = endpoints
        self._new_id = new_id
        self._seconds = seconds
        self._looks = asyncio.Semaphore(_AT_ONCE)

    def has(self, cluster: str) -> bool:
        """Whether the cluster's own front end can be asked."""
        return cluster.lower() in self._endpoints

    async def look(self, cluster: str) -> LiveState:
        """The state that the cluster's front end tells. Raises WarehouseError when it tells of no node at all."""
        config = self._config(self._endpoints[cluster.lower()])
        async with self._looks, Executor(config) as executor:
            answers = await asyncio.gather(*(_answer(executor, statement) for statement in STATEMENTS))
        told = dict(zip(STATEMENTS, answers, strict=True))
        if not any(_records(told[name]) for name in (FRONTENDS, BACKENDS, COMPUTE_NODES)):
            raise next(
                (answer for answer in answers if isinstance(answer, WarehouseError)),
                WarehouseError(Code.EXECUTION, "the front end lists no node"),
            )
        return _state(told, self._new_id())

    def _config(self, endpoint: LiveEndpoint) -> WarehouseConfig:
        return WarehouseConfig(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user,
            password=endpoint.password,
            timeout_seconds=self._seconds,
            connect_seconds=self._seconds,
            max_bytes=1024 * 1024,
            max_cell_chars=1_000,
            pool_size=len(STATEMENTS),
        )


async def _answer(executor: Executor, statement: str) -> Fetched | WarehouseError:
    try:
        return await executor.fetch(statement, max_rows=_ROWS)
    except WarehouseError as error:
        return error


def _state(told: Mapping[str, Fetched | WarehouseError], query_id: str) -> LiveState:
    kinds = ((FRONTENDS, _frontend), (BACKENDS, _backend), (COMPUTE_NODES, _compute_node))
    nodes = list(chain.from_iterable(map(make, _records(told[name])) for name, make in kinds))
    nodes.sort(key=lambda row: row[3] == "true")
    answers = [answer for answer in told.values() if isinstance(answer, Fetched)]
    refused = [f"{name}: {answer.code}" for name, answer in told.items() if isinstance(answer, WarehouseError)]
    dead = sum(row[3] != "true" for row in nodes)
    notes = [
        f"{len(nodes)} nodes, {dead} not alive",
        *([] if isinstance(told[QUERIES], WarehouseError) else [_running(_records(told[QUERIES]))]),
        *([f"not told ({', '.join(refused)})"] if refused else []),
    ]
    seconds = max(answer.seconds for answer in answers)
    more = any(answer.more for answer in answers)
    return LiveState(Result(_COLUMNS, nodes, more, query_id, SQL, seconds, ()), tuple(notes))


def _records(answer: Fetched | WarehouseError) -> list[Record]:
    if isinstance(answer, WarehouseError):
        return []
    names = [column.name.lower() for column in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


def _frontend(record: Record) -> list[Scalar]:
    return [*_identity("FE", record, _text(record, "role")), None, None, None, None, None, _text(record, "errmsg")]


def _backend(record: Record) -> list[Scalar]:
    return _worker("BE", record, "maxdiskusedpct", "usedpct")


def _compute_node(record: Record) -> list[Scalar]:
    return _worker("CN", record)


def _worker(kind: str, record: Record, *disk: str) -> list[Scalar]:
    leaving = [name for name in ("systemdecommissioned", "clusterdecommissioned") if _text(record, name) == "true"]
    role = "decommissioning" if leaving else _text(record, "warehousename")
    # Of a node that is gone the FE keeps showing what it last heard, or zeros: neither is how it does now.
    present = record if _text(record, "alive").lower() == "true" else {}
    return [
        *_identity(kind, record, role),
        _number(present, "cpuusedpct"),
        _number(present, "memusedpct"),
        _number(record, *disk),
        _number(record, "tabletnum"),
        _number(present, "numrunningqueries"),
        _text(record, "errmsg"),
    ]


def _identity(kind: str, record: Record, role: str) -> list[Scalar]:
    alive = _text(record, "alive").lower()
    return [kind, _text(record, "ip", "host"), role, alive, _text(record, "version"), _text(record, "lastheartbeat")]


def _running(queries: Sequence[Record]) -> str:
    """How many queries run, and the longest of them. Their texts are not asked for."""
    if not queries:
        return "no query runs"
    longest = sorted(queries, key=_seconds, reverse=True)[:_LONGEST]
    count = "1 query runs" if len(queries) == 1 else f"{len(queries)} queries run, the longest"
    return f"{count}: {', '.join(map(_query, longest))}"


def _query(record: Record) -> str:
    where = f"user {_text(record, 'user')[:40]} in {_text(record, 'database')[:40] or 'no database'}"
    figures = (("memory", "memoryusage"), ("scanned", "scanrows"), ("progress", "execprogress"))
    told = [f"{label} {_text(record, name)[:24]}" for label, name in figures if _text(record, name)]
    return f"{_seconds(record):.1f} s ({'; '.join([where, *told])})"


def _text(record: Record, *names: str) -> str:
    return next((clean(str(record[name])) for name in names if record.get(name) is not None), "")


def _number(record: Record, *names: str) -> float | None:
    """The figure of the first of the columns that has one, without its unit: `12.3 %` is 12.3."""
    match = _QUANTITY.match(_text(record, *names))
    return float(match[1].replace(",", "")) if match else None


def _seconds(record: Record) -> float:
    match = _QUANTITY.match(_text(record, "exectime"))
    return (_number(record, "exectime") or 0.0) * _SECONDS.get(match[2].lower(), 1.0) if match else 0.0
