"""Writes columns into the warehouse's tables; the time series go in metric by metric, never row by row."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import numpy as np

from sandbox.fleet.exporter import SAMPLES_PER_HOUR, Block
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.state import State

_INSERT_BLOCK = """
INSERT INTO metrics.amv_hourly_snapshots_v1
  (snapshot_hour, account_id, cluster_id, metric_name,
   avg_value, max_value, min_value, sum_value, sample_count, last_value)
SELECT g.snapshot_hour, g.account_id, g.cluster_id, $1, b.mean, b.high, b.low, b.mean * g.samples, g.samples, b.last
FROM fleet_grid AS g POSITIONAL JOIN fleet_block AS b
WHERE g.present AND b.mean IS NOT NULL
"""


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Append `rows` (equal keys, Python values) to a table, column by column."""
    if rows:
        insert_columns(connection, table, {name: [row[name] for row in rows] for name in rows[0]})


def insert_columns(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, Any]) -> None:
    """Append columns of equal length (lists or arrays) to a table."""
    arrays = {name: _array(values) for name, values in columns.items()}
    names = ", ".join(columns)
    connection.register("fleet_rows", arrays)
    try:
        connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM fleet_rows")
    finally:
        connection.unregister("fleet_rows")


def insert_series(
    connection: duckdb.DuckDBPyConnection, clusters: list[Cluster], state: State, blocks: Iterable[Block]
) -> None:
    """Fill the hourly snapshots from `blocks`, leaving out the hours in which nothing arrived."""
    _lay_grid(connection, clusters, state)
    try:
        for block in blocks:
            _insert_block(connection, block)
    finally:
        connection.execute("DROP TABLE IF EXISTS fleet_grid")


def _lay_grid(connection: duckdb.DuckDBPyConnection, clusters: list[Cluster], state: State) -> None:
    rows, hours = state.shape
    present = state.present.ravel()
    grid = {
        "row": np.repeat(np.arange(rows), hours),
        "snapshot_hour": np.tile(state.hours.astype("datetime64[us]"), rows),
        "present": present,
        # A scrape is missed now and then; every 97th hour falls on another hour of the day each time.
        "samples": np.where(np.arange(rows * hours) % 97 == 0, SAMPLES_PER_HOUR - 2, SAMPLES_PER_HOUR),
    }
    owners = {
        "row": np.arange(rows),
        "account_id": _array([cluster.account.biz_id for cluster in clusters]),
        "cluster_id": _array([cluster.biz_id for cluster in clusters]),
    }
    connection.register("fleet_cells", grid)
    connection.register("fleet_owners", owners)
    connection.execute(
        "CREATE TEMPORARY TABLE fleet_grid AS SELECT c.snapshot_hour, o.account_id, o.cluster_id, c.present, c.samples "
        "FROM fleet_cells AS c JOIN fleet_owners AS o ON o.row = c.row ORDER BY c.row, c.snapshot_hour"
    )
    connection.unregister("fleet_cells")
    connection.unregister("fleet_owners")


def _insert_block(connection: duckdb.DuckDBPyConnection, block: Block) -> None:
    parts = {"mean": block.mean, "high": block.high, "low": block.low, "last": block.last}
    connection.register("fleet_block", {name: np.ascontiguousarray(part).ravel() for name, part in parts.items()})
    try:
        connection.execute(_INSERT_BLOCK, [block.metric])
    finally:
        connection.unregister("fleet_block")


def _array(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values
    first = next((value for value in values if value is not None), None)
    # As objects: numpy would turn None into the text "None", and truths into numbers.
    if isinstance(first, (bool, str)) or any(value is None for value in values):
        return np.array(values, dtype=object)
    return np.array(values, dtype="datetime64[us]") if hasattr(first, "isoformat") else np.array(values)
