"""The page of faults is held to the tests: each fault has one, and each that is named is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "faults.md").read_text()
FAULTS = [f"F{number}" for number in range(1, 21)]
TESTED = re.findall(r"^\| (F\d+) \| `(tests/[\w/]+\.py)` \| `(test_\w+)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_of_once_and_has_a_test(fault: str) -> None:
    assert len(re.findall(rf"^\| {fault} \| [^`]", PAGE, re.MULTILINE)) == 1
    assert [test for known, _, test in TESTED if known == fault] != []


@pytest.mark.parametrize("path", sorted({path for _, path, _ in TESTED}))
def test_each_test_that_is_named_is_there(path: str) -> None:
    there = set(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))
    assert {test for _, known, test in TESTED if known == path} <= there


def test_no_row_of_the_page_is_passed_over() -> None:
    assert len(TESTED) == len(re.findall(r"^\| F\d+ \| `", PAGE, re.MULTILINE))
    assert {fault for fault, _, _ in TESTED} == set(FAULTS)
