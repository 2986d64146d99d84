"""Writing columns: every type survives, gaps stay gaps, a failed write leaves nothing behind."""

from collections.abc import Iterator
from datetime import datetime

import duckdb
import numpy as np
import pytest

import schema
from sandbox.engine import open_engine
from sandbox.fleet.ambience import calm
from sandbox.fleet.exporter import Block, Export
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import hours_before
from sandbox.fleet.store import insert, insert_columns, insert_series
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(4, 2, NOW)
STATE = calm(4, FLEET.active, hours_before(NOW, 2))
SERIES = "metrics.amv_hourly_snapshots_v1"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    engine = open_engine()
    for statement in schema.statements():
        engine.define(statement)
    yield engine.connection
    engine.close()


def test_every_kind_of_value_survives(connection: duckdb.DuckDBPyConnection) -> None:
    row = {
        "biz_id": "id", "account_id": None, "cluster_name": "a'b\"c|<!channel>\n数据", "cluster_type": None,
        "region_id": "r", "stopped": None, "deleted": True, "created_at": datetime(2026, 1, 2, 3, 4, 5),
    }  # fmt: skip
    insert(connection, "byoc.clusters", [row, {**row, "biz_id": "id2", "stopped": False, "created_at": None}])

    first, second = connection.execute("SELECT * FROM byoc.clusters ORDER BY biz_id").fetchall()
    assert first == tuple(row.values())
    assert (second[5], second[7]) == (False, None)


def test_no_rows_are_no_statement(connection: duckdb.DuckDBPyConnection) -> None:
    insert(connection, "byoc.no_such_table", [])


def test_a_failed_write_leaves_no_temporary_name(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.CatalogException):
        insert_columns(connection, "byoc.no_such_table", {"a": [1]})
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT * FROM fleet_rows")


def test_hours_without_samples_and_metrics_not_exported_have_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    present = np.ones(STATE.shape, dtype=bool)
    present[0, 5] = False
    STATE.present = present
    values = np.ones(STATE.shape)
    values[1] = np.nan
    insert_series(connection, FLEET.active, STATE, [Block("m", values, values, values, values)])

    found = connection.execute(f"SELECT cluster_id, count(*) FROM {SERIES} GROUP BY 1").fetchall()
    assert found == [(FLEET.active[0].biz_id, 47)]


def test_each_value_lands_on_its_cluster_and_hour(connection: duckdb.DuckDBPyConnection) -> None:
    STATE.present = np.ones(STATE.shape, dtype=bool)
    values = np.arange(96, dtype=np.float64).reshape(2, 48)
    insert_series(connection, FLEET.active, STATE, [Block("m", values, values + 2, values - 2, values + 1)])

    for row, cluster in enumerate(FLEET.active):
        found = connection.execute(
            f"SELECT snapshot_hour, account_id, avg_value, max_value, min_value, last_value FROM {SERIES} "
            "WHERE cluster_id = $1 ORDER BY 1",
            [cluster.biz_id],
        ).fetchall()
        assert [f[0] for f in found] == STATE.hours.astype("datetime64[us]").tolist()
        assert {f[1] for f in found} == {cluster.account.biz_id}
        assert [f[2:] for f in found] == [(v, v + 2, v - 2, v + 1) for v in values[row]]


def test_a_broken_series_leaves_no_temporary_table(connection: duckdb.DuckDBPyConnection) -> None:
    def breaking() -> Iterator[Block]:
        yield next(Export(STATE, 4).blocks())
        raise RuntimeError("exporter died")

    with pytest.raises(RuntimeError, match="exporter died"):
        insert_series(connection, FLEET.active, STATE, breaking())
    assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'fleet_grid'").fetchall() == [
        (0,)
    ]
