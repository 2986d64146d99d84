"""A turn as those who wait for it see it."""

from collections.abc import Sequence

import pytest

from agent.progress import Progress, RoundStarted, TextDiscarded, TextPiece, ToolFinished, ToolStarted
from handlers.document import Document
from handlers.locale import ENGLISH, Locale
from handlers.surface import Posted, Step
from handlers.telling import SHOWN, Telling
from handlers.turn import Turn
from tests.fakes.thinking import reading


class Sheet:
    """Notes what is written on it: plans as texts with their states, words as they come."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def steps(self, steps: Sequence[Step]) -> None:
        self.told.append(" · ".join(f"{step.text} ({step.state})" for step in steps))

    async def text(self, piece: str) -> None:
        self.told.append(f"+{piece}" if piece else "taken back")

    async def finish(self, document: Document) -> Posted:
        raise AssertionError("a turn's progress finishes nothing")


async def told(*events: Progress, locale: Locale = ENGLISH, turn: Turn | None = None) -> list[str]:
    sheet = Sheet()
    telling = Telling(sheet, turn or Turn(), locale)
    for event in events:
        await telling(event)
    return sheet.told


DONE = ToolFinished("call-1", "query_cluster_metrics", is_error=False, seconds=0.1)
FAILED = ToolFinished("call-1", "query_cluster_metrics", is_error=True, seconds=0.1)
THINKS = RoundStarted(1, last=False)


async def test_tools_are_a_plan_whose_steps_end_well_or_badly() -> None:
    assert await told(THINKS, reading("prod-0"), DONE) == [
        "Thinking (running)",
        "Reading metrics of prod-0 (running)",
        "Reading metrics of prod-0 (done)",
    ]
    assert (await told(reading("prod-0"), FAILED))[-1] == "Reading metrics of prod-0 (failed)"


async def test_thinking_stands_behind_what_was_done_and_goes_when_words_come() -> None:
    assert (await told(reading("prod-0"), DONE, RoundStarted(2, last=True), TextPiece("It")))[-3:] == [
        "Reading metrics of prod-0 (done) · Writing the answer (running)",
        "Reading metrics of prod-0 (done)",
        "+It",
    ]


async def test_words_before_a_tool_call_were_no_answer_and_are_taken_back() -> None:
    assert await told(TextPiece("Let me look."), reading("prod-0")) == [
        "",
        "+Let me look.",
        "taken back",
        "Reading metrics of prod-0 (running)",
    ]


async def test_words_of_a_reply_that_broke_off_are_taken_back_once() -> None:
    assert (await told(TextPiece("It"), TextDiscarded(), TextDiscarded(), TextPiece("It is")))[1:] == [
        "+It",
        "taken back",
        "",
        "+It is",
    ]


@pytest.mark.parametrize("event", [TextDiscarded(), ToolFinished("unknown", "x", is_error=False, seconds=0.1)])
async def test_what_nobody_saw_changes_nothing(event: Progress) -> None:
    assert await told(event) == []


async def test_steps_are_told_in_the_readers_language() -> None:
    assert await told(THINKS, reading("prod-0"), locale=Locale("zh")) == [
        "正在思考 (running)",
        "正在读取 prod-0 的指标 (running)",
    ]


async def test_the_turn_remembers_its_steps_for_its_last_words() -> None:
    turn = Turn()
    await told(THINKS, THINKS, reading("prod-0"), DONE, turn=turn)
    assert turn.steps == ["Thinking", "Reading metrics of prod-0"]


async def test_of_a_long_plan_the_latest_steps_are_shown() -> None:
    calls = [ToolStarted(f"call-{n}", "read_query", {}) for n in range(SHOWN + 5)]
    assert (await told(*calls))[-1].count("running") == SHOWN
