"""When connecting is given up for a while, and by whom it is tried again: on a clock that the tests move."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.breaker import Breaker, Patience
from mcp_server.errors import Code, WarehouseError

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Timepiece:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.breaker = Breaker(lambda: self.seconds, lambda: NOON + timedelta(seconds=self.seconds))

    def attempt(self, *, works: bool) -> str:
        """`tried`, or the words of the breaker's own refusal."""
        tried = False
        try:
            with self.breaker.attempt():
                tried = True
                if not works:
                    raise WarehouseError(Code.UNAVAILABLE, "cannot be reached")
        except WarehouseError as error:
            return "tried" if tried else error.text()
        return "tried"

    def fail(self, times: int, every: float = 1.0) -> None:
        for _ in range(times):
            assert self.attempt(works=False) == "tried"
            self.seconds += every


def test_five_failures_in_half_a_minute_open_it_and_it_says_since_when() -> None:
    time = Timepiece()
    time.fail(4)
    assert time.breaker.health().state == "closed"
    time.fail(1, every=0)
    health = time.breaker.health()
    assert (health.state, health.since, health.seconds_to_retry) == ("open", NOON, 5.0)
    assert time.attempt(works=True).startswith(
        "UNAVAILABLE: the warehouse has not been reachable since 2026-03-01 12:00:00 UTC"
    )


def test_failures_far_apart_do_not_open_it() -> None:
    time = Timepiece()
    time.fail(20, every=7.6)
    assert time.breaker.health().state == "closed"


def test_the_pause_doubles_up_to_a_minute_and_since_stays() -> None:
    time = Timepiece()
    time.fail(5, every=0)
    waits = []
    for _ in range(6):
        wait = time.breaker.health().seconds_to_retry
        waits.append(wait)
        time.seconds += wait
        assert time.breaker.health().state == "half-open"
        assert time.attempt(works=False) == "tried"
    assert waits == [5, 10, 20, 40, 60, 60]
    assert time.breaker.health().since == NOON


def test_after_a_success_it_counts_from_nothing() -> None:
    time = Timepiece()
    time.fail(5, every=0)
    time.seconds = 5
    assert time.attempt(works=True) == "tried"
    assert time.breaker.health().state == "closed"
    time.fail(4, every=0)
    assert time.breaker.health().state == "closed"
    time.fail(1, every=0)
    assert time.breaker.health().seconds_to_retry == 5.0


def test_attempts_begun_before_it_opened_do_not_prolong_the_pause() -> None:
    time = Timepiece()
    with pytest.raises(WarehouseError), time.breaker.attempt():
        time.fail(5, every=0)
        raise WarehouseError(Code.UNAVAILABLE, "a late one")
    assert time.breaker.health().seconds_to_retry == 5.0


def test_an_attempt_that_ends_in_something_else_shows_nothing() -> None:
    time = Timepiece()
    time.fail(5, every=0)
    time.seconds = 5
    with pytest.raises(KeyboardInterrupt), time.breaker.attempt():
        raise KeyboardInterrupt
    assert time.breaker.health().state == "half-open"
    assert time.attempt(works=True) == "tried"


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=60))
def test_it_never_stays_shut_on_a_warehouse_that_works(events: list[tuple[float, bool]]) -> None:
    time = Timepiece()
    for pause, works in events:
        time.seconds += pause
        before = time.breaker.health()
        said = time.attempt(works=works)
        assert (said == "tried") is (before.state != "open")
    time.seconds += Patience().longest_pause
    assert time.attempt(works=True) == "tried"
    assert time.breaker.health().state == "closed"
