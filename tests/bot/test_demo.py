"""The demo as a newcomer runs it: one command, nothing configured, a patrol and a conversation."""

import re

from tests.bot.conftest import Run


def test_the_demo_patrols_a_fleet_and_answers_two_questions_the_second_from_memory(starwatch: Run) -> None:
    code, out, err = starwatch("demo", "--once")
    assert code == 0
    assert re.search(r"Morning patrol: \d+ critical, \d+ warning, \d+ unknown of 170 clusters", out)
    patrol, first, second = out.split("> ")
    named = re.search(r"nearest to its limit: ([\w-]+)", first)
    assert named is not None
    assert named[1] in patrol
    assert second.splitlines()[1].startswith(named[1])
    assert "simulating 170 clusters" in err


def test_a_scenario_that_does_not_exist_is_one_line_with_the_ones_that_do(starwatch: Run) -> None:
    code, out, err = starwatch("demo", "--once", "--scenario", "doomsday")
    assert (code, out) == (2, "")
    last = err.splitlines()[-1]
    assert "unknown scenario 'doomsday'" in last
    assert "disk_filling" in last


def test_without_a_terminal_the_demo_says_how_to_run_it(starwatch: Run) -> None:
    code, out, err = starwatch("demo")
    assert (code, out) == (2, "")
    assert "use `starwatch demo --once`" in err.splitlines()[-1]
