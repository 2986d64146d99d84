"""Asking again: how often, after how long, and never beyond what the turn has left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelBilling, ModelError, ModelOverloaded, ModelRateLimited
from agent.retry import Retry, RetryRules
from tests.agent.doubles import Clock


class Attempts:
    """Fails with these errors in order, then succeeds; each attempt takes `seconds` on the clock."""

    def __init__(self, clock: Clock, *faults: ModelError, seconds: float = 0.0) -> None:
        self.clock = clock
        self.faults = list(faults)
        self.seconds = seconds
        self.given: list[float | None] = []

    async def __call__(self, seconds_left: float | None) -> str:
        self.given.append(seconds_left)
        self.clock.time += self.seconds
        if self.faults:
            raise self.faults.pop(0)
        return "done"


def retry(clock: Clock, jitter: float = 1.0, **rules: float) -> Retry:
    return Retry(RetryRules(**rules), clock, clock.sleep, lambda: jitter)  # type: ignore[arg-type]


async def test_the_first_success_is_the_result() -> None:
    clock = Clock()
    assert await retry(clock).run(Attempts(clock, ModelOverloaded(), ModelOverloaded()), None) == "done"
    assert clock.slept == [1.0, 2.0]


async def test_what_asking_again_cannot_help_is_raised_at_once() -> None:
    clock = Clock()
    with pytest.raises(ModelBilling):
        await retry(clock).run(Attempts(clock, ModelBilling()), None)
    assert clock.slept == []


async def test_each_attempt_knows_the_seconds_left() -> None:
    clock = Clock()
    attempts = Attempts(clock, ModelOverloaded(), seconds=10)
    await retry(clock).run(attempts, 60)
    assert attempts.given == [60, 49]


async def test_no_attempt_is_made_when_its_wait_would_outlast_the_turn() -> None:
    clock = Clock()
    attempts = Attempts(clock, *[ModelOverloaded()] * 5, seconds=29.5)
    with pytest.raises(ModelOverloaded):
        await retry(clock).run(attempts, 60)
    assert len(attempts.given) == 2


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 5000)), max_size=6),
    st.one_of(st.none(), st.floats(0, 300)),
    st.floats(0, 1),
    st.floats(0, 100),
)
async def test_tries_waits_and_budget_are_never_exceeded(
    waits: list[float | None], budget: float | None, jitter: float, seconds: float
) -> None:
    clock = Clock()
    attempts = Attempts(clock, *(ModelRateLimited("", retry_after=wait) for wait in waits), seconds=seconds)
    try:
        await retry(clock, jitter).run(attempts, budget)
    except ModelRateLimited:
        assert waits
    assert 1 <= len(attempts.given) <= 3
    assert all(slept <= 60 + 8 for slept in clock.slept)
    assert budget is None or sum(clock.slept) <= budget
