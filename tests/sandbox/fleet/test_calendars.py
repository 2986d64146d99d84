"""Decoys of the calendar: batches that weeks explain, and pasts that are over."""

from datetime import datetime

import numpy as np
import pytest

from sandbox.fleet.ambience import calm
from sandbox.fleet.calendars import CALENDARS, WEEK
from sandbox.fleet.chance import Floats, stream
from sandbox.fleet.decoys import BY_NAME as OTHER_DECOYS
from sandbox.fleet.inventory import settle
from sandbox.fleet.lines import Usual, troubles
from sandbox.fleet.planting import hours_before
from sandbox.fleet.state import State
from sandbox.fleet.strike import Strike
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(3, 4, NOW)
BY_NAME = {decoy.name: decoy for decoy in CALENDARS}
ROW = 1


def lived(name: str, days: int = 28, seed: int = 1, now: datetime = NOW) -> tuple[State, State]:
    """The state before and after a decoy of the calendar."""
    before, after = (calm(3, FLEET.active, hours_before(now, days)) for _ in range(2))
    strike = Strike(after, FLEET.active[ROW], ROW, after.shape[1] - 1, "Info", 0.5, stream(seed, name))
    BY_NAME[name].act(strike)
    return before, after


def lifted(name: str, days: int = 28, seed: int = 1, now: datetime = NOW) -> np.ndarray:
    """Hours back at which the p99 of the cluster is above its course."""
    before, after = lived(name, days, seed, now)
    return after.shape[1] - 1 - np.nonzero(after.p99[ROW] > before.p99[ROW] * 1.5)[0]


def weeks(back: np.ndarray) -> set[int]:
    """In which weeks before now the batch ran, however it lies on the week's border."""
    return {round(int(hour) / WEEK) for hour in back}


@pytest.mark.parametrize("seed", range(5))
def test_a_weekly_batch_runs_at_the_same_hours_of_every_week(seed: int) -> None:
    back = lifted("weekly_batch", seed=seed)
    newest = {int(hour) for hour in back if hour < 12}
    assert 1 <= len(newest) <= 8
    assert {int(hour) - WEEK for hour in back if WEEK <= hour < WEEK + 12} == newest
    assert weeks(back) >= {0, 1, 2, 3}


def test_a_skipped_batch_did_not_run_last_week_but_in_those_before() -> None:
    back = lifted("skipped_batch")
    assert weeks(back) >= {0, 2, 3}
    assert 1 not in weeks(back)


def test_of_two_weeks_a_batch_skips_none() -> None:
    assert weeks(lifted("skipped_batch", days=14)) >= {0, 1}


@pytest.mark.parametrize("name", ["weekly_batch", "skipped_batch"])
def test_a_batch_that_no_week_before_could_explain_does_not_run(name: str) -> None:
    assert lifted(name, days=7).size == 0


@pytest.mark.parametrize("name", ["weekly_batch", "skipped_batch"])
def test_a_batch_reaches_what_would_be_trouble_elsewhere(name: str) -> None:
    before, after = lived(name)
    found = troubles(after, Usual(before), FLEET.active)
    assert {one.row for one in found} == {ROW}
    # And none where it is usual.
    assert troubles(after, Usual(after), FLEET.active) == []


def test_a_holiday_was_a_week_ago_and_quiet() -> None:
    before, after = lived("holiday")
    quiet = after.shape[1] - 1 - np.nonzero(after.qps[ROW] < before.qps[ROW] * 0.5)[0]
    assert (quiet.min(), quiet.max(), len(quiet)) == (WEEK - 12, WEEK + 12, 25)


def test_a_month_is_closed_on_its_last_and_the_next_ones_first_day() -> None:
    back = lifted("month_end")
    hours = [hours_before(NOW, 28)[-1 - hour] for hour in back]
    days = {str(hour.astype("datetime64[D]")) for hour in hours}
    # Ten days into March: the end of February lies in the four weeks.
    assert days == {"2026-02-28", "2026-03-01"}
    assert len(back) == 36


@pytest.mark.parametrize("now", [datetime(2026, 3, 31, 20), datetime(2026, 4, 1, 10), datetime(2026, 4, 2, 9)])
def test_a_months_end_that_is_going_on_is_spared(now: datetime) -> None:
    assert (lifted("month_end", days=20, now=now) > 48).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_bad_week_is_long_over(seed: int) -> None:
    back = lifted("bad_week", seed=seed)
    assert back.min() > 3 * 24
    assert 72 <= len(back) <= WEEK


def test_a_short_past_has_no_bad_week() -> None:
    assert lifted("bad_week", days=14).size == 0


@pytest.mark.parametrize("decoy", CALENDARS, ids=lambda decoy: decoy.name)
def test_a_decoy_of_the_calendar_touches_one_cluster_only(decoy) -> None:
    before, after = lived(decoy.name)
    for name in State.__dataclass_fields__:
        if name != "hours":
            now: Floats = getattr(after, name)
            past: Floats = getattr(before, name)
            assert np.array_equal(np.delete(now, ROW, axis=0), np.delete(past, ROW, axis=0), equal_nan=True)


@pytest.mark.parametrize("decoy", CALENDARS, ids=lambda decoy: decoy.name)
def test_a_decoy_of_the_calendar_leaves_what_is_levelled_and_loaded_finite(decoy) -> None:
    _, after = lived(decoy.name)
    for field in (after.cpu, after.p99, after.qps, after.connections, after.compaction, after.journal):
        assert np.isfinite(field[ROW]).all()
        assert (field[ROW] >= 0).all()
    assert after.cpu[ROW].max() < 100


def test_names_of_decoys_are_given_once() -> None:
    assert not set(BY_NAME) & set(OTHER_DECOYS)
