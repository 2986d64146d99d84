"""Handlers with everything around them in memory."""

import pytest

from handlers.deps import Deps
from handlers.flight import Flights
from tests.fakes.thinking import Agents, Patrols, Reports, Surface


class Bench:
    """The deps and their parts."""

    def __init__(self) -> None:
        self.surface = Surface()
        self.agents = Agents()
        self.patrols = Patrols()
        self.reports = Reports()
        self.deps = Deps(self.surface, self.agents, self.patrols, self.reports, Flights(), lambda: "ref-1")


@pytest.fixture
def bench() -> Bench:
    return Bench()
