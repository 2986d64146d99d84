"""kill -9 at every boundary of a turn's steps: nothing lost, nothing answered twice, nothing kept is done again."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from bot.turns.inbox import MOST_DEATHS
from tests.bot.turns.victim import Ledger

BOUNDARIES = 26
"""Before, behind the work and behind the checkpoint of: leave, overheard, begun, round 1, two tools side by side,
round 2, the post; and before and behind the hearing of what was added."""


async def suffered(url: str, ledger: Path, boundaries: range) -> Ledger:
    """The ledger of a bot that was killed at each of these boundaries."""
    return await lived(url, ledger, *map(str, boundaries))


async def lived(url: str, ledger: Path, *how: str) -> Ledger:
    """The ledger of a bot that lived so; see `tests.bot.turns.victim`."""
    words = ("-m", "tests.bot.turns.victim", url, str(ledger), *how)
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


async def test_a_turn_that_gets_on_is_never_given_up_however_often_the_bot_is_killed_in_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    url = sqlite_url.replace("+aiosqlite", "")
    lines = (await lived(url, tmp_path / "ledger", "again", "100")).lines()
    deaths = [line["at"] for line in lines if line["did"] == "die"]
    assert len(deaths) == len(set(deaths)) == BOUNDARIES - 4
    assert [line["key"] for line in lines if line["did"] == "end"] == ["q000", "q001"]
    posts = [line["text"] for line in lines if line["did"] == "post"]
    assert len(posts) == 2
    assert "found the state of q000.1 and the state of q000.2" in posts[0]
    # each at most once before it was kept, once between that and its checkpoint, and never again
    assert max(Counter(line["what"] for line in lines if line["did"] == "tool").values()) <= 3


async def test_an_investigation_killed_at_every_boundary_is_one_row_and_one_answer_from_one_look(
    sqlite_url: str, tmp_path: Path
) -> None:
    url = sqlite_url.replace("+aiosqlite", "")
    lines = (await lived(url, tmp_path / "ledger", "investigate", "100")).lines()
    deaths = [line["at"] for line in lines if line["did"] == "die"]
    assert len(deaths) == len(set(deaths))
    around = ("before", "done, not kept:", "kept:")
    steps = ("begun", "scene", "round:1", "round:2", "stored", "post:answer")
    assert {f"{where} {step}" for where in around for step in steps} <= set(deaths)
    # each life that wrote it meant the same row: the id and the time are those of the first
    assert len({(line["id"], line["at"]) for line in lines if line["did"] == "row"}) == 1
    # once before it was kept, and once more
    did = Counter(line.get("what", line["did"]) for line in lines)
    assert did["look"] == did["row"] == 2
    assert max(did["query_cluster_alerts"], did["query_cluster_operations"]) <= 3
    assert [line["key"] for line in lines if line["did"] == "end"] == ["i000", "q001"]
    told, answer = (line["text"] for line in lines if line["did"] == "post")
    assert "Investigation of prod-1" in told
    assert "The version change to 3.5.3-ee made plans of queries worse." in told
    assert "found the state of q001.1 and the state of q001.2" in answer


async def test_a_turn_is_answered_when_the_bot_is_killed_at_one_place_four_times_and_not_the_fifth(
    sqlite_url: str, tmp_path: Path
) -> None:
    url, place = sqlite_url.replace("+aiosqlite", ""), "done, not kept: round:2"
    lines = (await lived(url, tmp_path / "ledger", "again", str(MOST_DEATHS - 1), place)).lines()
    assert [line["at"] for line in lines if line["did"] == "die"] == [place] * (MOST_DEATHS - 1)
    assert [line["key"] for line in lines if line["did"] == "end"] == ["q000", "q001"]
    assert len([line for line in lines if line["did"] == "post"]) == 2


PLACES = [("sqlite", "before leave"), ("sqlite", "kept: round:2"), ("postgres", "done, not kept: round:2")]


@pytest.mark.parametrize(("url", "place"), PLACES, indirect=["url"])
async def test_a_turn_that_kills_the_bot_at_one_place_each_time_is_given_up_in_words_and_the_next_is_answered(
    url: str, tmp_path: Path, place: str
) -> None:
    lines = (await lived(url, tmp_path / "ledger", "again", "100", place)).lines()
    assert [line["at"] for line in lines if line["did"] == "die"] == [place] * MOST_DEATHS
    assert [line["key"] for line in lines if line["did"] == "give up"] == ["q000"]
    assert [line["key"] for line in lines if line["did"] == "end"] == ["q001"]
    sorry, answer = (line["text"] for line in lines if line["did"] == "post")
    assert "restarted several times" in sorry
    assert "reference ref" in sorry
    assert "Retry" in sorry
    assert "found the state of q001.1 and the state of q001.2" in answer
