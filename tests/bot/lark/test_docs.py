"""What docs/lark.md tells an administrator to grant and to subscribe to is what the code needs."""

import re
from pathlib import Path

from bot.lark import events
from bot.lark.service import NEEDED, WELCOME
from bot.settings import environment_names
from tests.fakes.lark.routes import ROUTES

PAGE = (Path(__file__).parents[3] / "docs" / "lark.md").read_text()


def test_the_page_lists_each_scope_and_no_other() -> None:
    table = PAGE.partition("## Why each scope")[2].partition("\n\n|")[0]
    told = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)[1:]
    assert {scope for cell in told for scope in re.findall(r"`([^`]+)`", cell)} == {*NEEDED, *WELCOME}


def test_the_page_lists_each_event_and_no_other() -> None:
    table = PAGE.partition("| Event or callback | For |")[2].partition("\n\n")[0]
    kinds = {events.RECEIVED, events.RECALLED, events.PRESSED, events.MENU, events.ENTERED}
    assert set(re.findall(r"`([^`]+)`", table)) == kinds


def test_each_call_that_is_made_is_opened_by_a_scope_of_the_page() -> None:
    wanted = [route for route in ROUTES if route.scopes]
    assert all(route.scopes & {*NEEDED, *WELCOME} for route in wanted)
    assert len(wanted) > 10


def test_the_settings_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`((?:LARK|STARWATCH)_[A-Z_]+)", PAGE))
    assert named <= set(environment_names().values())
