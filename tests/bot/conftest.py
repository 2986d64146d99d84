"""What the tests of the process share."""

from pathlib import Path

import pytest


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An address of an own database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'own' / 'starwatch.db'}"
