"""Our own database as tests find it, for those that keep something in it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.store import migrated


@pytest.fixture(scope="session")
def newest_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our own tables and nothing in them."""
    file: Path = tmp_path_factory.mktemp("store") / "own.db"
    asyncio.run(migrated(f"sqlite:///{file}"))
    return file


@pytest.fixture
def own_database(newest_tables: Path, tmp_path: Path) -> str:
    """The address of an own database as it is before anything happened: a copy, since making the tables takes longer
    than most tests."""
    return f"sqlite:///{shutil.copy(newest_tables, tmp_path / 'own.db')}"
