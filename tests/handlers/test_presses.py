"""Pressed buttons."""

from dataclasses import replace

import pytest

from handlers import presses
from handlers.buttons import INVESTIGATE, investigation
from handlers.deps import no_queue
from handlers.document import Note
from handlers.surface import Event, Investigate, Press
from tests.handlers.conftest import Bench

PRESS = Press("k1", INVESTIGATE, investigation("R-1", "0000-1"), "anna", "x:C:2", "x:C:2", order="9.1")


def whispered(bench: Bench) -> list[str]:
    return [part.text for _, _, document in bench.surface.whispers for part in document.parts if isinstance(part, Note)]


async def test_investigate_queues_a_turn_in_the_buttons_thread(bench: Bench) -> None:
    queued: list[Event] = []

    async def submit(event: Event) -> None:
        queued.append(event)

    await presses.act(PRESS, replace(bench.deps, submit=submit))
    assert queued == [Investigate("k1", "x:C:2", "anna", "0000-1", "R-1", "9.1")]


@pytest.mark.parametrize("value", ["", "{", '{"report":"R-1"}', '{"report":"","cluster":"c"}', "[" * 2000])
async def test_a_value_of_no_button_of_ours_does_nothing(bench: Bench, value: str) -> None:
    await presses.act(replace(PRESS, value=value), replace(bench.deps, submit=no_queue))
    assert bench.surface.posts == []
    assert bench.surface.whispers == []


async def test_a_button_that_nothing_answers_to_says_so_to_whoever_pressed_it(bench: Bench) -> None:
    await presses.act(replace(PRESS, action="long_gone"), bench.deps)
    assert whispered(bench) == ["This button is from an earlier version of mine and does nothing any more."]


async def test_a_fault_is_told_with_a_reference_and_without_its_text(bench: Bench) -> None:
    async def submit(event: Event) -> None:
        raise KeyError("secret detail")

    await presses.act(PRESS, replace(bench.deps, submit=submit))
    (told,) = whispered(bench)
    assert "ref-1" in told
    assert "secret" not in told
