"""The pages for operators are held to the code: commands, settings, limits and log fields that exist."""

import re
from pathlib import Path

import pytest

from bot.checkup import parts
from bot.cli import app
from bot.grants import Names, steps
from bot.settings import Settings, environment_names
from bot.warehouse import Account, Address

ROOT = Path(__file__).parent.parent
PAGES = ("docs/operation.md", "docs/starrocks.md")
PLACE = Address("h", 9030, Account("reader", Settings().starrocks_password), None, embedded=False)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_setting_that_a_page_names_exists(name: str) -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = set(re.findall(r"(?:bin/|`|^|admin )starwatch ([a-z][a-z-]*)", page(name), flags=re.M))
    assert named
    assert named <= commands
    settings = set(re.findall(r"\bSTARWATCH_[A-Z_]*[A-Z]\b", page(name)))
    assert settings <= {*environment_names().values(), "STARWATCH_ENV_FILE"}


def test_the_page_shows_every_limit_with_its_printed_value() -> None:
    text = page("docs/starrocks.md")
    options = [pair for step in steps(Names()) for pair in re.findall(r"'([\w.]+)' = '([^']+)'", step.sql)]
    limits = [(name, value) for name, value in options if name != "user"]
    assert len(limits) == 9
    for name, value in limits:
        assert re.search(rf"\| `{re.escape(name)}` \| {re.escape(value)}[ |]", text), name


def test_the_page_explains_every_part_that_the_doctor_looks_at() -> None:
    explained = set(re.findall(r"^\| ([\w' ]+?) \|", page("docs/starrocks.md"), flags=re.M))
    assert set(parts(PLACE, Settings())) <= explained


def test_the_log_fields_of_the_page_are_logged() -> None:
    table = page("docs/operation.md").partition("| field | in | meaning |")[2]
    fields = {
        field
        for cell in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, flags=re.M)
        for field in re.findall(r"`(\w+)`", cell)
    }
    code = "\n".join(path.read_text() for package in ("bot", "handlers") for path in (ROOT / package).rglob("*.py"))
    own = {"timestamp", "level", "logger", "event", "exception"}
    assert fields > own
    for field in fields - own:
        assert re.search(rf"log\.\w+\([^)]*\b{field}=", code), field


def test_the_container_and_the_unit_start_the_same_command() -> None:
    text = page("docs/operation.md")
    assert "ExecStart=/opt/starwatch/.venv/bin/starwatch serve" in text
    assert 'CMD ["starwatch", "serve"]' in text
    assert not re.search(r"^FROM \S*[./]\S*/", text, flags=re.M), "a registry's host is the reader's own choice"
