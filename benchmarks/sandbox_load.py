"""How long the simulated fleet takes to build and how much memory: `python benchmarks/sandbox_load.py 170 30`."""

import resource
import sys
import time
from datetime import UTC, datetime

import schema
from sandbox.engine import open_engine
from sandbox.fleet import build


def main(clusters: int, days: int) -> None:
    """Build one fleet and print seconds, rows per table and peak memory."""
    engine = open_engine()
    for statement in schema.statements():
        engine.define(statement)
    began = time.perf_counter()
    truth = build(
        engine.connection,
        seed=7,
        clusters=clusters,
        days=days,
        scenario="default",
        now=datetime.now(UTC),
        on_progress=lambda text: print(f"{time.perf_counter() - began:6.2f} s  {text}"),
    )
    print(f"{time.perf_counter() - began:6.2f} s  done, {len(truth.faults)} faults planted")
    for table in schema.tables():
        (count,) = engine.connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
        print(f"{count:>10,}  {table}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    engine.close()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3] or ("170", "30")))
