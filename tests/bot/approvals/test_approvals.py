"""Approvals through the bot: a model wants something changed, people decide, and it happens once or not at all."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bot.clock import utc_now
from handlers import presses
from handlers.buttons import APPROVE, DECLINE, HOME, approval
from handlers.permits import Approval
from handlers.surface import Press
from tests.bot.approvals.world import ANN, BOB, EVE, QUICK, THREAD, Process, World, button, process, words
from tests.bot.conftest import Run
from tests.bot.turns.desk import settle

PROD = ("far_delete", {"name": "prod-1"})


@pytest.fixture
def url(own_database: str) -> str:
    return own_database


@pytest.fixture
def world(url: str) -> World:
    return World(url, [PROD])


async def asked(bot: Process) -> None:
    await bot.ask()
    await bot.carded()


async def test_nothing_is_done_before_an_approval_and_once_after_it(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        assert world.deleted == []
        (card,) = world.cards
        assert r"\"name\"\: \"prod\-1\"" in words(card)
        assert "may delete or overwrite" in words(card)
        await bot.press(BOB)
        await bot.answered("deleted prod-1")
    assert world.deleted == ["prod-1"]
    assert f"Approved by {BOB}" in world.redrawn()
    assert "(done)" in world.redrawn()
    assert button(world.surface.updates[-1][1], APPROVE) is None
    assert [(user, verdict) for user, verdict, _ in world.records] == [(BOB, "approved"), (ANN, "done")]
    assert world.model.asked == 2


async def test_a_declined_call_is_not_made_and_the_model_hears_who_declined(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        await bot.press(BOB, DECLINE)
        await bot.answered("DECLINED: U-bob declined the approval; nothing was done")
    assert world.deleted == []
    assert f"Declined by {BOB}" in world.redrawn()


async def test_whoever_asked_may_decline_but_not_approve(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        await bot.press(ANN)
        assert "You may not approve this." in world.whispered()[0]
        assert world.surface.updates == []
        await bot.press(ANN, DECLINE)
        await bot.answered("DECLINED")
    assert world.deleted == []


@pytest.mark.parametrize("action", [APPROVE, DECLINE])
async def test_a_stranger_decides_nothing_and_the_audit_hears_of_it(world: World, action: str) -> None:
    async with process(world) as bot:
        await asked(bot)
        await bot.press(EVE, action)
        assert len(world.whispered()) == 1
        assert world.verdicts == ["permission"]
        assert [one.state for one in await _kept(bot)] == ["waiting"]


async def test_an_approver_who_asks_may_approve(world: World) -> None:
    world.approvers = frozenset({ANN})
    async with process(world) as bot:
        await asked(bot)
        await bot.press(ANN)
        await bot.answered("deleted prod-1")


async def test_without_approvers_the_tools_are_not_offered(world: World) -> None:
    world.approvers = frozenset()
    async with process(world) as bot:
        await bot.ask()
        await bot.answered("UNKNOWN_TOOL")
    assert (world.cards, world.deleted) == ([], [])


async def test_an_approval_expires_and_the_model_hears_so(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        world.forward(minutes=31)
        await bot.answered("EXPIRED: nobody approved it in time")
        assert "Expired at" in world.redrawn()
        await bot.press(BOB)
        assert "decided before" in world.whispered()[-1]
    assert (world.deleted, world.verdicts) == ([], ["expired"])


async def test_one_who_approves_too_late_approves_nothing(world: World) -> None:
    async with process(world, replace(QUICK, watch=60)) as bot:
        await asked(bot)
        world.forward(minutes=31)
        await bot.press(BOB)
        assert "decided before" in world.whispered()[-1]
        await bot.answered("EXPIRED")
    assert (world.deleted, world.verdicts) == ([], ["expired"])


async def test_a_press_is_counted_once_however_many_press(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        await asyncio.gather(bot.press(BOB), bot.press(BOB, DECLINE), bot.press(BOB))
        assert ["decided before" in told for told in world.whispered()] == [True, True]
        await settle(lambda: len(world.surface.posts) == 2)
        (kept,) = await _kept(bot)
    decided = [verdict for verdict in world.verdicts if verdict in {"approved", "declined"}]
    assert decided == [kept.state]
    assert world.deleted == (["prod-1"] if kept.state == "approved" else [])


async def test_a_turn_that_waits_survives_a_restart(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
    async with process(world) as bot:
        await bot.press(BOB)
        await bot.answered("deleted prod-1")
    assert (world.deleted, world.model.asked, len(world.cards)) == (["prod-1"], 2, 1)


async def test_what_was_decided_while_nobody_was_at_work_is_taken_up(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        await bot.turns.close(0)
        await bot.press(BOB)
        assert world.deleted == []
    async with process(world) as bot:
        await bot.answered("deleted prod-1")
    assert world.deleted == ["prod-1"]


async def test_a_call_that_was_cut_off_is_never_made_again_and_everybody_hears_so(world: World) -> None:
    world.hold.clear()
    async with process(world) as bot:
        await asked(bot)
        await bot.press(BOB)
        await settle(lambda: world.deleted == ["prod-1"])
    world.hold.set()
    async with process(world) as bot:
        await bot.answered("UNKNOWN_OUTCOME: whether far_delete had its effect is not known")
    assert world.deleted == ["prod-1"]
    assert "(outcome unknown)" in world.redrawn()
    assert any("I was cut off while far_delete ran" in text for text in world.said())
    assert world.verdicts == ["approved", "unknown"]


async def test_a_stop_while_it_waits_withdraws_the_request(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        stopped = await bot.turns.stop(THREAD)
        assert stopped.running == 1
        await settle(lambda: any("Stopped" in text for text in world.said()))
        await settle(lambda: "Withdrawn" in world.redrawn())
        await bot.press(BOB)
        assert "decided before" in world.whispered()[-1]
        await bot.ask("k2", "hello")
        await bot.answered("Hello.")
    assert (world.deleted, world.verdicts) == ([], ["withdrawn"])


async def test_a_question_that_is_taken_back_withdraws_its_request(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        assert await bot.turns.withdraw("k1")
        await settle(lambda: bool(world.surface.updates) and "Withdrawn" in world.redrawn())
    assert world.deleted == []


async def test_other_threads_are_answered_meanwhile_and_this_one_afterwards(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        assert bot.turns.load["running"] == 0
        await bot.ask("k2", "hello", "x:T:C:2")
        await bot.answered("Hello.")
        await bot.ask("k3", "and tell me how many are left")
        assert await bot.turns.under_way("k1")
        await bot.press(BOB)
        await bot.answered("deleted prod-1")
        # the answer stands a moment before the turn is written down as done
        async with asyncio.timeout(60):
            while await bot.turns.under_way("k1"):
                await asyncio.sleep(0)


async def test_calls_of_one_round_are_one_approval_that_lists_each(url: str) -> None:
    world = World(url, [PROD, ("far_stop", {"names": ["dev-1", "dev-2"]}), ("far_delete", {"name": "prod-2"})])
    async with process(world) as bot:
        await asked(bot)
        told = words(world.cards[0])
        for name in ("prod", "dev"):
            assert rf"\"{name}\-1\"" in told
            assert rf"\"{name}\-2\"" in told
        assert "twice is as once" in told
        await bot.press(BOB)
        await bot.answered("deleted prod-1 | stopped 2 | deleted prod-2")
    assert world.deleted == ["prod-1", ["dev-1", "dev-2"], "prod-2"]


async def test_what_does_not_fit_a_card_is_in_a_file(url: str) -> None:
    names = [f"idle-cluster-{n:04d}" for n in range(400)]
    world = World(url, [("far_stop", {"names": names})])
    async with process(world) as bot:
        await asked(bot)
        assert "Not everything fits here" in words(world.cards[0])
        assert any(names[-1] in text for text in world.said())
        await bot.press(BOB)
        await bot.answered("stopped 400")
    assert world.deleted == [names]


async def test_a_turn_may_wait_more_often_than_it_may_be_begun(url: str) -> None:
    world = World(url, *([("far_delete", {"name": f"prod-{n}"})] for n in range(5)))
    async with process(world) as bot:
        await bot.ask()
        for count in range(1, 6):
            await bot.carded(count)
            await bot.press(BOB)
        await bot.answered("deleted prod-4")
    assert world.deleted == [f"prod-{n}" for n in range(5)]


@pytest.mark.parametrize("value", ["", "nonsense", approval("0" * 16, "f" * 64)])
async def test_a_forged_button_decides_nothing(world: World, value: str) -> None:
    async with process(world) as bot:
        await asked(bot)
        (kept,) = await _kept(bot)
        await bot.press(BOB, value=value or approval(kept.id, "0" * 64))
        assert [one.state for one in await _kept(bot)] == ["waiting"]
    assert world.deleted == []


async def test_the_home_page_shows_what_waits_to_whom_it_concerns(world: World) -> None:
    async with process(world) as bot:
        await asked(bot)
        for user in (BOB, ANN, EVE):
            await presses.act(Press(f"home-{user}", HOME, "", user, THREAD, ""), bot.deps)
    shown = {user: words(document) for user, document in world.surface.homes}
    line = r"- far\_delete, asked for by U\-ann, until 2026-11-20 12:30 UTC"
    assert [line in shown[user] for user in (BOB, ANN, EVE)] == [True, True, False]
    assert all("only after a person has approved it" in one for one in shown.values())


def test_the_doctor_tells_who_may_approve_and_what_waits(starwatch: Run, world: World) -> None:
    def told(**variables: str) -> Any:
        _, out, _ = starwatch("doctor", "--json", STARWATCH_DATABASE_URL=world.url, **variables)
        return next(
            (one["state"], one["detail"]) for one in json.loads(out.splitlines()[-1]) if one["part"] == "approvals"
        )

    async def ask() -> None:
        async with process(world) as bot:
            await asked(bot)

    assert told()[0] == "off"
    assert told(STARWATCH_APPROVERS=BOB) == ("ok", "none waits")
    world.moment = utc_now()
    asyncio.run(ask())
    assert told()[1].startswith(f"1 waiting, the first in {THREAD} until ")


async def _kept(bot: Process) -> list[Approval]:
    assert bot.deps.permits is not None
    return list(await bot.deps.permits.ledger.of_turn(f"turn:{THREAD}:k1:k1"))
