"""A turn that investigates, killed before each of its steps: one row, one answer, whatever was done before."""

import contextlib
from dataclasses import replace

import pytest

from agent.investigation.result import Investigation
from agent.investigation.run import Case
from agent.journal import UNWRITTEN, Journal
from agent.progress import OnProgress
from agent.session import MemorySessions
from handlers.deps import Deps
from handlers.document import Heading
from handlers.investigate import investigate
from handlers.purse import Purse
from handlers.surface import Investigate
from handlers.turn import Turn
from tests.agent.doubles import ScriptedModel, say
from tests.agent.investigation.test_run import DIGGING, Book, Killed
from tests.agent.investigation.world import A, Shelf, Warehouse, conclusion, investigator
from tests.handlers.conftest import Bench

PRESSED = Investigate("k", "x:C:2", "anna", A, "R-1")
SCRIPT = (DIGGING, say(conclusion()))
STEPS = 9
"""Begun, the scene, two rounds, three calls, stored, the post."""


class Real:
    """Implements `handlers.deps.Investigations` with a real investigator, of which each try gets a new one."""

    def __init__(self, store: MemorySessions, shelf: Shelf, model: ScriptedModel) -> None:
        self.store, self.shelf, self.model = store, shelf, model

    async def investigate(
        self,
        case: Case,
        thread: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
    ) -> Investigation:
        made = investigator(self.model, Warehouse(), store=self.store, shelf=self.shelf)
        return await made.investigate(case, on_progress, journal)


def tried(bench: Bench, book: Book, real: Real, *, repeated: bool) -> Deps:
    return replace(bench.deps, investigations=real, turn=Turn("k", book, repeated))


async def steps_in_all() -> int:
    bench, book = Bench(), Book()
    await investigate(
        PRESSED, tried(bench, book, Real(MemorySessions(), Shelf(), ScriptedModel(*SCRIPT)), repeated=False)
    )
    return len(book.written)


async def test_the_steps_are_those_that_are_killed_below() -> None:
    assert await steps_in_all() == STEPS


@pytest.mark.parametrize("last", range(STEPS))
async def test_killed_before_any_step_there_is_one_row_and_one_answer(bench: Bench, last: int) -> None:
    store, shelf, book = MemorySessions(), Shelf(), Book(last)
    with contextlib.suppress(Killed, ExceptionGroup):
        await investigate(PRESSED, tried(bench, book, Real(store, shelf, ScriptedModel(*SCRIPT)), repeated=False))
    asked = sum("round:" in name for name in book.written)
    book.left = None
    await investigate(PRESSED, tried(bench, book, Real(store, shelf, ScriptedModel(*SCRIPT[asked:])), repeated=True))
    assert list(shelf.kept) == ["i-1"]
    ((place, document),) = bench.surface.posts
    assert place == "x:C:2"
    assert document.parts[0] == Heading("Investigation of prod-1")
    assert len(await store.load("t")) == 1
