"""Exported files fill the tables, or are refused in one clear line."""

from pathlib import Path

import pytest

from sandbox.engine import Engine
from sandbox.errors import StartError
from sandbox.load import load

HEADER = "snapshot_hour,account_id,cluster_id,metric_name,avg_value,last_value"


def one(engine: Engine, sql: str) -> tuple[object, ...]:
    row = engine.connection.execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def test_a_csv_fills_its_table_by_column_names(own_engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "byoc.region_details.csv").write_text('region_id,cloud,display_name\nr1,aws,"Ohio, ""US"""\nr2,,\n')
    said: list[str] = []
    load(own_engine, tmp_path, said.append)
    sql = "SELECT cloud, display_name FROM byoc.region_details ORDER BY region_id"
    assert own_engine.connection.execute(sql).fetchall() == [("aws", 'Ohio, "US"'), (None, None)]
    assert said == ["loaded 2 rows into byoc.region_details"]


def test_a_parquet_file_fills_its_table(own_engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "metrics.metrics_dict_v2.parquet"
    own_engine.connection.execute(f"COPY (SELECT 'qps' AS metric_name, 'x' AS unit) TO '{file}' (FORMAT parquet)")
    load(own_engine, tmp_path)
    assert one(own_engine, "SELECT metric_name, unit FROM metrics.metrics_dict_v2") == ("qps", "x")


def test_tables_without_a_file_stay_empty(own_engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "byoc.region_details.csv").write_text("region_id\nr1\n")
    load(own_engine, tmp_path)
    assert one(own_engine, "SELECT count(*) FROM byoc.clusters") == (0,)


def test_numbers_and_moments_are_read_as_such(own_engine: Engine, tmp_path: Path) -> None:
    own_engine.connection.execute("DELETE FROM metrics.amv_hourly_snapshots_v1")
    file = tmp_path / "metrics.amv_hourly_snapshots_v1.csv"
    file.write_text(f"{HEADER}\n2026-01-01 05:00:00,aorpc2fr3,c1,qps,1.5,2\n")
    load(own_engine, tmp_path)
    sql = "SELECT hour(snapshot_hour), avg_value + last_value, max_value FROM metrics.amv_hourly_snapshots_v1"
    assert one(own_engine, sql) == (5, 3.5, None)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("byoc.nope.csv", "a\n1\n", "there is no table byoc.nope"),
        ("byoc.cluster.csv", "a\n1\n", "did you mean byoc.clusters?"),
        ("metrics.v_customer_key_v2.csv", "biz_id\n1\n", "there is no table metrics.v_customer_key_v2"),
        ("byoc.region_details.csv", "region_id,clouds\nr1,aws\n", "no column clouds; did you mean cloud?"),
        ("byoc.region_details.csv", "cloud\naws\n", "the column region_id is missing"),
        (
            "metrics.amv_hourly_snapshots_v1.csv",
            f"{HEADER}\nyesterday,a,c,q,1,2\n",
            "metrics.amv_hourly_snapshots_v1.csv:",
        ),
        ("byoc.region_details.parquet", "no parquet", "byoc.region_details.parquet:"),
        ("readme.txt", "nothing", "holds no .csv or .parquet file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(
    own_engine: Engine, tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(StartError) as refused:
        load(own_engine, tmp_path)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_directory_that_does_not_exist_is_refused(own_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="is not a directory"):
        load(own_engine, tmp_path / "nowhere")
