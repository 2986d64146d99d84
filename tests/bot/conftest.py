"""What the tests of the process share."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from bot.cli import main
from sandbox.launch import Endpoint
from tests.fakes import postgres as fake_postgres
from tests.stores import newest_tables, own_database

__all__ = ["newest_tables", "own_database"]

Run = Callable[..., tuple[int, str, str]]
RunAsync = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An address of an own database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'own' / 'starwatch.db'}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[fake_postgres.Postgres]:
    """A Postgres server on loopback; each test makes databases of its own in it."""
    with fake_postgres.running() as server:
        yield server


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was: commands set it up for a whole process."""
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def state_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state folder of the test's own: no test may add to the audit of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_of_its_own: None
) -> Iterator[pytest.MonkeyPatch]:
    """An empty folder, and none of the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch


@pytest.fixture
def starwatch(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def run(*words: str, **variables: str) -> tuple[int, str, str]:
        environment.setattr(sys, "argv", ["starwatch", *words])
        for name, value in variables.items():
            environment.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


@pytest.fixture
def real(warehouse: Endpoint) -> dict[str, str]:
    """The settings that name the embedded warehouse as if it were somebody's StarRocks."""
    return {
        "STARWATCH_STARROCKS_HOST": warehouse.host,
        "STARWATCH_STARROCKS_PORT": str(warehouse.port),
        "STARWATCH_STARROCKS_USER": warehouse.reader[0],
        "STARWATCH_STARROCKS_PASSWORD": warehouse.reader[1],
        "STARWATCH_WRITER_USER": warehouse.writer[0],
        "STARWATCH_WRITER_PASSWORD": warehouse.writer[1],
    }


@pytest.fixture
def in_thread(starwatch: Run) -> Callable[..., Awaitable[tuple[int, str, str]]]:
    """The same for a test whose own loop must go on meanwhile."""

    async def run(*words: str, **variables: str) -> tuple[int, str, str]:
        return await asyncio.to_thread(starwatch, *words, **variables)

    return run
