"""Retry."""

from dataclasses import replace

import pytest

from agent.answer import Answer
from handlers import handle, presses
from handlers.buttons import RETRY, retried, retry
from handlers.document import Actions, Button, Document
from handlers.surface import Event, PatrolRequest, Press, Question
from tests.handlers.conftest import Bench

ASKED = Question("slack:T:C:1.1", "slack:T:C:1.1", "anna", "fleet?", "1.1")
PRESS = Press("k9", RETRY, retry(ASKED.key), "ben", "slack:T:C:1.1", "slack:T:C:1.5", order="9.9")


def buttons(document: Document) -> list[Button]:
    rows = [part for part in document.parts if isinstance(part, Actions)]
    return [one for row in rows for one in row.buttons if isinstance(one, Button)]


async def pressed(bench: Bench, press: Press, known: Event | None) -> list[Event]:
    queued: list[Event] = []

    async def submit(event: Event) -> None:
        queued.append(event)

    async def asked(key: str) -> Event | None:
        return known if known is not None and known.key == key else None

    await presses.act(press, replace(bench.deps, submit=submit, asked=asked))
    return queued


async def test_a_fault_offers_retry_with_the_key_of_the_question(bench: Bench) -> None:
    bench.agents.fault = KeyError("boom")
    await handle(ASKED, bench.deps)
    _, document = bench.surface.posts[-1]
    (button,) = buttons(document)
    assert (button.label, button.action, retried(button.value)) == ("Retry", RETRY, ASKED.key)


async def test_a_failed_answer_offers_retry_and_a_good_one_does_not(bench: Bench) -> None:
    await handle(ASKED, bench.deps)
    assert RETRY not in [button.action for button in buttons(bench.surface.posts[-1][1])]

    async def failed(*arguments: object) -> Answer:
        return Answer("The warehouse is away.", "claude", "m", rounds=0, seconds=0.1, failed=True)

    bench.agents.chat = failed  # type: ignore[method-assign,assignment]
    await handle(ASKED, bench.deps)
    assert [button.action for button in buttons(bench.surface.posts[-1][1])] == [RETRY]


async def test_the_question_is_asked_again_as_the_one_who_pressed(bench: Bench) -> None:
    (event,) = await pressed(bench, PRESS, ASKED)
    assert event == replace(ASKED, key="again:slack:T:C:1.5", user="ben", order="9.9")


async def test_two_presses_under_one_failure_are_one_question(bench: Bench) -> None:
    first = await pressed(bench, PRESS, ASKED)
    second = await pressed(bench, replace(PRESS, key="k10", user="cleo"), ASKED)
    assert {event.key for event in first + second} == {"again:slack:T:C:1.5"}


async def test_a_patrol_is_asked_for_again_in_its_channel(bench: Bench) -> None:
    request = PatrolRequest("p1", "slack:T:C", "anna", "morning")
    (event,) = await pressed(bench, replace(PRESS, value=retry("p1")), request)
    assert event == PatrolRequest("again:slack:T:C:1.5", "slack:T:C", "ben", "morning")


async def test_a_question_of_another_channel_is_not_asked_here(bench: Bench) -> None:
    elsewhere = replace(ASKED, thread="slack:T:SECRET:1.1")
    assert await pressed(bench, PRESS, elsewhere) == []
    assert len(bench.surface.whispers) == 1


async def test_a_forgotten_question_is_told_to_whoever_pressed(bench: Bench) -> None:
    assert await pressed(bench, PRESS, None) == []
    ((place, user, _),) = bench.surface.whispers
    assert (place, user) == ("slack:T:C:1.1", "ben")


@pytest.mark.parametrize("value", ["", "{}", '{"again":1}', '{"again":""}', '{"again":"k","x":1}', "[" * 3000])
async def test_a_value_of_no_button_of_ours_asks_nothing(bench: Bench, value: str) -> None:
    assert await pressed(bench, replace(PRESS, value=value), ASKED) == []


def test_a_long_key_is_cut_as_the_inbox_cuts_it() -> None:
    assert retried(retry("k" * 300)) == "k" * 255
