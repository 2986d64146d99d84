"""One cell as a model reads it: cleaned, cut, and numbers no longer than their column needs."""

import math
import re
from collections.abc import Iterable, Sequence

from mcp_server.values import Scalar

CELL_CHARS = 200
NULL = "NULL"

_EXACT_ROWS = 30
_DIGITS, _DIGITS_OF_MANY = 4, 3
_LEAST_DIGITS = 2
_MOST_DECIMALS = 15
_HUGE = 1e15

# Letters and marks that count as printable but show nothing: fillers, joiners, variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def clean(text: str) -> str:
    """One line of characters that show: other white space becomes a space, what hides or reorders text is dropped."""
    if text.isprintable() and text.isascii():
        return text
    spaced = (" " if character.isspace() else character for character in text)
    return _BLANK.sub("", "".join(character for character in spaced if character.isprintable()))


def shown(cells: Sequence[Scalar]) -> list[str]:
    """A column's cells as text: NULL as `NULL` (an empty text stays empty), texts cleaned and cut, floats rounded.

    Floats keep four significant digits, three in columns of more than 30 rows, counted at the column's smaller values;
    whole parts stay whole. What that would round away keeps two digits of its own.
    """
    digits = _DIGITS if len(cells) <= _EXACT_ROWS else _DIGITS_OF_MANY
    decimals = _decimals([cell for cell in cells if isinstance(cell, float)], digits)
    return [_one(cell, decimals) for cell in cells]


def _one(cell: Scalar, decimals: int) -> str:
    if cell is None:
        return NULL
    if isinstance(cell, float):
        return _number(cell, decimals)
    return str(cell) if isinstance(cell, int) else _cut(clean(cell))


def _decimals(numbers: Iterable[float], digits: int) -> int:
    """Decimals that give a column's lower quartile the wanted number of significant digits."""
    sizes = sorted(abs(number) for number in numbers if number)
    if not sizes:
        return 0
    return min(max(digits - 1 - math.floor(math.log10(sizes[len(sizes) // 4])), 0), _MOST_DECIMALS)


def _number(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    if abs(value) >= _HUGE:
        return f"{value:.6g}"
    if abs(value) < 10.0 ** (_LEAST_DIGITS - 1 - decimals):
        return f"{value:.{_LEAST_DIGITS}g}"
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _cut(text: str) -> str:
    return text if len(text) <= CELL_CHARS else f"{text[:CELL_CHARS]}…[+{len(text) - CELL_CHARS} chars]"
