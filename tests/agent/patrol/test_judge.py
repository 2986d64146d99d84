"""What is a finding and what is not: limits, changes against the own past, trends, and what only looks bad."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patrol.finding import Finding, Identity, Outlook
from agent.patrol.judge import Judge, Verdict
from agent.patrol.rules import load_rules
from agent.patrol.series import Track
from tests.agent.patrol.courses import AS_OF, Shape, ramps, rhythm, steps, track

RULES = load_rules()
JUDGE = Judge(RULES, AS_OF, "q-1")
GIB = 2.0**30


def verdict(dimension: str, **series: Track) -> Verdict:
    course = next((one for one in JUDGE.courses(series) if one.name == dimension), None)
    return JUDGE.verdict("c1", course) if course else Verdict()


def finding(dimension: str, **series: Track) -> Finding | None:
    return verdict(dimension, **series).finding


def flat(value: float) -> Track:
    return track(rhythm(value))


def flag(dimension: str, **series: Track) -> Finding:
    found = finding(dimension, **series)
    assert found is not None
    return found


def share(shape: Shape, of: float, now: Shape | None = None) -> tuple[Track, Track]:
    """A part that is `shape` percent of a whole of `of` an hour."""
    part = track(lambda back: of * shape(back) / 100, (lambda back: of * now(back) / 100) if now else None)
    return part, flat(of)


# Disk: a limit is a limit, and a steady course towards it is a warning.


def disk(used: Shape, now: Shape | None = None) -> dict[str, Track]:
    free = track(lambda back: 1000 - 10 * used(back), (lambda back: 1000 - 10 * now(back)) if now else None)
    return {"disk_free": free, "disk_total": flat(1000.0)}


@pytest.mark.parametrize(("used", "severity"), [(65.0, None), (79.0, None), (81.0, "Warning"), (92.0, "Critical")])
def test_a_disk_is_judged_by_its_limits_even_if_it_was_always_so(used: float, severity: str | None) -> None:
    found = finding("disk_used_pct", **disk(rhythm(used)))
    assert (found.severity if found else None) == severity


def test_a_disk_that_fills_steadily_is_a_warning_before_any_limit() -> None:
    found = verdict("disk_used_pct", **disk(rhythm(45), ramps(rhythm(45), 1.0, 24)))
    assert found.finding is not None
    assert found.finding.severity == "Warning"
    assert found.outlook is not None
    assert found.outlook.hours == pytest.approx(21, abs=1)
    assert "at this pace 90% in" in found.finding.reason


@pytest.mark.parametrize("pace", [0.87, 1.03, 1.31, 1.57, 1.73])
def test_hours_to_a_limit_have_two_digits_and_keep_their_order(pace: float) -> None:
    wobbling = rhythm(45, 0.4)
    found = verdict("disk_used_pct", **disk(wobbling, ramps(wobbling, pace, 24)))
    ahead = found.outlook
    assert ahead is not None and found.finding is not None
    assert 0 < ahead.soonest <= ahead.hours <= ahead.latest
    assert all(hours == float(f"{hours:.1e}") for hours in (ahead.soonest, ahead.hours, ahead.latest))
    assert f"in {ahead.hours:g} h ({ahead.soonest:g}–{ahead.latest:g} h)" in found.finding.reason


def test_what_is_at_its_limit_already_is_not_expected_later() -> None:
    ahead = verdict("disk_used_pct", **disk(rhythm(45), ramps(rhythm(45), 2.17, 24))).outlook
    assert ahead is not None
    assert (ahead.soonest, ahead.hours) == (0.0, 0.0)


def test_a_disk_that_grows_a_little_every_day_is_left_alone() -> None:
    assert verdict("disk_used_pct", **disk(rhythm(45), ramps(rhythm(45), 0.02, 48))) == Verdict()


def test_a_bigger_disk_is_no_finding() -> None:
    series = disk(rhythm(60)) | {"disk_total": track(rhythm(1000), steps(rhythm(1000), 2000, 10))}
    series["disk_free"] = track(lambda back: 400.0, steps(rhythm(400), 1400, 10))
    assert finding("disk_used_pct", **series) is None


def test_the_fullest_node_counts_where_it_is_known() -> None:
    assert flag("disk_used_pct", **disk(rhythm(50)), disk_percent=flat(93.0)).severity == "Critical"


def test_a_platform_that_sends_only_the_percentage_is_read_too() -> None:
    assert flag("disk_used_pct", disk_percent=flat(93.0)).value == 93.0
    assert flag("fe_heap_used_pct", heap_percent=flat(97.0)).severity == "Critical"


# Clusters whose data is in the object store.


def elastic(dimension: str, **series: Track) -> Finding | None:
    judge = JUDGE.of(Identity("c1", "lake", cluster_type="ELASTIC"))
    (course,) = [one for one in judge.courses(series) if one.name == dimension]
    return judge.verdict("c1", course).finding


def test_a_full_cache_is_no_finding_and_a_full_disk_with_the_data_on_it_is() -> None:
    full = disk(rhythm(93))
    assert elastic("disk_used_pct", **full) is None
    assert flag("disk_used_pct", **full).severity == "Critical"


def test_a_cache_that_fills_up_is_no_trend() -> None:
    filling = disk(rhythm(45), ramps(rhythm(45), 1.5, 24))
    assert elastic("disk_used_pct", **filling) is None
    assert flag("disk_used_pct", **filling).severity == "Warning"


def test_a_cache_disk_without_any_room_left_is_a_finding_still() -> None:
    found = elastic("disk_used_pct", **disk(rhythm(80), steps(rhythm(80), 99.9, 6)))
    assert found is not None
    assert found.severity == "Critical"


@pytest.mark.parametrize(("score", "severity"), [(60.0, None), (150.0, "Warning"), (700.0, "Critical")])
def test_compaction_scores_of_files_are_judged_on_their_own_scale(score: float, severity: str | None) -> None:
    rising = track(rhythm(20), steps(rhythm(20), score, 9))
    found = elastic("compaction_score", compaction=rising)
    assert (found.severity if found else None) == severity
    assert found is None or found.threshold in {100, 500}
    assert score > 100 or finding("compaction_score", compaction=rising) is None


# Memory: down is bad; a leak shows as a course, a restart does not.


def memory(free: Shape, now: Shape | None = None) -> dict[str, Track]:
    return {
        "memory_free": track(lambda back: free(back) * GIB, (lambda back: now(back) * GIB) if now else None),
        "memory_total": flat(100 * GIB),
    }


@pytest.mark.parametrize(("free", "severity"), [(45.0, None), (25.0, None), (18.0, "Warning"), (8.0, "Critical")])
def test_little_memory_is_a_finding(free: float, severity: str | None) -> None:
    found = finding("memory_available_pct", **memory(rhythm(free)))
    assert (found.severity if found else None) == severity


def test_a_leak_is_a_warning_while_memory_is_left() -> None:
    found = verdict("memory_available_pct", **memory(rhythm(60), ramps(rhythm(60), -1.2, 20)))
    assert found.finding is not None
    assert found.outlook is not None
    assert found.outlook.hours < 48


def test_caches_that_refill_after_a_restart_are_no_leak() -> None:
    def refilling(back: int) -> float:
        return max(50.0, 90.0 - 4 * (10 - back)) if back < 10 else 50.0

    assert verdict("memory_available_pct", **memory(rhythm(50), refilling)) == Verdict()


def test_a_heap_that_wanders_is_no_leak() -> None:
    def wandering(back: int) -> float:
        return 55 + 4 * math.cos(2 * math.pi * back / 26)

    heap = {"heap_used": track(rhythm(55), wandering), "heap_max": flat(100)}
    assert verdict("fe_heap_used_pct", **heap) == Verdict()


def test_memory_that_breathes_with_the_day_is_no_leak() -> None:
    assert verdict("memory_available_pct", **memory(rhythm(50, -10))) == Verdict()


# CPU and latency: load is judged against the own past.


def test_a_busy_but_steady_cluster_is_not_sick() -> None:
    assert finding("cpu_util_pct", cpu=flat(88.0)) is None
    assert finding("p99_latency_ms", latency=flat(2_500.0)) is None
    assert finding("fe_connection_total", connections=flat(650.0)) is None
    assert finding("compaction_score", compaction=flat(1_200.0)) is None


@pytest.mark.parametrize(("level", "severity"), [(60.0, None), (84.0, "Warning"), (97.0, "Critical")])
def test_a_cpu_that_rose_far_above_its_own_past_is_a_finding(level: float, severity: str | None) -> None:
    found = finding("cpu_util_pct", cpu=track(rhythm(40, 8), steps(rhythm(40, 8), level, 6)))
    assert (found.severity if found else None) == severity


def test_a_nightly_batch_is_no_finding_even_when_it_starts_an_hour_early() -> None:
    def batch(back: int, start: int) -> float:
        return 93.0 if (AS_OF.hour - back - start) % 24 < 3 else 30.0

    usual = track(lambda back: batch(back, AS_OF.hour - 2), lambda back: batch(back, AS_OF.hour - 3))
    assert finding("cpu_util_pct", cpu=usual) is None


def test_a_weekly_peak_is_no_finding() -> None:
    today = track(rhythm(30), steps(rhythm(30), 92, 8))
    assert finding("cpu_util_pct", cpu=today) is not None
    assert finding("cpu_util_pct", cpu=replace(today, week=dict.fromkeys(range(-2, 12), 91.0))) is None


def test_what_several_weeks_say_is_believed_before_what_single_days_say() -> None:
    today = track(rhythm(30), steps(rhythm(30), 92, 8))
    settled = replace(today, season=dict.fromkeys(range(-1, 4), 91.0))
    assert finding("cpu_util_pct", cpu=settled) is None
    busy_days = replace(today, profile=dict.fromkeys(range(24), 92.0), week=dict.fromkeys(range(-1, 4), 92.0))
    quiet_weeks = replace(busy_days, season=dict.fromkeys(range(-1, 4), 30.0))
    assert finding("cpu_util_pct", cpu=busy_days) is None
    assert flag("cpu_util_pct", cpu=quiet_weeks).baseline == 30.0


def test_a_month_end_is_compared_with_the_last_one_as_well() -> None:
    weeks = dict.fromkeys(range(-1, 4), 30.0)
    today = replace(track(rhythm(30), steps(rhythm(30), 92, 8)), season=weeks)
    assert finding("cpu_util_pct", cpu=today) is not None
    assert finding("cpu_util_pct", cpu=replace(today, month={2: 91.0})) is None


def test_a_weekly_load_that_fails_an_hour_early_is_what_it_always_was() -> None:
    part, whole = share(rhythm(0.05), 10_000, steps(rhythm(0.05), 9.0, 5))
    weekly = replace(part, season={-1: 900.0, 0: 900.0, 1: 900.0, 2: 5.0, 3: 5.0})
    settled = replace(whole, season=dict.fromkeys(range(-1, 4), 10_000.0))
    assert finding("error_share_pct", query_errors=part, queries=whole) is not None
    assert finding("error_share_pct", query_errors=weekly, queries=settled) is None


def test_one_hour_of_load_is_no_finding() -> None:
    assert finding("cpu_util_pct", cpu=track(rhythm(40), steps(rhythm(40), 99, 1))) is None


@pytest.mark.parametrize(("level", "severity"), [(150.0, None), (420.0, "Warning"), (6_000.0, "Critical")])
def test_a_latency_regression_is_a_finding_long_before_any_limit(level: float, severity: str | None) -> None:
    found = finding("p99_latency_ms", latency=track(rhythm(100, 10), steps(rhythm(100, 10), level, 30)))
    assert (found.severity if found else None) == severity


def test_fast_queries_that_become_a_little_less_fast_are_no_finding() -> None:
    assert finding("p99_latency_ms", latency=track(rhythm(20), steps(rhythm(20), 70, 20))) is None


def test_a_cluster_without_a_past_is_judged_by_limits_alone() -> None:
    assert finding("cpu_util_pct", cpu=track(rhythm(97), past=False)) is None
    full = disk(rhythm(93))
    series = {name: replace(one, profile={}, week={}, days={}) for name, one in full.items()}
    assert flag("disk_used_pct", **series).severity == "Critical"


# Shares of counters: volume first.


def test_an_error_burst_is_a_finding() -> None:
    part, whole = share(rhythm(0.05), 10_000, steps(rhythm(0.05), 9.0, 5))
    found = flag("error_share_pct", query_errors=part, queries=whole)
    assert found.severity == "Critical"
    assert found.since == AS_OF - timedelta(hours=4)


def test_a_few_errors_of_a_few_queries_are_no_finding() -> None:
    part, whole = share(rhythm(0), 12, steps(rhythm(0), 50, 5))
    assert finding("error_share_pct", query_errors=part, queries=whole) is None


def test_many_errors_of_very_many_queries_are_no_finding() -> None:
    part, whole = share(rhythm(0.1), 5_000_000)
    assert finding("error_share_pct", query_errors=part, queries=whole) is None


def test_errors_as_many_as_ever_are_told_as_lasting_not_as_new() -> None:
    part, whole = share(rhythm(12), 10_000)
    found = flag("error_share_pct", query_errors=part, queries=whole)
    assert found.severity == "Warning"
    assert "for as long as the data reaches back" in found.reason


def test_a_client_that_always_fails_a_little_is_no_finding() -> None:
    part, whole = share(rhythm(4), 10_000)
    assert finding("error_share_pct", query_errors=part, queries=whole) is None


def test_no_queries_at_all_are_no_error_share() -> None:
    assert finding("error_share_pct", query_errors=flat(0), queries=flat(0)) is None


# Nodes, loads, files.


def test_a_dead_node_of_many_is_a_warning() -> None:
    assert flag("nodes_up", up=track(rhythm(1.0), steps(rhythm(1.0), 7 / 8, 5))).severity == "Warning"


def test_a_dead_node_is_critical_in_a_small_cluster() -> None:
    found = flag("nodes_up", up=track(rhythm(1.0), steps(rhythm(1.0), 2 / 3, 5)))
    assert found.severity == "Critical"
    assert found.value == pytest.approx(66.7, abs=0.1)


def test_a_restart_of_one_hour_is_no_dead_node() -> None:
    up = track(rhythm(1.0), lambda back: 0.5 if back == 1 else 1.0)
    assert finding("nodes_up", up=up) is None


def test_a_paused_routine_load_is_a_finding_unless_it_always_was() -> None:
    assert flag("routine_load_paused", load_paused=track(rhythm(0), steps(rhythm(0), 1, 9))).severity == "Warning"
    assert finding("routine_load_paused", load_paused=flat(1.0)) is None


def test_a_growing_lag_is_a_finding() -> None:
    lag = track(rhythm(3_000), ramps(rhythm(3_000), 60_000, 10))
    assert flag("routine_load_lag", load_lag=lag).severity == "Warning"


def test_open_files_are_judged_by_their_share_of_the_limit() -> None:
    assert finding("be_fd_used_pct", fds=flat(40_000), fd_limit=flat(655_350)) is None
    assert flag("be_fd_used_pct", fds=flat(52_000), fd_limit=flat(65_535)).severity == "Warning"


def test_compaction_that_ran_away_is_a_finding() -> None:
    assert flag("compaction_score", compaction=track(rhythm(120), ramps(rhythm(120), 400, 14))).severity == "Critical"
    assert flag("compaction_score", compaction=track(rhythm(120), steps(rhythm(120), 1_000, 14))).severity == "Warning"


@pytest.mark.parametrize(
    ("dimension", "series", "usual", "below", "beyond"),
    [
        ("compaction_score", "compaction", 60.0, 900.0, 980.0),
        ("fe_journal_write_latency_ms", "journal", 20.0, 900.0, 980.0),
        ("fe_connection_total", "connections", 40.0, 460.0, 495.0),
        ("routine_load_lag", "load_lag", 2_000.0, 260_000.0, 290_000.0),
        ("p99_latency_ms", "latency", 60.0, 340.0, 380.0),
    ],
)
def test_many_times_the_usual_is_everyday_life_until_shortly_before_the_limit(
    dimension: str, series: str, usual: float, below: float, beyond: float
) -> None:
    mild, grave = (track(rhythm(usual), steps(rhythm(usual), level, 14)) for level in (below, beyond))
    assert finding(dimension, **{series: mild}) is None
    assert flag(dimension, **{series: grave}).severity == "Warning"


def test_memory_that_falls_is_a_finding_shortly_before_its_limit() -> None:
    def left(percent: float) -> dict[str, Track]:
        free = track(rhythm(600), steps(rhythm(600), 10 * percent, 14))
        return {"memory_free": free, "memory_total": flat(1000.0)}

    assert finding("memory_available_pct", **left(24)) is None
    assert flag("memory_available_pct", **left(21.5)).severity == "Warning"


def test_a_busy_cluster_with_hardly_a_core_left_is_told_though_it_is_often_busy() -> None:
    often = rhythm(66, 6)
    assert flag("cpu_util_pct", cpu=track(often, steps(often, 93, 5))).severity == "Critical"


# What depends on the size of a cluster.


def sized(dimension: str, frontends: int, workers: int, **series: Track) -> Finding | None:
    judge = JUDGE.of(Identity("c1", "big", frontends=frontends, workers=workers))
    (course,) = [one for one in judge.courses(series) if one.name == dimension]
    return judge.verdict("c1", course).finding


@pytest.mark.parametrize(("frontends", "severity"), [(0, "Critical"), (1, "Critical"), (2, "Warning"), (6, None)])
def test_connections_are_judged_for_each_front_end(frontends: int, severity: str | None) -> None:
    rising = track(rhythm(150), steps(rhythm(150), 1_100, 6))
    found = sized("fe_connection_total", frontends, 3, connections=rising)
    assert (found.severity if found else None) == severity


def test_connections_of_several_front_ends_are_told_for_one() -> None:
    found = sized("fe_connection_total", 3, 3, connections=track(rhythm(300), steps(rhythm(300), 2_400, 6)))
    assert found is not None
    assert (found.value, found.baseline, found.unit) == (800, 100, "per FE")
    assert found.reason.startswith("FE connections 800 per FE, usually 100 per FE")


@pytest.mark.parametrize("value", [450.0, 700.0, 5_000.0, 60_000.0])
def test_no_absolute_number_of_connections_or_files_decides_alone(value: float) -> None:
    assert finding("fe_connection_total", connections=flat(value)) is None
    assert finding("be_fd_used", fds=flat(value * 20)) is None


def test_part_of_a_node_is_a_gap_in_the_scrape() -> None:
    lately = track(rhythm(1.0), steps(rhythm(1.0), 0.975, 2))
    assert sized("nodes_up", 3, 4, up=lately) is None
    assert flag("nodes_up", up=lately).severity == "Warning"


def test_a_whole_node_of_very_many_is_a_node_still() -> None:
    found = sized("nodes_up", 3, 97, up=track(rhythm(1.0), steps(rhythm(1.0), 0.98, 5)))
    assert found is not None
    assert (found.value, found.severity) == (98.0, "Warning")


# What a finding tells.


def test_a_finding_tells_value_usual_limit_onset_and_receipt() -> None:
    found = flag("cpu_util_pct", cpu=track(rhythm(40), steps(rhythm(40), 95, 7)))
    assert found == Finding(
        "c1",
        "cpu_util_pct",
        "Critical",
        95.0,
        "%",
        "BE CPU 95%, usually 40% at this hour; limit 90%",
        40.0,
        90.0,
        AS_OF - timedelta(hours=6),
        "q-1",
    )
    assert found.key == "c1/cpu_util_pct"


def test_an_onset_of_days_ago_is_found_in_the_daily_values() -> None:
    usual, since_days = rhythm(100), 4
    regressed = track(usual, lambda back: 400.0)
    regressed = replace(regressed, days={day: 400.0 if day < since_days else 100.0 for day in range(14)})
    found = flag("p99_latency_ms", latency=regressed)
    assert found.since == AS_OF - timedelta(days=since_days)


def test_data_growth_is_measured_but_never_flagged_by_itself() -> None:
    doubled = Track(days={0: 400.0, 7: 100.0})
    courses = {course.name: course.value for course in JUDGE.courses({"disk_data": doubled})}
    assert courses["data_growth_pct"] == pytest.approx(300)
    assert verdict("data_growth_pct", disk_data=doubled) == Verdict()


series_names = st.sampled_from(sorted(RULES.series))
wild = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
parts = st.dictionaries(st.integers(-3, 50), wild, max_size=30)
tracks = st.builds(Track, parts, parts, st.dictionaries(st.integers(0, 23), wild), parts)


@given(st.dictionaries(series_names, tracks, max_size=6))
def test_no_course_breaks_the_judge(series: dict[str, Track]) -> None:
    for course in JUDGE.courses(series):
        said = JUDGE.verdict("c1", course)
        assert said.finding is None or said.finding.reason
        ahead = said.outlook
        assert ahead is None or (isinstance(ahead, Outlook) and ahead.soonest <= ahead.hours <= ahead.latest)


@given(st.sampled_from(["cpu", "latency", "connections", "compaction", "journal", "load_lag"]), wild)
def test_a_constant_course_below_red_is_never_a_finding(name: str, value: float) -> None:
    series = {
        name: Track(
            dict.fromkeys(range(48), value), dict.fromkeys(range(-2, 12), value), dict.fromkeys(range(24), value)
        )
    }
    for course in JUDGE.courses(series):
        said = JUDGE.verdict("c1", course).finding
        assert said is None or course.rule.worse(value, course.rule.limits.red)


ORDER = [None, "Unknown", "Warning", "Critical"]
RISING = ["cpu", "latency", "connections", "compaction", "journal", "load_lag"]


@given(st.sampled_from(RISING), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.integers(2, 30))
def test_worse_is_never_told_as_milder(name: str, usual: float, one: float, other: float, began: int) -> None:
    low, high = sorted((one, other))

    def worst(now: float) -> int:
        series = {name: track(rhythm(usual), steps(rhythm(usual), max(usual, now), began))}
        found = (JUDGE.verdict("c1", course).finding for course in JUDGE.courses(series))
        return max((ORDER.index(one.severity) for one in found if one is not None), default=0)

    assert worst(low) <= worst(high)


@given(st.sampled_from(RISING), st.dictionaries(st.integers(0, 47), st.floats(0, 1e6), max_size=48), st.floats(0, 1e6))
def test_an_onset_lies_within_what_was_seen(name: str, recent: dict[int, float], usual: float) -> None:
    series = {name: Track(recent, {}, dict.fromkeys(range(24), usual), {})}
    for course in JUDGE.courses(series):
        found = JUDGE.verdict("c1", course).finding
        if found is not None and found.since is not None:
            assert AS_OF - timedelta(days=14) <= found.since <= AS_OF


@settings(max_examples=10)
@given(st.permutations(sorted(RULES.series)))
def test_the_order_in_which_series_arrive_does_not_matter(names: list[str]) -> None:
    series = {name: track(rhythm(10 + len(name)), steps(rhythm(10), 97.0, 8)) for name in names}
    told = [JUDGE.verdict("c1", course) for course in JUDGE.courses(series)]
    assert told == [JUDGE.verdict("c1", course) for course in JUDGE.courses(dict(sorted(series.items())))]


def test_the_newest_hour_alone_decides_nothing_in_any_dimension() -> None:
    for name in RISING:
        spiked = track(rhythm(1.0), steps(rhythm(1.0), 1e6, 1))
        assert [JUDGE.verdict("c1", course) for course in JUDGE.courses({name: spiked})] == [Verdict()]


# What comes and goes is nobody's business; what lasts, or is very bad, is.


def test_two_bad_hours_are_a_gust_and_three_are_a_finding() -> None:
    def busy(began: int) -> Finding | None:
        return finding("cpu_util_pct", cpu=track(rhythm(30), steps(rhythm(30), 93, began)))

    assert busy(2) is None
    found = busy(3)
    assert found is not None
    assert found.severity == "Critical"


def test_two_bad_hours_suffice_where_nobody_would_wait() -> None:
    def failing(per_hour: float) -> Finding | None:
        errors = track(rhythm(4), steps(rhythm(4), per_hour, 2))
        return finding("error_share_pct", queries=flat(20_000.0), query_errors=errors)

    assert failing(600) is None
    assert failing(6_000) is not None


def test_a_lost_node_is_told_at_once() -> None:
    assert finding("nodes_up", up=track(rhythm(1.0), steps(rhythm(1.0), 0.67, 2))) is not None


def test_a_heap_that_was_full_for_two_hours_is_no_trend() -> None:
    def heap(began: int) -> Verdict:
        used = track(rhythm(5.0), lambda back: 5.0 + 0.05 * max(0, 12 - back) + (3.0 if back < began else 0))
        return verdict("fe_heap_used_pct", heap_used=used, heap_max=flat(10.0))

    assert heap(2) == Verdict()
    assert heap(4).finding is not None
