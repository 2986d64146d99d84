"""`python -m sandbox`: fill the stand-in, print the ready line, serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import schema
from sandbox import fleet
from sandbox.accounts import ADMIN, READER, WRITER
from sandbox.engine import Engine, open_engine
from sandbox.errors import StartError
from sandbox.load import load
from sandbox.options import Options
from sandbox.server import HOST, serving


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 after a clean stop, 2 when it cannot start."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # sqlglot warns of what it cannot read; the client is told by an error, the log need not be
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    chosen = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    if chosen.exit_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    options = Options(
        port=chosen.port,
        seed=chosen.seed,
        clusters=chosen.clusters,
        days=chosen.days,
        scenario=chosen.scenario,
        truth_file=chosen.truth_file,
        load=chosen.load,
        empty=chosen.empty,
    )
    try:
        engine = filled(options)
        asyncio.run(_serve(engine, options.port))
    except StartError as error:
        _say(f"sandbox: {error}")
        return 2
    return 0


def filled(options: Options) -> Engine:
    """An engine with the schema, and with the simulated fleet or the files of `options.load`; or a bare one with an
    administrator who may create the schema.

    Raises:
        StartError: unknown scenario, files that do not fit, or a truth file that cannot be written.
    """
    if options.empty:
        return open_engine((READER, WRITER, ADMIN))
    engine = open_engine()
    for text in schema.statements():
        engine.define(text)
    if options.load is not None:
        load(engine, options.load, _say)
        return engine
    now = dt.datetime.now(dt.UTC)
    try:
        truth = fleet.build(
            engine.connection,
            seed=options.seed,
            clusters=options.clusters,
            days=options.days,
            scenario=options.scenario,
            now=now,
            on_progress=_say,
        )
        if options.truth_file is not None:
            options.truth_file.write_text(json.dumps(truth.to_json(), indent=1), encoding="utf-8")
    except ValueError as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(f"--truth-file: {error.strerror}: {options.truth_file}") from error
    return engine


async def _serve(engine: Engine, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(engine, port) as bound:
        password = READER.password.get_secret_value()
        sys.stdout.write(f"ready mysql://{READER.name}:{password}@{HOST}:{bound}\n")
        sys.stdout.flush()
        await stop.wait()
    engine.close()


def _leave(number: int, frame: FrameType | None) -> None:
    """Told to stop while the tables are being filled."""
    raise SystemExit(0)


def _stop_at_end_of_input() -> None:
    """End with the parent: its death closes our standard input."""
    # not through sys.stdin: its lock, held by a waiting thread, aborts the interpreter when it shuts down
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="An embedded stand-in for StarRocks with a simulated fleet, on 127.0.0.1."
    )
    default = Options()
    parser.add_argument("--port", type=_port, default=default.port, help="port to listen on (default: any free one)")
    parser.add_argument("--seed", type=int, default=default.seed, help="the same seed gives the same fleet")
    parser.add_argument("--clusters", type=_count, default=default.clusters, help="active clusters")
    parser.add_argument("--days", type=_count, default=default.days, help="days of hourly metrics")
    parser.add_argument(
        "--scenario", default=default.scenario, help="default, none, decoys, random:N or one fault kind"
    )
    parser.add_argument("--truth-file", type=Path, help="write the planted faults to this JSON file")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--load", type=Path, help="fill the tables from DIR/database.table.csv or .parquet instead")
    instead.add_argument("--empty", action="store_true", help="no tables; the account admin/admin may create them")
    parser.add_argument("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is between 0 and 65535")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
