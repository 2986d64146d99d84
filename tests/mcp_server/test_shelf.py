"""Results kept for later questions: bounded, and each for its own caller."""

import pytest

from mcp_server.errors import Code, Refusal
from mcp_server.executor import Column
from mcp_server.principal import LOCAL, Caller, Principal
from mcp_server.results import Result
from mcp_server.shelf import MAX_RESULTS, MAX_RESULTS_OF_ONE, MAX_SECONDS, Shelf

ANN = Caller(Principal("slack", "C1", "U1"), "slack:T:C1:1.0")


def result(identity: str, size: int = 1) -> Result:
    return Result((Column("text", "VARCHAR"),), [["x" * size]], False, identity, "SELECT 1", 0.0, ())


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_kept_result_is_given_back_marked_as_stored() -> None:
    shelf = Shelf(Time())
    assert shelf.keep(ANN, result("q-1")).stored
    assert shelf.get(ANN, "q-1").rows == [["x"]]


@pytest.mark.parametrize(
    "other",
    [
        LOCAL,
        Caller(Principal("slack", "C1", "U2"), ANN.thread),
        Caller(Principal("slack", "C2", "U1"), ANN.thread),
        Caller(ANN.principal, "slack:T:C1:2.0"),
    ],
)
def test_nobody_reads_what_another_person_channel_or_thread_stored(other: Caller) -> None:
    shelf = Shelf(Time())
    shelf.keep(ANN, result("q-1"))
    with pytest.raises(Refusal) as refused:
        shelf.get(other, "q-1")
    assert (refused.value.code, refused.value.near) == (Code.BAD_ARGUMENT, ())


def test_a_wrong_id_is_answered_with_the_newest_ones_of_the_caller() -> None:
    shelf = Shelf(Time())
    for place in range(8):
        shelf.keep(ANN, result(f"q-{place}"))
    with pytest.raises(Refusal) as refused:
        shelf.get(ANN, "q-x")
    assert refused.value.near == ("q-7", "q-6", "q-5", "q-4", "q-3")


def test_a_result_is_gone_after_an_hour() -> None:
    time = Time()
    shelf = Shelf(time)
    shelf.keep(ANN, result("q-1"))
    time.now = MAX_SECONDS
    assert shelf.get(ANN, "q-1")
    time.now = MAX_SECONDS + 1
    with pytest.raises(Refusal):
        shelf.get(ANN, "q-1")


def test_one_caller_keeps_so_many_and_cannot_push_out_another() -> None:
    shelf = Shelf(Time())
    shelf.keep(LOCAL, result("q-local"))
    for place in range(MAX_RESULTS_OF_ONE + 1):
        shelf.keep(ANN, result(f"q-{place}"))
    assert shelf.get(LOCAL, "q-local")
    assert shelf.get(ANN, "q-1")
    with pytest.raises(Refusal):
        shelf.get(ANN, "q-0")


def test_the_oldest_go_when_all_together_are_too_many() -> None:
    shelf = Shelf(Time())
    callers = [Caller(Principal("slack", f"C{place}")) for place in range(MAX_RESULTS + 1)]
    for caller in callers:
        shelf.keep(caller, result("q-1"))
    assert shelf.get(callers[1], "q-1")
    with pytest.raises(Refusal):
        shelf.get(callers[0], "q-1")


def test_the_shelf_holds_no_more_than_its_bytes_and_nothing_that_would_fill_it() -> None:
    shelf = Shelf(Time(), max_bytes=10_000)
    assert not shelf.keep(ANN, result("q-big", 3_000)).stored
    for place in range(6):
        assert shelf.keep(ANN, result(f"q-{place}", 2_000)).stored
    kept = [place for place in range(6) if _has(shelf, f"q-{place}")]
    assert kept == [2, 3, 4, 5]


def test_an_empty_result_is_not_kept() -> None:
    assert not Shelf(Time()).keep(ANN, Result((), [], False, "q-1", "", 0.0, ())).stored


def _has(shelf: Shelf, identity: str) -> bool:
    try:
        return bool(shelf.get(ANN, identity))
    except Refusal:
        return False
