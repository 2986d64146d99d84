"""The check that an answer invents no figure: each number in it is in a result, or computed from one in a known way."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from agent.rules_only.envelope import Sheet, read
from agent.rules_only.thresholds import Thresholds

_NUMBER = re.compile(r"(?<![\w.,:-])(\d[\d,]*(?:\.\d+)?(?:e-\d+)?)(?![\w-]|\.\d)")
# Days left are a quotient of three figures; the unit tests of `reach` hold that arithmetic.
_DAYS_LEFT = re.compile(r"at this pace .{1,20} in (?:about \d+ days?|less than a day)")
_RULE_CONSTANTS = (3.0, 24.0, 7.0, 0.0, 100.0)


def unsupported(
    answer: str, results: Iterable[str], arguments: Iterable[Mapping[str, Any]], limits: Thresholds
) -> list[str]:
    """The numbers of `answer` that no result, argument, threshold or computation on them accounts for."""
    known = sorted(
        {*_RULE_CONSTANTS, *_given(arguments), *_limits(limits), *(n for text in results for n in _numbers(text))}
    )
    return [token for token in _tokens(_DAYS_LEFT.sub("", answer)) if not _is_near(token, known)]


def _tokens(text: str) -> Iterator[str]:
    return (match.group(1) for match in _NUMBER.finditer(text))


def _is_near(token: str, known: Sequence[float]) -> bool:
    value = float(token.replace(",", ""))
    digits = len(token.partition(".")[2]) if "e" not in token else 8
    # Half a unit of the last digit shown, and the four significant digits that the door's own text has.
    slack = 0.5 * 10**-digits + 0.0006 * abs(value) + 1e-9
    return any(abs(value - candidate) <= slack for candidate in known)


def _given(arguments: Iterable[Mapping[str, Any]]) -> Iterator[float]:
    for given in arguments:
        for token in re.findall(r"\d+(?:\.\d+)?", " ".join(map(str, given.values()))):
            yield float(token)
            yield float(token) / 24


def _limits(limits: Thresholds) -> Iterator[float]:
    for limit in limits.values():
        yield from (limit.warning, limit.red)


def _numbers(text: str) -> Iterator[float]:
    yield from (float(token.replace(",", "")) for token in _tokens(text))
    sheet = read(text, is_error=False)
    if not isinstance(sheet, Sheet):
        return
    yield from map(float, range(len(sheet) + 1))
    for name in sheet.columns:
        column = [value for row in sheet if (value := row.number(name)) is not None]
        yield from column
        yield sum(column)
        yield from _changes(column[:40])
    for row in sheet:
        yield from _changes([value for name in sheet.columns if (value := row.number(name)) is not None])


def _changes(values: Sequence[float]) -> Iterator[float]:
    for first, last in permutations(values, 2):
        if first:
            yield abs(100 * (last - first) / first)


def cells(line: str) -> list[str]:
    """The cells of one CSV line, for tests that look at a result's text."""
    return next(csv.reader([line]))
