"""Simulated fleets in engines of their own, built once per session where tests only read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pytest

import schema
from sandbox.engine import open_engine
from sandbox.fleet import Fault, Truth, build

NOW = datetime(2026, 3, 10, 14, 25)
"""Two days after the US clocks moved, so both Pacific offsets occur."""


@dataclass(frozen=True)
class Built:
    """A filled warehouse and what was planted in it."""

    connection: duckdb.DuckDBPyConnection
    truth: Truth

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(values)).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def fault(self, kind: str) -> Fault:
        return next(fault for fault in self.truth.faults if fault.kind == kind)

    def course(self, cluster_id: str, metric: str, column: str = "avg_value") -> tuple[list[datetime], np.ndarray]:
        """Return the hours and values of one metric, oldest first."""
        found = self.rows(
            f"SELECT snapshot_hour, {column} FROM metrics.amv_hourly_snapshots_v1 "
            "WHERE cluster_id = $1 AND metric_name = $2 ORDER BY snapshot_hour",
            cluster_id,
            metric,
        )
        return [hour for hour, _ in found], np.array([value for _, value in found])

    def hourly_rise(self, cluster_id: str, metric: str) -> tuple[list[datetime], np.ndarray]:
        """Return the hours and the reset-aware rises of a counter."""
        hours, last = self.course(cluster_id, metric, "last_value")
        return hours[1:], np.maximum(np.diff(last), 0)


Builder = Callable[..., Built]


@pytest.fixture(scope="session")
def fleet() -> Iterator[Builder]:
    """Build fleets on demand; the same arguments give the same one."""
    built: dict[tuple[Any, ...], Built] = {}
    engines = []

    def make(
        scenario: str = "none", clusters: int = 12, days: int = 8, seed: int = 7, now: datetime = NOW, copy: int = 0
    ) -> Built:
        key = (scenario, clusters, days, seed, now, copy)
        if key not in built:
            engine = open_engine()
            engines.append(engine)
            for statement in schema.statements():
                engine.define(statement)
            truth = build(engine.connection, seed=seed, clusters=clusters, days=days, scenario=scenario, now=now)
            built[key] = Built(engine.connection, truth)
        return built[key]

    yield make
    built.clear()
    while engines:
        engines.pop().close()


@pytest.fixture(scope="session")
def troubled(fleet: Builder) -> Built:
    """A fleet that has every fault kind and every decoy, each on a cluster of its own."""
    return fleet("default", clusters=48)


@pytest.fixture(scope="session")
def month(fleet: Builder) -> Built:
    """Three healthy weeks of a small fleet."""
    return fleet("none", clusters=16, days=21)
