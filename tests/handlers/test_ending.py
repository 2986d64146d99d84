"""The last word of a turn that has no answer, and the keeper who decides whether it has one at all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from agent.journal import Json
from handlers import admitted, given_up, hushed, stopped
from handlers.buttons import RETRY, retried
from handlers.deps import Deps
from handlers.ending import SHOWN
from handlers.locale import Locale
from handlers.purse import Leave
from handlers.surface import Event, Investigate, PatrolRequest, Question, SurfaceError
from handlers.turn import Turn
from tests.handlers.conftest import Bench, offered, words

QUESTION = Question("k", "x:C:1", "anna", "fleet?")
LOOK = Investigate("k", "x:C:1", "anna", "0000-1", "R-1")
PATROL = PatrolRequest("k", "x:C", "anna", "morning")
PLACES: list[tuple[Event, str]] = [(QUESTION, "x:C:1"), (LOOK, "x:C:1"), (PATROL, "x:C")]

End = Callable[[Event, Deps], Awaitable[None]]


class Keeper:
    """Says what it was told to say, and counts how often it was asked."""

    def __init__(self, leave: Leave | Exception) -> None:
        self.word, self.asked = leave, 0

    async def leave(self, event: Event) -> Leave:
        self.asked += 1
        if isinstance(self.word, Exception):
            raise self.word
        return self.word


class Written:
    """A journal in memory, through which a second attempt at the turn reads what the first one did."""

    def __init__(self) -> None:
        self.done: dict[str, Json] = {}

    async def step(self, key: str, work: Callable[[], Awaitable[Json]]) -> Json:
        if key not in self.done:
            self.done[key] = await work()
        return self.done[key]


def with_steps(bench: Bench, *steps: str) -> Deps:
    return replace(bench.deps, turn=replace(bench.deps.turn, steps=list(steps)))


def said(bench: Bench) -> str:
    ((_, document),) = bench.surface.posts
    return words(document)


STEPS = [f"Step {number}" for number in range(SHOWN + 3)]

TOLD = [
    ([], "Stopped before anything was done."),
    (STEPS[:2], "Stopped. Done until then: Step 0; Step 1."),
    (STEPS[:SHOWN], f"Stopped. Done until then: {'; '.join(STEPS[:SHOWN])}."),
    (STEPS, f"Stopped. Done until then: {'; '.join(STEPS[3:])} ({len(STEPS)} steps in all)."),
]


@pytest.mark.parametrize(("steps", "text"), TOLD, ids=["none", "some", "just all", "the latest"])
async def test_a_stopped_turn_tells_what_it_had_done(bench: Bench, steps: list[str], text: str) -> None:
    await stopped(QUESTION, with_steps(bench, *steps))
    assert said(bench) == text


async def test_a_step_of_several_lines_is_told_on_one(bench: Bench) -> None:
    await stopped(QUESTION, with_steps(bench, "Reading\n\u202eprod\x00-1", "Writing"))
    assert said(bench) == "Stopped. Done until then: Reading prod-1; Writing."


async def test_whoever_reads_chinese_is_told_so_in_chinese(bench: Bench) -> None:
    async def chinese(place: str, user: str) -> Locale:
        return Locale("zh")

    await stopped(QUESTION, replace(bench.deps, locale=chinese))
    assert said(bench) == "已停止,尚未做任何事。"


@pytest.mark.parametrize("end", [stopped, given_up])
@pytest.mark.parametrize(("event", "place"), PLACES)
async def test_the_last_word_stands_where_the_answer_would_have_stood(
    bench: Bench, end: End, event: Event, place: str
) -> None:
    await end(event, bench.deps)
    assert [where for where, _ in bench.surface.posts] == [place]


@pytest.mark.parametrize("end", [stopped, given_up, hushed])
@pytest.mark.parametrize(("event", "cleared"), [(QUESTION, [("x:C:1", "")]), (PATROL, [])])
async def test_the_line_that_said_what_was_being_done_is_cleared(
    bench: Bench, end: End, event: Event, cleared: list[tuple[str, str]]
) -> None:
    await end(event, bench.deps)
    assert bench.surface.statuses == cleared


async def test_what_somebody_took_back_ends_without_a_word(bench: Bench) -> None:
    await hushed(QUESTION, with_steps(bench, "Reading metrics of prod-0"))
    assert bench.surface.posts == []


async def test_a_turn_that_is_given_up_has_a_reference_and_can_be_asked_again(bench: Bench) -> None:
    await given_up(QUESTION, bench.deps)
    ((_, document),) = bench.surface.posts
    assert "reference ref-1" in words(document)
    assert retried(offered(document)[RETRY]) == QUESTION.key


@pytest.mark.parametrize("end", [stopped, given_up])
async def test_a_platform_that_takes_no_last_word_ends_quietly(bench: Bench, end: End) -> None:
    bench.surface.refuse = 1
    with capture_logs() as logged:
        await end(QUESTION, bench.deps)
    assert bench.surface.posts == []
    assert [line["why"] for line in logged] == ["the channel is archived"]


async def test_a_last_word_is_posted_once_however_often_the_turn_is_ended(bench: Bench) -> None:
    deps = replace(bench.deps, turn=Turn("t-1", Written()))
    await given_up(QUESTION, deps)
    await given_up(QUESTION, deps)
    assert len(bench.surface.posts) == 1


async def test_a_status_that_cannot_be_cleared_changes_nothing(bench: Bench) -> None:
    bench.surface.status_fault = SurfaceError("no status here")
    await stopped(QUESTION, bench.deps)
    assert said(bench) == "Stopped before anything was done."


async def test_a_turn_that_is_let_in_does_what_was_asked_as_thriftily_as_it_was_told(bench: Bench) -> None:
    await admitted(QUESTION, bench.deps, Keeper(Leave(thrift="cheaper")))
    assert bench.agents.threads["x:C:1"] == ["fleet?"]
    assert bench.agents.thrifts == ["cheaper"]


@pytest.mark.parametrize(("event", "place"), PLACES)
async def test_a_turn_that_is_kept_out_is_told_why_and_does_nothing(bench: Bench, event: Event, place: str) -> None:
    await admitted(event, bench.deps, Keeper(Leave(allowed=False, say="refused.not_listed")))
    ((where, document),) = bench.surface.posts
    assert where == place
    assert "who are on my list" in words(document)
    assert (bench.agents.threads, bench.patrols.runs) == ({}, [])


async def test_a_turn_can_be_kept_out_without_a_word(bench: Bench) -> None:
    await admitted(QUESTION, bench.deps, Keeper(Leave(allowed=False)))
    assert bench.surface.posts == []
    assert bench.surface.statuses == []


@pytest.mark.parametrize("word", [Leave(thrift="rules"), Leave(allowed=False, say="refused.not_listed")])
async def test_a_repeated_turn_stands_by_the_word_that_it_was_given(bench: Bench, word: Leave) -> None:
    journal = Written()
    keeper = Keeper(word)
    for _ in range(2):
        await admitted(QUESTION, replace(bench.deps, turn=Turn("t-1", journal)), keeper)
        keeper.word = Leave()
    assert keeper.asked == 1
    assert bench.agents.thrifts == (["rules", "rules"] if word.allowed else [])
    assert len(bench.surface.posts) == 1


async def test_a_keeper_that_cannot_be_asked_is_apologised_for_and_lets_nobody_in(bench: Bench) -> None:
    with capture_logs() as logged:
        await admitted(QUESTION, bench.deps, Keeper(OSError("the database at 10.0.0.7 is away")))
    assert "ref-1" in said(bench)
    assert "10.0.0.7" not in said(bench)
    assert bench.agents.threads == {}
    assert [line["reference"] for line in logged] == ["ref-1"]


async def test_a_cancelled_last_word_stays_cancelled(bench: Bench) -> None:
    bench.surface.gate.clear()
    task = asyncio.create_task(stopped(QUESTION, bench.deps))
    while not bench.surface.posts:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
