"""What tests of several packages share: one small simulated fleet behind the embedded warehouse."""

import asyncio
import atexit
import gc
import json
import os
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from sandbox.launch import Endpoint, Options, running

# A busy machine is no failure, and a red run must be red again on the next machine.
hypothesis.settings.register_profile("starwatch", deadline=None, derandomize=True)
hypothesis.settings.load_profile("starwatch")


@atexit.register
def without_noise() -> None:
    """DuckDB's binding lists what it calls leaks when the interpreter that imported hypothesis too is torn down; the
    list would bury the closing line. Nothing of ours writes after this point."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


LONGEST = (
    "tests/bot/faults/test_process.py",
    "tests/bot/turns/test_killed.py",
    "tests/test_sql_texts.py",
    "tests/agent/patrol/test_evidence.py",
    "tests/bot/test_demo.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: a worker that meets it last ends alone, minutes after the others."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """The thousands of collected tests live to the end: no collection of garbage need look at them."""
    gc.collect()
    gc.freeze()


CLUSTERS = 24
DAYS = 8


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, dict[str, Any]]]:
    """The warehouse process and the truth about its fleet, one for the whole run."""
    truth_file: Path = tmp_path_factory.mktemp("fleet") / "truth.json"
    options = Options(clusters=CLUSTERS, days=DAYS, truth_file=truth_file)
    with asyncio.Runner() as runner:
        context: AbstractAsyncContextManager[Endpoint] = running(options)
        endpoint = runner.run(context.__aenter__())
        try:
            yield endpoint, json.loads(truth_file.read_text())
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def warehouse(fleet: tuple[Endpoint, dict[str, Any]]) -> Endpoint:
    """Address and accounts of the embedded warehouse."""
    return fleet[0]


@pytest.fixture(scope="session")
def truth(fleet: tuple[Endpoint, dict[str, Any]]) -> dict[str, Any]:
    """What was planted: faults, must_flag, must_not_flag."""
    return fleet[1]
