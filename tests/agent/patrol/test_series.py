"""Statistics on short series: right on plain ones, calm on hostile ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.series import (
    Track,
    drawn,
    hour_of_day,
    lasting,
    level,
    onset,
    ratio,
    ratio_track,
    residuals,
    same_hours,
    slope,
    sums,
    total,
    usual,
    wander,
    whole_nodes,
    worst_of,
)

values = st.floats(min_value=0, max_value=1e15)
hours = st.dictionaries(st.integers(0, 47), values, max_size=48)


def test_one_spike_does_not_move_the_level_of_now() -> None:
    assert level({0: 10.0, 1: 9_000.0, 2: 11.0}, 3) == 11.0


def test_two_bad_hours_of_three_do_move_it() -> None:
    assert level({0: 95.0, 1: 94.0, 2: 30.0}, 3) == 94.0


def test_a_gap_is_bridged_with_slightly_older_hours_but_not_with_old_ones() -> None:
    assert level({1: 5.0, 4: 7.0, 5: 9.0}, 3) == 7.0
    assert level({6: 5.0, 7: 7.0}, 3) is None
    assert level({}, 3) is None


@given(hours)
def test_a_level_lies_within_the_values(series: dict[int, float]) -> None:
    found = level(series, 3)
    newest = [value for at, value in series.items() if at < 6]
    assert (found is None) == (not newest)
    assert found is None or min(newest) <= found <= max(newest)


@given(st.lists(st.tuples(st.integers(0, 47), values), unique_by=lambda pair: pair[0]), st.randoms())
def test_the_order_in_which_hours_arrive_does_not_matter(pairs: list[tuple[int, float]], random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, other = dict(pairs), dict(shuffled)
    assert (level(one, 3), slope(one, 24), onset(one, 10)) == (level(other, 3), slope(other, 24), onset(other, 10))


def test_the_slope_of_a_straight_line_is_its_slope_with_a_perfect_fit() -> None:
    found = slope({back: 50.0 - 0.5 * back for back in range(24)}, 24)
    assert found is not None
    assert found.per_hour == pytest.approx(0.5)
    assert found.fit == 1.0


def test_a_few_wild_hours_do_not_turn_a_slope() -> None:
    course = {back: 50.0 - 0.5 * back for back in range(24)} | {3: 0.0, 11: 900.0}
    found = slope(course, 24)
    assert found is not None
    assert found.per_hour == pytest.approx(0.5, abs=0.05)


def test_noise_without_direction_has_a_poor_fit() -> None:
    found = slope({back: 50 + 3 * math.sin(7.3 * back * back) for back in range(24)}, 24)
    assert found is not None
    assert found.fit < 0.4


def test_too_few_hours_have_no_slope() -> None:
    assert slope({0: 1.0, 1: 2.0, 2: 3.0}, 24) is None
    assert slope(dict.fromkeys(range(8), 1.0), 24) is None


@given(hours, st.integers(6, 48))
def test_a_fit_is_a_share(series: dict[int, float], span: int) -> None:
    found = slope(series, span)
    assert found is None or (0 <= found.fit <= 1 and math.isfinite(found.per_hour))


def test_an_onset_forgives_one_good_hour_but_not_two() -> None:
    assert onset({0: 9.0, 1: 9.0, 2: 1.0, 3: 9.0, 4: 1.0, 5: 1.0, 6: 9.0}, 5) == 3


def test_what_lasts_is_the_level_of_all_but_one_of_the_newest_hours() -> None:
    assert lasting({0: 90.0, 1: 91.0, 2: 30.0, 3: 31.0}, 3, 4) == 31
    assert lasting({0: 90.0, 1: 30.0, 2: 91.0, 3: 92.0}, 3, 4) == 90
    assert lasting({0: 5.0, 1: 6.0, 2: 60.0, 3: 7.0}, 3, 4, low=True) == 7
    assert lasting({1: 90.0, 2: 80.0}, 3, 4) == 80
    assert lasting({9: 90.0}, 3, 4) is None
    assert lasting({}, 3, 4) is None


def test_there_is_no_onset_when_all_is_well_now() -> None:
    assert onset({0: 1.0, 1: 1.0, 2: 9.0, 3: 9.0}, 5) is None


def test_an_onset_works_downwards_too() -> None:
    assert onset({0: 10.0, 1: 12.0, 2: 60.0, 3: 61.0}, 20, low=True) == 1


@given(hours, values)
def test_an_onset_is_an_hour_at_which_the_value_was_bad(series: dict[int, float], threshold: float) -> None:
    found = onset(series, threshold)
    assert found is None or series[found] >= threshold


def test_shares_need_both_sides_and_a_whole() -> None:
    assert ratio({0: 1.0, 1: 1.0, 2: 5.0}, {0: 4.0, 1: 0.0}) == {0: 25.0}


@given(hours, hours)
def test_a_share_track_stays_between_0_and_100(part: dict[int, float], whole: dict[int, float]) -> None:
    made = ratio_track(Track(recent=part), Track(recent=whole), invert=True)
    assert all(0 <= value <= 100 for value in made.recent.values())


def test_the_worse_of_two_courses_counts_hour_by_hour() -> None:
    made = worst_of(Track(recent={0: 5.0, 1: 9.0}), Track(recent={0: 7.0, 2: 3.0}))
    assert made.recent == {0: 7.0, 1: 9.0, 2: 3.0}


def test_the_usual_value_looks_one_hour_to_either_side() -> None:
    profile = dict.fromkeys(range(24), 10.0) | {13: 80.0, 8: 90.0}
    assert usual(profile, 12, 3) == 80.0
    assert usual(profile, 20, 3) == 10.0
    assert usual({}, 12, 3) is None


def test_the_usual_value_wraps_around_midnight() -> None:
    assert usual({23: 70.0, 1: 5.0}, 0, 2) == 70.0
    assert usual({23: 70.0, 1: 5.0}, 0, 2, low=True) == 5.0


def test_last_week_counts_with_its_worse_end() -> None:
    assert same_hours({-1: 1.0, 0: 5.0, 3: 4.0, 9: 100.0}, 3) == 5.0
    assert same_hours({9: 100.0}, 3) is None


def test_a_daily_rhythm_leaves_no_residual() -> None:
    profile = {hour: float(hour) for hour in range(24)}
    course = {back: float((12 - back) % 24) for back in range(48)}
    assert set(residuals(course, profile, 12).values()) == {0.0}


@pytest.mark.parametrize(
    ("percent", "nodes", "whole"),
    [
        (100.0, 7, 100.0),
        (97.5, 7, 100.0),
        (93.0, 7, 100.0),
        (92.8, 7, 100 * 6 / 7),
        (85.7, 7, 100 * 6 / 7),
        (0.0, 3, 0.0),
        (97.5, 40, 97.5),
        (100.5, 3, 100.0),
    ],
)
def test_less_than_half_a_node_is_none(percent: float, nodes: int, whole: float) -> None:
    assert whole_nodes(percent, nodes) == pytest.approx(whole)


@given(st.floats(0, 100), st.integers(1, 500))
def test_whole_nodes_are_never_more_than_half_a_node_away(percent: float, nodes: int) -> None:
    found = whole_nodes(percent, nodes)
    assert 0 <= found <= 100
    assert abs(found - percent) <= 50 / nodes + 1e-6


def test_sums_end_an_hour_early_in_time_and_an_hour_late() -> None:
    assert sums({-1: 100.0, 0: 10.0, 1: 1.0, 2: 0.5}, 2) == {-1: 110.0, 0: 11.0, 1: 1.5}
    assert sums({}, 2) == {}


def test_totals_take_the_newest_hours_only() -> None:
    assert total({0: 1.0, 2: 2.0, 3: 50.0}, 3) == 3.0


def test_a_track_changes_its_unit_everywhere() -> None:
    made = Track({0: 0.5}, {0: 0.25}, {3: 1.0}, {1: 0.75}).mapped(100)
    assert made == Track({0: 50.0}, {0: 25.0}, {3: 100.0}, {1: 75.0})


def test_how_far_a_course_wanders_is_robust_and_needs_a_few_hours() -> None:
    assert wander({at: float(at % 3) for at in range(24, 48)} | {30: 1e9}, 24) == 1.0
    assert wander({30: 5.0, 31: 900.0}, 24) == 0.0


@given(hours, st.floats(0.001, 1000))
def test_a_slope_scales_with_its_unit_and_its_fit_does_not(series: dict[int, float], factor: float) -> None:
    plain = slope({at: round(value % 1000) for at, value in series.items()}, 24)
    scaled = slope({at: round(value % 1000) * factor for at, value in series.items()}, 24)
    assert (plain is None) == (scaled is None)
    if plain is not None and scaled is not None:
        assert scaled.per_hour == pytest.approx(plain.per_hour * factor, abs=1e-6)
        assert scaled.fit == pytest.approx(plain.fit, abs=0.2)


@given(st.integers(0, 23), st.integers(0, 500))
def test_an_hour_of_the_day_is_one_and_comes_back_every_day(newest_hour: int, back: int) -> None:
    at = hour_of_day(newest_hour, back)
    assert 0 <= at < 24
    assert at == hour_of_day(newest_hour, back + 24)
    assert hour_of_day(newest_hour, 0) == newest_hour


@given(hours)
def test_the_usual_value_is_one_that_was_seen_at_its_worse_end(series: dict[int, float]) -> None:
    profile = {at % 24: value for at, value in series.items()}
    high, low = usual(profile, 12, 3), usual(profile, 12, 3, low=True)
    assert (high is None) == (low is None)
    if high is not None and low is not None:
        assert high in profile.values()
        assert low <= high


@given(hours, hours)
def test_a_share_is_known_only_where_both_sides_are(part: dict[int, float], whole: dict[int, float]) -> None:
    found = ratio(part, whole)
    assert found.keys() == {at for at in part if whole.get(at)}


def test_a_worse_of_nothing_is_the_other() -> None:
    one = Track(recent={0: 5.0, 1: 7.0})
    assert worst_of(one, Track()) == worst_of(Track(), one) == one


def test_half_of_the_span_is_enough_for_a_slope_and_less_is_not() -> None:
    line = {at: 100.0 - at for at in range(24)}
    twelve = {at: value for at, value in line.items() if at % 2 == 0}
    eleven = {at: value for at, value in twelve.items() if at != 22}
    found = slope(twelve, 24)
    assert found is not None
    assert found.per_hour == pytest.approx(1.0)
    assert slope(eleven, 24) is None


def test_hours_ahead_of_now_have_no_part_in_totals_and_slopes() -> None:
    line = {at: 100.0 - at for at in range(12)}
    assert total(line | {-1: 9e9}, 3) == total(line, 3)
    assert slope(line | {-1: 9e9}, 12) == slope(line, 12)


def test_a_drawn_course_runs_from_old_to_new_and_shows_its_gaps() -> None:
    assert drawn({0: 3.14159, 1: 2.0, 3: 1.0, 9: 7.0}, 4) == (1.0, None, 2.0, 3.142)
    assert drawn({0: 1.0, 1: 2.0}, 4) == ()
