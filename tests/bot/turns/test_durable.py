"""What only durable turns promise: they outlive their process, in order, and none is done by two."""

import re
from dataclasses import replace

import pytest

from bot.errors import OperatorError, SettingsError
from bot.turns.durable import turns_address
from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk, question, settle


async def test_what_was_cut_off_and_what_waited_behind_it_goes_on_in_the_next_process(url: str) -> None:
    before, after = Desk(), Desk()
    async with durable(url, before) as turns:
        await turns.submit(question("a"))
        await turns.submit(question("z", "t2"))
        await settle(lambda: len(before.log) == 2)
    after.let("a", "b", "z")
    async with durable(url, after) as turns:
        assert not await turns.submit(question("a"))
        await settle(lambda: {"-a", "-z"} <= set(after.log))
        await turns.submit(question("b"))
        await settle(lambda: "-b" in after.log)
    assert after.turns["a"].repeated
    assert not after.turns["b"].repeated
    assert [entry for entry in after.log if entry[1] != "z"] == ["+a", "-a", "+b", "-b"]


async def test_a_turn_that_never_ends_is_given_up(url: str) -> None:
    desk = Desk()
    async with durable(url, desk, replace(QUICK, limit=1.0)) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a", "?a"])
        desk.let("b")
        await turns.submit(question("b"))
        await settle(lambda: "-b" in desk.log)


async def test_a_turn_that_is_cut_off_each_time_is_given_up_and_the_thread_goes_on(url: str) -> None:
    desk = Desk()
    for _ in range(3):
        begun = len(desk.log)
        async with durable(url, desk) as turns:
            await turns.submit(question("poison"))
            await settle(lambda begun=begun: len(desk.log) > begun)  # type: ignore[misc]
    desk.let("b")
    async with durable(url, desk) as turns:
        await settle(lambda: "?poison" in desk.log)
        await turns.submit(question("b"))
        await settle(lambda: "-b" in desk.log)
    assert desk.log.count("+poison") == 3


async def test_a_second_process_with_the_same_id_does_not_start(url: str) -> None:
    async with durable(url, Desk()):
        with pytest.raises(OperatorError, match="'starwatch-0' is running on this database already"):
            async with durable(url, Desk()):
                pass


def test_the_queue_lives_beside_our_own_database() -> None:
    assert str(turns_address("sqlite+aiosqlite:////data/starwatch.db")) == "sqlite:////data/starwatch.turns.db"
    assert turns_address("postgresql+psycopg://u@h/d").drivername == "postgresql"


@pytest.mark.parametrize("address", ["postgresql:///d", "postgresql:///d?host=/var/run/postgresql"])
def test_a_postgres_behind_a_socket_is_refused_with_the_reason(address: str) -> None:
    with pytest.raises(SettingsError, match=re.escape("reach Postgres over TCP")):
        turns_address(address)
