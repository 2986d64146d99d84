"""What the wire costs: the same queries over the socket and in a DuckDB of this process, in one run.

Run: `python benchmarks/sandbox_wire.py [rows] [rounds]`. Prints one line per query: medians in ms and their ratio.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiomysql
import duckdb

from sandbox.launch import Endpoint, Options, running

TABLE = "metrics.amv_hourly_snapshots_v1"
GENERATE = """
SELECT
  TIMESTAMP '2026-01-01 00:00:00' + to_hours(CAST(i // 6800 AS INTEGER)) AS snapshot_hour,
  'aorpc2fr3' AS account_id, 'c' || (i % 170) AS cluster_id, 'm' || (i // 170 % 40) AS metric_name,
  random() * 100 AS avg_value, random() * 200 AS max_value, random() AS min_value,
  1.0 AS sum_value, 60 AS sample_count, random() AS last_value
FROM range({rows}) t(i)
"""
QUERIES = {
    "select 1": "SELECT 1",
    "aggregate of all rows": f"SELECT count(*), avg(avg_value), max(max_value) FROM {TABLE}",
    "one cluster by day": f"SELECT date_trunc('day', snapshot_hour) d, avg(avg_value) FROM {TABLE} "
    "WHERE cluster_id = 'c7' GROUP BY 1",
    "fleet by cluster and metric": "SELECT cluster_id, metric_name, avg(avg_value), max(max_value) "
    f"FROM {TABLE} GROUP BY 1, 2",
    "20,000 rows": f"SELECT * FROM {TABLE} LIMIT 20000",
}


async def over_the_wire(endpoint: Endpoint, rounds: int) -> dict[str, float]:
    """Median milliseconds per query through the socket."""
    user, password = endpoint.reader
    connection = await aiomysql.connect(host=endpoint.host, port=endpoint.port, user=user, password=password)
    medians = {}
    async with connection.cursor() as cursor:
        for name, sql in QUERIES.items():
            spent = []
            for _ in range(rounds):
                start = time.perf_counter()
                await cursor.execute(sql)
                await cursor.fetchall()
                spent.append((time.perf_counter() - start) * 1000)
            medians[name] = statistics.median(spent)
    connection.close()
    return medians


def in_process(run: Callable[[str], Any], rounds: int) -> dict[str, float]:
    """Median milliseconds per query in this process."""
    medians = {}
    for name, sql in QUERIES.items():
        spent = []
        for _ in range(rounds):
            start = time.perf_counter()
            run(sql).fetchall()
            spent.append((time.perf_counter() - start) * 1000)
        medians[name] = statistics.median(spent)
    return medians


async def main(rows: int, rounds: int) -> None:
    """Generate the rows once, measure both sides, print."""
    with tempfile.TemporaryDirectory() as directory, duckdb.connect(config={"threads": 2}) as local:
        file = Path(directory) / f"{TABLE}.parquet"
        local.execute("CREATE SCHEMA metrics")
        local.execute(f"CREATE TABLE {TABLE} AS {GENERATE.format(rows=rows)}")
        local.execute(f"COPY {TABLE} TO '{file}' (FORMAT parquet)")
        start = time.perf_counter()
        async with running(Options(load=Path(directory))) as endpoint:
            print(f"{rows:,} rows, {rounds} rounds, ready after {time.perf_counter() - start:.1f} s")
            wire = await over_the_wire(endpoint, rounds)
            direct = in_process(local.execute, rounds)
        print(f"{'query':<30}{'wire ms':>10}{'direct ms':>11}{'ratio':>8}")
        for name in QUERIES:
            print(f"{name:<30}{wire[name]:>10.2f}{direct[name]:>11.2f}{wire[name] / direct[name]:>8.2f}")


if __name__ == "__main__":
    sizes = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(sizes + [1_000_000, 15][len(sizes) :])))
