"""What only the engine of one process promises; the rest is in the contract that all engines keep."""

import asyncio

from bot.turns import LocalTurns
from tests.bot.turns.desk import Desk, question, settle


async def test_submitting_does_not_wait_for_the_work() -> None:
    desk = Desk()
    turns = LocalTurns(desk)
    await turns.submit(question("a"))
    assert desk.log == []
    desk.let("a")
    await turns.idle()
    assert desk.log == ["+a", "-a"]


async def test_no_more_than_the_allowed_number_run_at_once() -> None:
    desk = Desk()
    turns = LocalTurns(desk, max_running=2)
    for n in range(5):
        await turns.submit(question(f"q{n}", f"t{n}"))
    await settle(lambda: len(desk.log) == 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(desk.log) == 2
    desk.let(*(f"q{n}" for n in range(5)))
    await turns.idle()
    assert sorted(desk.log) == sorted(f"{sign}q{n}" for sign in "+-" for n in range(5))
