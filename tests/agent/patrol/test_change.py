"""When a course left its usual: steps, ramps, ramps that level off, with noise and wild hours."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.change import began


def course(began_ago: int, height: float, *, over: float = 0, noise: float = 0.0, seed: int = 1) -> dict[int, float]:
    """Deviations of the newest 48 hours: nothing, then a rise of `over` hours to `height`."""
    rng = random.Random(seed)
    found = {}
    for back in range(48):
        since = began_ago - back + 1
        share = 0.0 if since <= 0 else min(1.0, since / over if over else 1.0)
        found[back] = height * share + rng.gauss(0, noise)
    return found


@pytest.mark.parametrize("hours", [3, 6, 12, 24, 40])
def test_a_step_is_found_to_the_hour(hours: int) -> None:
    assert began(course(hours, 50)) == hours
    assert began(course(hours, 50, noise=4)) == pytest.approx(hours, abs=1)


@pytest.mark.parametrize("hours", [10, 20, 40])
def test_a_ramp_is_found_where_it_leaves_the_usual(hours: int) -> None:
    assert began(course(hours, 50, over=hours, noise=1)) == pytest.approx(hours, abs=4)


@pytest.mark.parametrize("hours", [12, 24, 40])
def test_a_ramp_that_levels_off_is_found_at_its_foot(hours: int) -> None:
    assert began(course(hours, 50, over=hours * 0.6, noise=1.5)) == pytest.approx(hours, abs=3)


def test_a_ramp_from_before_the_window_is_followed_back() -> None:
    ramp = {back: 100 - back for back in range(48)}
    assert began(ramp) == pytest.approx(100, abs=3)


def test_a_level_from_before_the_window_is_left_to_the_daily_values() -> None:
    assert began(dict.fromkeys(range(48), 50.0)) is None


def test_wild_hours_do_not_move_the_change() -> None:
    assert began(course(12, 50, noise=2) | {30: 200.0, 6: -90.0}) == pytest.approx(12, abs=1)


def test_a_course_that_is_not_bad_now_has_no_beginning() -> None:
    assert began({back: (50.0 if back > 10 else -1.0) for back in range(48)}) is None
    assert began({0: 5.0, 1: 5.0}) is None


@given(st.dictionaries(st.integers(-3, 60), st.floats(-1e9, 1e9), max_size=50))
def test_whatever_the_hours_the_answer_is_an_hour(rest: dict[int, float]) -> None:
    found = began(rest)
    assert found is None or 0 <= found <= 14 * 24
