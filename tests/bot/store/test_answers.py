"""Answers and what was thought of them, in both kinds of own database."""

from dataclasses import replace

from bot.store import Keep, open_store
from bot.store.answers import told
from handlers.kept import KeptAnswer, Statement
from tests.bot.store.conftest import Clock

STATEMENT = Statement("q-1", "read_query", "SELECT 'é'", ("byoc.clusters",), 2, False, 0.1, "q-1")
ANSWER = KeptAnswer("a-1", "slack:T:C:1", "U1", "how is it?", "All well.", "claude-x", (STATEMENT,))


async def test_an_answer_is_found_after_a_restart_as_it_was(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        assert await store.answers.keep(ANSWER)
    async with open_store(url, clock) as store:
        assert await store.answers.find("a-1") == ANSWER
        assert await store.answers.find("a-2") is None


async def test_keeping_an_answer_twice_is_as_once(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        assert await store.answers.keep(ANSWER)
        assert await store.answers.keep(replace(ANSWER, text="another"))
        assert await store.answers.find("a-1") == ANSWER


async def test_a_person_has_one_verdict_and_keeps_the_reason_they_gave(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.answers.keep(ANSWER)
        assert await store.answers.judge("a-1", "U1", "bad", "")
        assert await store.answers.judge("a-1", "U1", "bad", "wrong cluster")
        clock.forward(minutes=1)
        assert await store.answers.judge("a-1", "U2", "good", "")
        clock.forward(minutes=1)
        assert await store.answers.judge("a-1", "U1", "bad", "")
        found = await store.answers.judgements(10)
        assert [(one.user, one.verdict, one.reason, one.at) for one in found] == [
            ("U1", "bad", "wrong cluster", "2026-11-20 03:02"),
            ("U2", "good", "", "2026-11-20 03:01"),
        ]
        assert [one.user for one in await store.answers.judgements(10, "good")] == ["U2"]
        assert [one.user for one in await store.answers.judgements(1)] == ["U1"]
        assert told(found[1])["answer"] == ANSWER.body() | {
            "id": "a-1",
            "statements": told(found[0])["answer"]["statements"],
        }  # type: ignore[index]


async def test_an_answer_that_is_not_kept_cannot_be_judged(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        assert not await store.answers.judge("a-1", "U1", "good", "")
        assert await store.answers.judgements(10) == []


async def test_old_answers_go_and_take_their_verdicts_along(url: str, clock: Clock) -> None:
    async with open_store(url, clock) as store:
        await store.answers.keep(ANSWER)
        await store.answers.judge("a-1", "U1", "good", "")
        clock.moment += Keep().answers
        assert (await store.prune(Keep())).answers == 0
        clock.forward(seconds=1)
        assert (await store.prune(Keep())).answers == 1
        assert await store.answers.judgements(10) == []
