"""Where a course leads: the line, its interval, and the probability of meeting a limit."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.forecast import Line, Reach, line, reach

HORIZONS = (24, 48)
FLAT = dict.fromkeys(range(24), 0.0)


def course(per_hour: float, noise: float = 0.0, hours: int = 24, seed: int = 1) -> dict[int, float]:
    rng = random.Random(seed)
    return {back: 80 - per_hour * back + rng.gauss(0, noise) for back in range(hours)}


def made(hours: dict[int, float], span: int = 24) -> Line:
    found = line(hours, span)
    assert found is not None
    return found


def met(one: Line, limit: float = 90.0, **options: object) -> Reach:
    return reach(one, FLAT, 12, limit, **({"down": False, "horizons": HORIZONS} | options))  # type: ignore[arg-type]


def test_a_straight_course_is_its_own_line_without_doubt() -> None:
    found = made(course(0.5))
    assert (found.level, found.per_hour, found.spread) == pytest.approx((80, 0.5, 0))
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


def test_the_interval_holds_the_true_pace_nine_times_of_ten() -> None:
    inside = sum((one := made(course(0.3, 1.0, seed=seed))).low <= 0.3 <= one.high for seed in range(200))
    assert inside >= 176


def test_the_interval_holds_the_true_pace_when_hours_are_alike_too() -> None:
    def alike(seed: int) -> dict[int, float]:
        rng, drift, found = random.Random(seed), 0.0, {}
        for back in reversed(range(24)):
            drift = 0.6 * drift + rng.gauss(0, 0.8)
            found[back] = 80 - 0.3 * back + drift
        return found

    inside = sum((one := made(alike(seed))).low <= 0.3 <= one.high for seed in range(200))
    assert inside >= 150


def test_a_quarter_of_wild_hours_does_not_turn_the_line() -> None:
    hours = course(0.5, 0.1) | {3: 500.0, 9: -40.0, 14: 300.0}
    assert made(hours).per_hour == pytest.approx(0.5, abs=0.1)


def test_too_few_hours_have_no_line() -> None:
    assert line({0: 1.0, 1: 2.0, 2: 3.0}, 24) is None


def test_a_steady_course_reaches_the_limit_when_its_pace_says() -> None:
    found = met(made(course(0.5, 0.05)))
    assert found.soonest < found.expected < found.latest
    assert found.expected == pytest.approx(20, abs=1)
    assert found.chances[24] > 0.85
    assert found.chances[48] > 0.95


def test_a_course_that_falls_short_is_unlikely_to_arrive() -> None:
    found = met(made(course(0.1, 0.05)))
    assert found.chances[48] < 0.05
    assert found.soonest > 48


def test_a_pace_that_may_be_standing_still_has_no_latest_hour() -> None:
    found = met(made(course(0.02, 2.0)))
    assert math.isinf(found.latest)


def test_free_memory_that_falls_is_followed_downwards() -> None:
    falling = {back: 20 + 0.5 * back for back in range(24)}
    found = met(made(falling), limit=10.0, down=True)
    assert found.expected == pytest.approx(20)
    assert found.chances[24] > 0.8


def test_a_pace_known_to_the_hair_may_change_all_the_same() -> None:
    found = met(made(course(0.5)))
    assert (found.soonest, found.expected, found.latest) == pytest.approx((16.04, 20, 26.55), abs=0.01)


def test_nothing_that_is_still_to_come_is_certain() -> None:
    assert met(made(course(0.5)), limit=81.0).chances[48] < 1


def test_the_rhythm_of_the_day_decides_about_the_hour() -> None:
    nightly = {hour: (9.0 if hour == 2 else 0.0) for hour in range(24)}
    quiet = reach(made(course(0.1, 0.05)), FLAT, 12, 90.0, down=False, horizons=(24,))
    night = reach(made(course(0.1, 0.05)), nightly, 12, 90.0, down=False, horizons=(24,))
    assert quiet.chances[24] < 0.05
    assert night.chances[24] > 0.1


def test_what_is_beyond_the_limit_already_takes_no_time() -> None:
    found = met(made(course(0.5)), limit=79.0)
    assert (found.expected, found.soonest, found.latest) == (0.0, 0.0, 0.0)
    assert found.chances[24] == pytest.approx(0.98)


@given(
    st.dictionaries(st.integers(0, 47), st.floats(-1e6, 1e6), min_size=6),
    st.floats(-1e6, 1e6),
    st.booleans(),
)
def test_whatever_the_course_chances_are_chances(hours: dict[int, float], limit: float, down: bool) -> None:
    found = line(hours, 24)
    if found is not None:
        ahead = met(found, limit, down=down)
        assert 0 <= ahead.chances[24] <= ahead.chances[48] <= 1
        assert 0 <= ahead.soonest <= ahead.expected <= ahead.latest
        assert ahead.soonest <= ahead.latest
        assert found.low <= found.per_hour <= found.high
