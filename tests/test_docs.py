"""The documents are held to the code: what they show is what is there."""

import re
from pathlib import Path

import pytest

from agent.patrol.rules import load_rules

ROOT = Path(__file__).parent.parent


def test_the_page_of_rules_says_what_the_rules_file_says() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    for line in load_rules().describe().splitlines():
        assert line in page, f"docs/rules.md lacks: {line}"


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", ["README.md", "AGENTS.md", "CHANGELOG.md", *map(str, Path("docs").glob("**/*.md"))])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = re.findall(
        r"`((?:bot|agent|handlers|mcp_server|sandbox|schema|tests|docs|benchmarks)/[\w./-]*)`",
        (ROOT / page).read_text(),
    )
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []
