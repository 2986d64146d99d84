"""kill -9 at every boundary of a turn's steps: nothing lost, nothing answered twice, nothing kept is done again."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.bot.turns.victim import Ledger

BOUNDARIES = 26
"""Before, behind the work and behind the checkpoint of: leave, overheard, begun, round 1, two tools side by side,
round 2, the post; and before and behind the hearing of what was added."""


async def suffered(url: str, ledger: Path, boundaries: range) -> Ledger:
    """The ledger of a bot that was killed at each of these boundaries."""
    words = ("-m", "tests.bot.turns.victim", url, str(ledger), *map(str, boundaries))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return Ledger(ledger)


def check(ledger: Ledger, boundaries: range) -> None:
    """One answer for each question; a tool's result that was kept is never computed again."""
    lines = ledger.lines()
    deaths = [line["at"] for line in lines if line["did"] == "die"]
    assert len(deaths) == len(boundaries), deaths
    keys = [f"q{n:03d}" for n in range(len(boundaries))]
    posts = [line for line in lines if line["did"] == "post"]
    assert [line["mark"][0].rsplit(":", 1)[1] for line in posts] == keys
    for key, line in zip(keys, posts, strict=True):
        assert f"found the state of {key}.1 and the state of {key}.2" in line["text"]
    runs = Counter(line["what"] for line in lines if line["did"] == "tool")
    for key, death in zip(keys, deaths, strict=True):
        calls = runs[f"{key}.1"] + runs[f"{key}.2"]
        if any(word in death for word in ("kept: heard", "round:2", "post:", "before heard")):
            assert calls == 2, (key, death)
        else:
            assert calls <= 4, (key, death)
    assert not [line for line in lines if line["did"] == "give up"]


async def test_a_bot_killed_at_every_boundary_answers_each_question_once(sqlite_url: str, tmp_path: Path) -> None:
    url = sqlite_url.replace("+aiosqlite", "")
    boundaries = range(BOUNDARIES)
    check(await suffered(url, tmp_path / "ledger", boundaries), boundaries)


async def test_the_same_on_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = str(request.getfixturevalue("postgres").database())
    boundaries = range(1, BOUNDARIES, 3)
    check(await suffered(url, tmp_path / "ledger", boundaries), boundaries)
