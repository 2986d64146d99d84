"""The check that an answer invents no figure: each number in it is in a result, or computed from one in a known way."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agent.rules_only.envelope import Sheet, read
from agent.rules_only.thresholds import Thresholds

_NUMBER = re.compile(r"(?<![\w.,:-])(\d[\d,]*(?:\.\d+)?(?:e-\d+)?)(?![\w-]|\.\d)")
# up 26% (100 ms → 126 ms): the change is checked against its ends, the ends against the results.
_MOVE = re.compile(
    r"(?:up|down|上升|下降|略升|略降|升至) ([\d,]+)(%|-fold| 倍) (?=\(([\d,.]+)[^→\n]{0,12}→ ([\d,.]+))()"
)
_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-")
_RULE_CONSTANTS = (3.0, 24.0, 7.0, 0.0, 100.0)


def unsupported(
    answer: str, results: Iterable[str], arguments: Iterable[Mapping[str, Any]], limits: Thresholds
) -> list[str]:
    """The numbers of `answer` that no result, argument, threshold or computation on them accounts for."""
    results = list(results)
    known = sorted(
        {*_RULE_CONSTANTS, *_given(arguments), *_limits(limits), *(n for text in results for n in _numbers(text))}
    )
    ids = {match.group(1) for text in results for match in _ID.finditer(text)}
    return [token for token in _tokens(_without_true_moves(answer)) if token not in ids and not _is_near(token, known)]


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


def _without_true_moves(answer: str) -> str:
    """The answer without the changes that follow from the two ends told with them; a wrong one stays to be found."""
    return _MOVE.sub(lambda match: match.group(5) if _follows(match) else match.group(0), answer)


def _follows(match: re.Match[str]) -> bool:
    said = float(match.group(1).replace(",", ""))
    (first, low), (last, slack) = (_rounded(match.group(index)) for index in (3, 4))
    bounds = ((last - slack) / (first + low), (last + slack) / max(first - low, 1e-9))
    values = [ratio if match.group(2) != "%" else abs(100 * (ratio - 1)) for ratio in bounds]
    return min(values) - 1 <= said <= max(values) + 1


def _rounded(text: str) -> tuple[float, float]:
    """A figure and half a unit of its last digit."""
    return float(text.replace(",", "")), 0.5 * 10 ** -len(text.partition(".")[2])
