"""Trouble that comes and goes between two patrols is found, however well the very hour of the patrol is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.finding import Finding
from agent.patrol.judge import Judge
from agent.patrol.returning import Return, returned
from agent.patrol.rules import load_rules
from agent.patrol.series import Track
from tests.agent.patrol.courses import AS_OF, Shape, rhythm, track

RULES = load_rules()
JUDGE = Judge(RULES, AS_OF, "q-1")
ON_OFF = 5


def hours(text: str) -> dict[int, float]:
    """Hours written as x (ten) and dots (one), the newest last; a question mark is a missing one."""
    return {back: 10.0 if at == "x" else 1.0 for back, at in enumerate(reversed(text)) if at != "?"}


@pytest.mark.parametrize(
    ("course", "found"),
    [
        ("xxx..xxx..xx", Return(10.0, 8, 11)),
        (".xxx..xxx...", None),  # last there three hours ago
        ("xxx..xxx..xxx..", Return(10.0, 6, 14)),
        ("...xxx..xxx.", Return(10.0, 6, 8)),
        ("....xxx..xx.", None),  # five hours are not half
        (".....xxxxxx.", None),  # one stretch, which is over
        ("xxxxxxxxxxxx", None),  # it stays
        ("............", None),
        ("xxx??xxx...x", Return(10.0, 7, 11)),
        ("xxx??xxxx...", None),
        ("xxx????xxx??", None),  # missing hours part nothing
        ("xx.x", None),  # too few are known
        ("xxx.....xxx..xxx.", Return(10.0, 6, 8)),  # what was over for long was another time
    ],
)
def test_what_was_there_in_half_of_the_hours_and_came_back_has_not_gone(course: str, found: Return | None) -> None:
    assert returned(hours(course), 1.0, 12, 3) == found


def test_what_falls_returns_as_what_rises() -> None:
    up = hours("xxx..xxx..xx")
    fallen = {at: -value for at, value in up.items()}
    assert returned(fallen, -1.0, 12, 3, low=True) == Return(-10.0, 8, 11)
    assert returned(fallen, -1.0, 12, 3) is None


@pytest.mark.parametrize("known", [{}, {0: 3.0}, {50: 9.0}])
def test_a_past_that_is_hardly_known_says_nothing(known: dict[int, float]) -> None:
    assert returned(known, 1.0, 12, 3) is None


@given(st.dictionaries(st.integers(0, 47), st.floats(0, 1e9), max_size=48), st.floats(0, 1e9), st.booleans())
def test_what_returned_was_there_in_half_of_the_hours_and_is_worse_than_usual(
    course: dict[int, float], base: float, low: bool
) -> None:
    found = returned(course, base, 12, 3, low=low)
    if found:
        lately = [value for at, value in course.items() if at < 12]
        reached = [value for value in lately if (value <= found.level if low else value >= found.level)]
        assert len(reached) >= 6
        assert (found.level < base) if low else (found.level > base)
        assert found.hours >= 6
        assert found.began in course


@given(st.floats(1, 1e6), st.integers(0, 47))
def test_a_course_without_ups_and_downs_never_returns(level: float, length: int) -> None:
    assert returned(dict.fromkeys(range(length), level), level / 2, 12, 3) is None


# Through the judge.


def comes_and_goes(bad: float, well: float, since: int, rest: int = 0) -> Shape:
    """Three hours of `bad`, two of `well`, since so many hours; in the newest `rest` hours it rests."""
    return lambda back: bad if back < since and (back - rest) % ON_OFF < 3 and back >= rest else well


def found(dimension: str, **series: Track) -> Finding | None:
    course = next(one for one in JUDGE.courses(series) if one.name == dimension)
    return JUDGE.verdict("c1", course).finding


def flag(dimension: str, **series: Track) -> Finding:
    finding = found(dimension, **series)
    assert finding is not None
    return finding


def share(now: Shape, usual: float = 0.05, of: float = 10_000.0) -> tuple[Track, Track]:
    """Failed queries of all, as counts."""
    failed = track(lambda back: of * usual / 100, lambda back: of * now(back) / 100)
    return failed, track(rhythm(of))


@pytest.mark.parametrize("rest", [0, 1, 2])
@pytest.mark.parametrize(("level", "severity"), [(1.2, "Warning"), (6.0, "Critical")])
def test_failures_that_come_and_go_are_found_in_their_rests_too(rest: int, level: float, severity: str) -> None:
    errors, queries = share(comes_and_goes(level, 0.05, 20, rest))
    one = flag("error_share_pct", query_errors=errors, queries=queries)
    assert one.severity == severity


def test_what_comes_and_goes_is_told_as_it_was_with_its_hours_and_its_begin() -> None:
    errors, queries = share(comes_and_goes(6.0, 0.05, 20, rest=2))
    one = flag("error_share_pct", query_errors=errors, queries=queries)
    assert one.value == pytest.approx(6.0)
    assert one.reason.endswith("comes and goes, 6 of the newest 12 h")
    assert one.since == AS_OF - timedelta(hours=19)


def test_a_fault_that_stays_is_told_as_before() -> None:
    errors, queries = share(lambda back: 6.0 if back < 10 else 0.05)
    assert "comes and goes" not in flag("error_share_pct", query_errors=errors, queries=queries).reason


def test_one_stretch_that_is_over_is_no_finding() -> None:
    errors, queries = share(lambda back: 6.0 if 2 <= back < 9 else 0.05)
    assert found("error_share_pct", query_errors=errors, queries=queries) is None


def test_a_few_failed_queries_that_come_and_go_concern_nobody() -> None:
    errors, queries = share(comes_and_goes(1.5, 0.05, 20, rest=2), of=250.0)
    assert found("error_share_pct", query_errors=errors, queries=queries) is None


def test_a_load_that_comes_and_goes_every_day_is_usual() -> None:
    busy = comes_and_goes(95.0, 30.0, 400, rest=2)

    def every_day(back: int) -> float:
        return busy(back % 24)

    assert found("cpu_util_pct", cpu=track(every_day)) is None


def test_a_node_that_falls_and_gets_up_again_is_found_while_it_stands() -> None:
    one = flag("nodes_up", up=track(rhythm(1.0), comes_and_goes(0.8, 1.0, 20, rest=2)))
    assert (one.severity, one.value) == ("Warning", pytest.approx(80.0))


def test_everyday_ups_and_downs_below_the_limits_are_no_finding() -> None:
    assert found("cpu_util_pct", cpu=track(rhythm(30.0), comes_and_goes(55.0, 30.0, 20, rest=1))) is None
