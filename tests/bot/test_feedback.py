"""`starwatch feedback`: what people thought of answers, as an operator reads it."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.clock import utc_now
from bot.store import open_store
from handlers.kept import KeptAnswer
from tests.bot.conftest import Run


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Two answers: one liked, one disliked with a reason."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'own.db'}"

    async def fill() -> None:
        async with open_store(url, utc_now) as store:
            for number in (1, 2):
                question = f"how is prod-{number}?\x1b[31m\n" + "x" * 400
                answer = KeptAnswer(f"a-{number}", f"slack:T:C:{number}", "U1", question, "All well.", "claude-x", ())
                assert await store.answers.keep(answer)
            assert await store.answers.judge("a-1", "U1", "good", "")
            assert await store.answers.judge("a-2", "U2", "bad", "wrong cluster")

    asyncio.run(fill())
    return url


def test_verdicts_are_listed_with_question_answer_and_reason(starwatch: Run, database: str) -> None:
    code, out, _ = starwatch("feedback", "--bad", STARWATCH_DATABASE_URL=database)
    first, asked, answered, reason = out.splitlines()
    assert code == 0
    assert first.endswith("bad  U2  slack:T:C:2  claude-x  a-2")
    assert asked.startswith("    asked: how is prod-2?[31m xxx") and asked.endswith("…")
    assert (answered, reason) == ("    answered: All well.", "    reason: wrong cluster")


@pytest.mark.parametrize(("words", "users"), [([], {"U1", "U2"}), (["--bad"], {"U2"})])
def test_programs_get_all_of_it(starwatch: Run, database: str, words: list[str], users: set[str]) -> None:
    _, out, _ = starwatch("feedback", "--json", *words, STARWATCH_DATABASE_URL=database)
    assert {one["user"] for one in json.loads(out)} == users
    _, out, _ = starwatch("feedback", "--json", "--limit", "1", STARWATCH_DATABASE_URL=database)
    assert len(json.loads(out)) == 1


def test_no_feedback_is_an_answer(starwatch: Run, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    assert starwatch("feedback", STARWATCH_DATABASE_URL=url)[:2] == (0, "no feedback yet\n")


def test_a_database_that_cannot_be_read_is_one_line_for_the_operator(starwatch: Run) -> None:
    code, out, err = starwatch("feedback", STARWATCH_DATABASE_URL="postgresql://u:p@127.0.0.1:1/none")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "STARWATCH_DATABASE_URL" in err
