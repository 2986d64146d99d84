"""What only durable turns promise: they outlive their process, in order, and none is done by two."""

import asyncio
import re
from dataclasses import replace

import pytest
import structlog
from dbos import DBOS

from agent.journal import Json
from agent.model import Reply, Usage
from agent.progress import Spent
from agent.recorded import reply_record
from bot.clock import utc_now
from bot.errors import OperatorError, SettingsError
from bot.store import open_store
from bot.turns import Stopped
from bot.turns.durable import DurableTurns, Ref, turn_workflow, turns_address
from bot.turns.stored import StoredInbox
from handlers.surface import Event
from handlers.turn import Turn
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


async def test_of_turns_begun_together_those_that_were_cut_off_go_on_and_the_others_are_over(url: str) -> None:
    before, after = Desk(), Desk()
    keys = [f"k{number}" for number in range(8)]
    before.let(*keys[:4])
    async with durable(url, before) as turns:
        assert all(await asyncio.gather(*(turns.submit(question(key, f"thread of {key}")) for key in keys)))
        await settle(lambda: {f"-{key}" for key in keys[:4]} <= set(before.log) and len(before.log) == 12)
        while any([await turns.under_way(key) for key in keys[:4]]):
            await asyncio.sleep(0.002)
    after.open = True
    async with durable(url, after):
        await settle(lambda: {f"-{key}" for key in keys[4:]} <= set(after.log))
    assert sorted(after.log) == sorted(f"{sign}{key}" for key in keys[4:] for sign in "+-")


async def test_a_worker_that_an_earlier_version_left_does_its_lane(url: str) -> None:
    desk = Desk()
    desk.open = True
    # no look for what nobody does: only the worker can find it
    async with durable(url, desk, replace(QUICK, watch=1000.0)) as turns:
        assert isinstance(turns, DurableTurns)
        await turns.inbox.put(question("a"))
        await DBOS.start_workflow_async(turn_workflow, Ref(lane="t1"))
        await settle(lambda: desk.log == ["+a", "-a"])


class Stepping(Desk):
    """Looks at something before it waits, and posts at the end as a handler does."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version
        self.looked: list[str] = []

    async def handle(self, event: Event, turn: Turn) -> None:
        async def look() -> str:
            self.looked.append(event.key)
            return f"seen by {self.version}"

        self.texts[event.key] = str(await turn.journal.step("look", look))
        await super().handle(event, turn)


@pytest.mark.parametrize(("then", "now", "looks"), [("1", "1", []), ("1", "2", ["a"]), ("2", "1", ["a"])])
async def test_turns_that_another_version_began_are_neither_stranded_nor_fed_with_its_steps(
    url: str, then: str, now: str, looks: list[str]
) -> None:
    before, after = Stepping(then), Stepping(now)
    async with durable(url, before, replace(QUICK, version=then)) as turns:
        await turns.submit(question("a"))
        await turns.submit(question("z", "t2"))
        await settle(lambda: len(before.log) == 2)
        await turns.submit(question("b"))
    after.open = True
    async with durable(url, after, replace(QUICK, version=now)):
        await settle(lambda: {"-a", "-b", "-z"} <= set(after.log))
    assert [key for key in after.looked if key == "a"] == looks
    assert after.turns["a"].repeated
    assert after.turns["a"].id == before.turns["a"].id
    assert [entry for entry in after.log if entry[1] != "z"] == ["+a", "-a", "+b", "-b"]


class Poster(Desk):
    """Looks, hears what was added, posts all of it unless it has posted before, and never gets to write that down."""

    def __init__(self, posts: list[list[str]], *, cut_off: bool) -> None:
        super().__init__()
        self.posts = posts
        self.cut_off = cut_off

    async def handle(self, event: Event, turn: Turn) -> None:
        async def looked() -> str:
            return "looked"

        async def posted() -> None:
            if not (turn.repeated and self.posts and self.posts[-1][0] == event.key):
                self.posts.append([event.key, *heard])
            if self.cut_off:
                self.log.append(f"+{event.key}")
                await asyncio.Event().wait()

        await turn.journal.step("look", looked)
        heard = await turn.journal.heard("heard:1")
        await turn.journal.step("post", posted)
        self.log.append(f"-{event.key}")


async def test_what_is_said_after_a_post_that_was_not_written_down_is_answered_by_a_turn_of_its_own(url: str) -> None:
    posts: list[list[str]] = []
    before, after = Poster(posts, cut_off=True), Poster(posts, cut_off=False)
    async with durable(url, before) as turns:
        await turns.submit(question("a"))
        await settle(lambda: before.log == ["+a"])
        await turns.submit(question("b"))
    async with durable(url, after):
        await settle(lambda: after.log == ["-a", "-b"])
    assert posts == [["a"], ["b"]]


class Spender(Desk):
    """Asks a model twice before it waits: one reply is short, the other too long for the journal itself."""

    async def handle(self, event: Event, turn: Turn) -> None:
        for number, length in enumerate((1, 9_000)):

            async def asked(number: int = number, length: int = length) -> Json:
                reply = Reply(({"type": "text", "text": "x" * length},), "end_turn", "m", Usage(100, number))
                return {"reply": reply_record(reply), "may_call_tools": True}

            await turn.journal.step(f"round:{number}", asked)
        await super().handle(event, turn)


async def test_a_turn_that_is_stopped_while_no_process_runs_tells_what_its_model_calls_took(url: str) -> None:
    before, after = Spender(), Spender()
    async with durable(url, before) as turns:
        await turns.submit(question("a"))
        await settle(lambda: before.log == ["+a"])
    async with open_store(url, utc_now) as store:
        _, stopped = await StoredInbox(store.database, utc_now).stop("t1")
    assert stopped == Stopped(running=1)
    async with durable(url, after):
        await settle(lambda: after.log == ["!a"])
    assert after.turns["a"].purse.spent == [Spent("m", Usage(100, 0)), Spent("m", Usage(100, 1))]


async def test_a_turn_that_never_ends_is_given_up(url: str) -> None:
    desk = Desk()
    async with durable(url, desk, replace(QUICK, limit=1.0)) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a", "?a"])
        desk.let("b")
        await turns.submit(question("b"))
        await settle(lambda: "-b" in desk.log)


async def test_when_the_queues_file_may_grow_no_further_events_wait_until_it_may(sqlite_url: str) -> None:
    url, before, after = sqlite_url.replace("+aiosqlite", ""), Desk(), Desk()
    before.open = after.open = True
    keys = [f"k{number:03d}" for number in range(60)]
    async with durable(url, Desk()):
        pass
    with structlog.testing.capture_logs() as lines:
        async with durable(url, before, replace(QUICK, most_bytes=4096)) as turns:
            for key in keys:
                await turns.submit(question(key, f"thread of {key}"))
            await settle(lambda: any("could not be begun" in line["event"] for line in lines))
    async with durable(url, after):
        await settle(lambda: {f"-{key}" for key in keys} <= {*before.log, *after.log})
    assert not [key for key in keys if (before.log + after.log).count(f"-{key}") > 1]


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
