"""How often somebody may ask in a minute, whatever the moments at which they do."""

from hypothesis import given
from hypothesis import strategies as st

from bot import bursts
from bot.bursts import MINUTE, Bursts

GAPS = st.lists(st.floats(0, 90), max_size=60)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@given(GAPS, st.integers(1, 5))
def test_no_minute_holds_more_than_may_be_and_each_excess_is_told_once(gaps: list[float], most: int) -> None:
    clock = Clock()
    counted, fine, found = Bursts(clock), list[float](), list[str]()
    for gap in gaps:
        clock.time += gap
        found.append(counted.count("ann", most))
        if found[-1] == "fine":
            fine.append(clock.time)
    assert all(later - earlier >= MINUTE for earlier, later in zip(fine, fine[most:], strict=False))
    for before, now in zip(["fine", *found], found, strict=False):
        assert (now == "too fast") == (now != "fine" and before == "fine")


@given(GAPS)
def test_who_keeps_to_the_pace_is_never_held_up(gaps: list[float]) -> None:
    clock = Clock()
    counted = Bursts(clock)
    for gap in gaps:
        clock.time += 20 + gap
        assert counted.count("ann", 3) == "fine"


def test_people_are_counted_apart_and_no_limit_counts_nothing() -> None:
    counted = Bursts(Clock())
    assert [counted.count("ann", 1), counted.count("bob", 1), counted.count("ann", 1)] == ["fine", "fine", "too fast"]
    assert {counted.count("eve", 0) for _ in range(100)} == {"fine"}


def test_of_many_people_those_not_seen_for_longest_are_forgotten() -> None:
    counted = Bursts(Clock())
    for number in range(bursts.NAMES + 10):
        counted.count(f"{number}", 1)
    assert counted.count(f"{bursts.NAMES + 9}", 1) == "too fast"
    assert counted.count("0", 1) == "fine"
