"""What the tests of the process share."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An address of an own database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'own' / 'starwatch.db'}"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was: commands set it up for a whole process."""
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()
