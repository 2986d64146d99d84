"""Both kinds of own database; every test of the store runs on each."""

from datetime import UTC, datetime, timedelta

import pytest

MOMENT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = MOMENT

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an own database as it is before anything happened, as an operator would write it."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").with_tables())
    return str(request.getfixturevalue("own_database"))
