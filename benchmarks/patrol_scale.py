"""How long one look at a fleet of real size takes: `python -m benchmarks.patrol_scale 172 48 208`.

Active clusters, days of hours, metrics; what the simulation does not send is filled up with copies under other names.
The stand-in runs in a process of its own, as a warehouse does; the look goes through the door.
"""

import asyncio
import json
import multiprocessing
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import schema
from agent.patrol.inspection import inspect
from agent.patrol.rules import load_rules
from benchmarks.patrol_tools import tools_of
from sandbox.accounts import READER, WRITER
from sandbox.engine import Engine, Limits, open_engine
from sandbox.fleet import build
from sandbox.launch import Endpoint
from sandbox.server import serving

LOOKS = 3


def filled(clusters: int, days: int, metrics: int) -> Engine:
    """The warehouse of that size."""
    engine = open_engine(limits=replace(Limits(), memory="16GB"))
    for statement in schema.statements():
        engine.define(statement)
    build(engine.connection, seed=7, clusters=clusters, days=days, scenario="default", now=datetime.now(UTC))
    table = "metrics.amv_hourly_snapshots_v1"
    names = [name for (name,) in engine.connection.execute(f"SELECT DISTINCT metric_name FROM {table}").fetchall()]
    for number in range(max(0, metrics - len(names))):
        source = names[number % len(names)]
        copy = f"SELECT * REPLACE ('filler_{number}' AS metric_name) FROM {table} WHERE metric_name = $1"
        engine.connection.execute(f"INSERT INTO {table} {copy}", [source])
    return engine


async def _serve(engine: Engine, told: Connection) -> None:
    async with serving(engine, 0) as port:
        told.send(port)
        await asyncio.to_thread(told.recv)


def _warehouse(clusters: int, days: int, metrics: int, told: Connection) -> None:
    began = time.perf_counter()
    engine = filled(clusters, days, metrics)
    (rows,) = engine.connection.execute("SELECT count(*) FROM metrics.amv_hourly_snapshots_v1").fetchone() or (0,)
    told.send((rows, time.perf_counter() - began))
    asyncio.run(_serve(engine, told))


async def _look(port: int) -> dict[str, object]:
    place = Endpoint(
        "127.0.0.1",
        port,
        (READER.name, READER.password.get_secret_value()),
        (WRITER.name, WRITER.password.get_secret_value()),
    )
    seconds = []
    async with tools_of(place) as tools:
        for _ in range(LOOKS):
            began = time.perf_counter()
            evidence = await inspect(tools, load_rules(), datetime.now(UTC).replace(tzinfo=None))
            seconds.append(round(time.perf_counter() - began, 2))
    return {
        "seconds": seconds,
        "clusters": len(evidence.clusters),
        "flagged": len(evidence.flagged),
        "statements": evidence.statements,
        "prompt_characters": len(evidence.render()),
        "notes": list(evidence.notes),
    }


def main(clusters: int, days: int, metrics: int) -> None:
    """Fill, look three times, and tell."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_warehouse, args=(clusters, days, metrics, theirs))
    child.start()
    rows, building = ours.recv()
    told = {"rows": rows, "building_seconds": round(building, 1)} | asyncio.run(_look(ours.recv()))
    ours.send(None)
    child.join(30)
    told["agent_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4] or ("172", "48", "208")))
