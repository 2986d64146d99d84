"""Seeded chance and the clock of seasons: independent, well shaped, at the right local hour."""

import uuid
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.fleet.chance import poisson, short_ids, stream, uuids, wander
from sandbox.fleet.names import clusters, companies
from sandbox.fleet.seasons import WORKLOAD_SHARES, WORKLOADS, daily_window, load_curve, local_clock

WEEK = np.arange("2026-03-02T00", "2026-03-09T00", dtype="datetime64[h]")


@settings(deadline=None)
@given(seed=st.integers(-(2**40), 2**40))
def test_a_stream_depends_on_seed_and_subject_only(seed: int) -> None:
    first, again, other = (stream(seed, name).random() for name in ("a", "a", "b"))

    assert first == again != other


@settings(deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(0, 40))
def test_ids_are_distinct_and_well_formed(seed: int, count: int) -> None:
    long, short = uuids(stream(seed, "u"), count), short_ids(stream(seed, "s"), count, "a")

    assert len(set(long)) == len(set(short)) == count
    assert all(uuid.UUID(key).version == 4 for key in long)
    assert all(len(key) == 9 and key.startswith("a") for key in short)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(1, 1500))
def test_names_never_run_out_and_never_repeat(count: int) -> None:
    rng = stream(1, "names")

    assert len(set(companies(rng, count))) == count
    assert len(set(clusters(rng, min(count, 400)))) == min(count, 400)


def test_wandering_noise_has_unit_size_and_memory() -> None:
    noise = wander(stream(1, "noise"), 50, 2000, keep=0.8)

    assert noise.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1] == pytest.approx(0.8, abs=0.02)


def test_counts_are_whole_and_have_the_mean_asked_for() -> None:
    counts = poisson(stream(1, "counts"), np.full(20_000, 3.5))

    assert counts.mean() == pytest.approx(3.5, abs=0.06)
    assert np.array_equal(counts, np.round(counts))


@pytest.mark.parametrize(("offset", "hour", "weekday"), [(0, 0, 0), (-8, 16, 6), (9, 9, 0), (5.5, 5.5, 0)])
def test_the_local_clock_of_a_region_is_ahead_or_behind(offset: float, hour: float, weekday: int) -> None:
    clock, day = local_clock(WEEK[:1], offset)

    assert (clock[0], day[0]) == (hour, weekday)


def test_weekdays_are_those_of_the_calendar() -> None:
    _, days = local_clock(WEEK, 0)

    assert days.tolist() == [hour.astype("datetime64[us]").astype(datetime).weekday() for hour in WEEK]


@pytest.mark.parametrize(("workload", "peak"), [("dashboards", 13), ("product", 19), ("loads", 3), ("adhoc", 15)])
@pytest.mark.parametrize("offset", [-8, 0, 9])
def test_a_workload_peaks_at_its_local_hour(workload: str, peak: int, offset: float) -> None:
    curve = load_curve(workload, WEEK[:24], offset)
    clock, _ = local_clock(WEEK[:24], offset)

    assert abs((clock[curve.argmax()] - peak + 12) % 24 - 12) <= 1
    assert 0 < curve.min() < curve.max() <= 1.05


def test_office_workloads_rest_at_weekends() -> None:
    curve = load_curve("dashboards", WEEK, 0)

    assert curve[120:].sum() / 2 < 0.5 * curve[:120].sum() / 5
    assert len(WORKLOADS) == len(WORKLOAD_SHARES)
    assert sum(WORKLOAD_SHARES) == pytest.approx(1)


@settings(deadline=None)
@given(first=st.integers(0, 23), length=st.integers(1, 12))
def test_a_daily_window_opens_once_a_day_for_its_length(first: int, length: int) -> None:
    inside = daily_window(WEEK, first, length)

    assert inside.sum() == 7 * length
    assert inside[first]
