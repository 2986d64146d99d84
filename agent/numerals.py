"""The figures in a text: what it states as a quantity, told apart from dates, versions, ids, names and list numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_K, _M = 1024.0, 1000.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity as it is written at `start:end` of a text, its unit included. `value` is its size without a sign,
    `step` one unit of its last digit. `unit` is a key of `SCALES`. `given` tells that a limit or a window is quoted."""

    text: str
    start: int
    end: int
    value: float
    step: float
    unit: str = ""
    given: bool = False


def _bytes(power: int) -> tuple[float, ...]:
    """What the cells may be in: bytes, or any smaller unit, binary or decimal."""
    return tuple(dict.fromkeys(base**less for less in range(power, -1, -1) for base in (_K, _M)))


def _time(seconds: float) -> tuple[float, ...]:
    return tuple(seconds * of for of in (1e9, 1e6, 1e3, 1.0, 1 / 60, 1 / 3600, 1 / 86400))


SCALES: dict[str, tuple[float, ...]] = {
    "": (1.0,),
    "%": (1.0, 0.01),
    "x": (1.0,),
    "k": (1e3, 1.0),
    "M": (1e6, 1.0),
    "G": (1e9, 1.0),
    "万": (1e4,),
    "亿": (1e8,),
    "B": (1.0, 1e9),
    "KiB": _bytes(1),
    "MiB": _bytes(2),
    "GiB": _bytes(3),
    "TiB": _bytes(4),
    "PiB": _bytes(5),
    "ns": _time(1e-9),
    "us": _time(1e-6),
    "ms": _time(1e-3),
    "s": _time(1.0),
    "min": _time(60.0),
    "h": _time(3600.0),
    "d": _time(86400.0),
    "week": _time(604800.0),
}
"""Unit → by what its numbers may have to be multiplied to meet the number in a cell, which has a unit of its own."""

TIMES = frozenset({"ns", "us", "ms", "s", "min", "h", "d", "week"})

# Written form → unit. The longest are tried first; those of `_TIGHT` only right behind the digits.
_UNITS: dict[str, str] = {
    **dict.fromkeys(("%", "％", "percentage points", "percent", "per cent", "pct", "pp", "个百分点"), "%"),
    **dict.fromkeys(("bytes", "byte", "B", "字节"), "B"),
    **{f"{prefix}{tail}": f"{prefix.upper()}iB" for prefix in "kKMGTP" for tail in ("iB", "B")},
    **dict.fromkeys(("ms", "milliseconds", "毫秒"), "ms"),
    **dict.fromkeys(("µs", "μs", "us", "microseconds", "微秒"), "us"),
    **dict.fromkeys(("ns", "nanoseconds", "纳秒"), "ns"),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s", "秒"), "s"),
    **dict.fromkeys(("minutes", "minute", "mins", "min", "分钟"), "min"),
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h", "个小时", "小时"), "h"),
    **dict.fromkeys(("days", "day", "d", "天"), "d"),
    **dict.fromkeys(("weeks", "week", "周"), "week"),
    **dict.fromkeys(("thousand", "k", "K", "千"), "k"),
    **dict.fromkeys(("million", "mn", "M", "百万"), "M"),
    **dict.fromkeys(("billion", "bn", "G", "十亿"), "G"),
    **dict.fromkeys(("×", "x", "-fold", "fold", "times", "倍"), "x"),
    "万": "万",
    "亿": "亿",
}
_TIGHT = frozenset({"B", "k", "K", "M", "G"})


def _unit_pattern() -> str:
    spelled = sorted(_UNITS, key=len, reverse=True)
    loose = "|".join(re.escape(one) for one in spelled if one not in _TIGHT)
    tight = "|".join(re.escape(one) for one in spelled if one in _TIGHT)
    # A unit in letters ends where the letters end; signs and Chinese characters end by themselves.
    return rf"(?:[   ]?(?P<loose>{loose})|(?P<tight>{tight}))(?![A-Za-z0-9_])"


_NUMBER = re.compile(
    # not within a name, an id or another number: prod-02, p99, 3.4, eu/1
    r"(?<![A-Za-z0-9_.])(?<![A-Za-z_][-/.:#@+])(?<![0-9][A-Za-z]-)(?<![#@])"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9])|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)"
    rf"(?:{_unit_pattern()}|(?![A-Za-z0-9_]|\.[0-9]|-[A-Za-z]))"
)
_ANY = re.compile(
    r"(?<![A-Za-z0-9_.])(?<![A-Za-z_][-/#@])([0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)(?!\.[0-9])"
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_SPAN = r"(?:ms|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hrs?|hours?|d|days?|weeks?|months?|个?小时|天|分钟|周|个?月)"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"

_NO_FIGURE = tuple(
    re.compile(pattern)
    for pattern in (
        r"```[\s\S]*?(?:```|\Z)",
        r"https?://[^\s)>]+",
        r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4,12})+\b",
        r"\bq-[0-9A-Za-z]+",
        rf"\b[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[T ]{_CLOCK})?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?",
        r"\b[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}\b",
        rf"\b[0-9]{{1,2}}-[0-9]{{1,2}}(?=[T ]{_CLOCK})",
        rf"{_CLOCK}(?![0-9])",
        r"(?i)\b[0-9]{1,2} ?[ap]\.?m\b",
        rf"\b[0-9]{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?:,? [0-9]{{4}})?\b",
        rf"\b{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?\b(?![.,]?[0-9%])",
        r"(?:[0-9]{4} ?年 ?)?[0-9]{1,2} ?月(?: ?[0-9]{1,2} ?[日号])?|[0-9]{4} ?年|[0-9]{1,2} ?[日号]",
        r"(?i)\b(?:in|since|during|until|by) (?:19|20)[0-9]{2}\b(?![.,%]?[0-9%])",
        r"\bv?[0-9]+\.[0-9]+\.[0-9]+(?:\.[0-9]+)*(?:-[A-Za-z][\w.]*)?",
        r"(?i)(?:\b(?:versions?|release|starrocks|v)|版本) ?[0-9]+(?:\.[0-9x]+)*",
        r"\b[0-9]+(?:st|nd|rd|th)\b",
        r"(?m)^[ \t>]*[0-9]{1,3}[.)、](?=\s|\*)",
        r"(?i)\b(?:step|option|section|point|part|phase|round|priority|tier|level|no\.) ?#?[0-9]+(?![.,%]?[0-9%])",
        r"第 ?[0-9]+",
        # windows are what was asked for, no measurement
        rf"(?i)\b(?:last|past|next|previous|prior|every|each|within|after another|for the next) [0-9]+ ?{_SPAN}\b",
        rf"(?:过去|最近|未来|接下来|之前|近|每) ?[0-9]+ ?{_SPAN}",
        rf"\b[0-9]+[- ]?{_SPAN}[- ](?:window|period|baseline|horizon|history|lookback|average|forecast)\b",
        r"\b[0-9]+-(?:hour|day|week|minute|month|second)\b",
        r"(?i)\b(?:top|bottom|first) [0-9]+\b(?![.,%]?[0-9%])",
    )
)
_CODE = re.compile(r"`([^`\n]*)`")
_QUANTITY = re.compile(r"[0-9.,]+ ?[%A-Za-z/]{0,5}")
_LIMIT_BEFORE = re.compile(
    r"(?i)(?:limits?|thresholds?|red|yellow|green|warn(?:ing)?|critical|above|over|below|under|exceed(?:s|ed|ing)?"
    r"|more than|less than|at least|at most|beyond|[<>≥≤]=?|上限|下限|阈值|超过|低于|高于|不足)"
    r"(?: (?:of|is|at|from|line|level|the|its))*[ :=(*`]*$"
)
_LIMIT = re.compile(r"(?i)\b(?:limits?|thresholds?|red|critical at|bad from)\b|上限|下限|阈值")
_LIMIT_AFTER = re.compile(r"(?i)^[ *`]*(?:limit|threshold|line|cap|mark|上限|下限|阈值|以上|以下)")
_ABOUT = re.compile(r"(?i)(?:~|≈|\b(?:about|around|roughly|nearly|almost|approximately|some)|约|将?近|大约)[ *`]*$")
_REACH = 48


def figures(text: str) -> list[Figure]:
    """The quantities that a Markdown text states, in order."""
    masked = _masked(text)
    found: list[Figure] = []
    for match in _NUMBER.finditer(masked):
        spelled = match["loose"] or match["tight"] or ""
        before, after = text[max(0, match.start() - _REACH) : match.start()], text[match.end() : match.end() + _REACH]
        value, step = read(match["number"])
        if _ABOUT.search(before):
            step = max(step, min(_roundness(match["number"]), value / 10))
        heading = _heading(text, match.start())
        given = bool(_LIMIT_BEFORE.search(before) or _LIMIT_AFTER.match(after) or _LIMIT.search(heading))
        found.append(Figure(match[0], match.start(), match.end(), value, step, _UNITS.get(spelled, ""), given))
    return _ranged(found, text)


def read(number: str) -> tuple[float, float]:
    """The value of a written number and one unit of its last digit: `1,234.5` is 1234.5 by 0.1."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    # an id such as 5e4190 reads as a number that no float holds
    return float(number.replace(",", "")), 10.0 ** -max(min(decimals, 300), -300)


def numbers(text: str) -> Iterator[float]:
    """All numbers in a piece of data, whatever they mean."""
    for match in _ANY.finditer(text):
        yield float(match[1].replace(",", ""))


def _masked(text: str) -> str:
    """The text, as long as it was, without what holds digits and is no quantity."""
    for pattern in _NO_FIGURE:
        text = pattern.sub(_blank, text)
    # code is names and commands, but for a bare quantity between the ticks
    text = _CODE.sub(lambda match: match[0] if _QUANTITY.fullmatch(match[1]) else _blank(match), text)
    return _without_ranks(text)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _heading(text: str, at: int) -> str:
    """What stands at the head of the column of a table that holds this place; empty outside of tables."""
    begin = text.rfind("\n", 0, at) + 1
    if not text.startswith("|", begin):
        return ""
    column = text.count("|", begin, at)
    while begin and text.startswith("|", above := text.rfind("\n", 0, begin - 1) + 1):
        begin = above
    cells = text[begin : text.find("\n", begin)].split("|")
    return cells[column] if column < len(cells) else ""


def _without_ranks(text: str) -> str:
    """A table without the first column where that only counts its rows."""
    lines, expected = text.split("\n"), 1
    for at, line in enumerate(lines):
        match = re.match(r"\|[ *]*([0-9]{1,3})[ *]*\|", line)
        if match and int(match[1]) == expected:
            lines[at] = line[: match.start(1)] + " " * len(match[1]) + line[match.end(1) :]
            expected += 1
        elif not re.match(r"\|[ :|-]+\|\s*$", line):
            expected = 1
    return "\n".join(lines)


def _ranged(found: list[Figure], text: str) -> list[Figure]:
    """The first of a range has the unit of the second: `80–90 %`, `from 3 to 5 GiB`."""
    result = list(found)
    for at in range(len(result) - 2, -1, -1):
        one, following = result[at], result[at + 1]
        between = text[one.end : following.start]
        if not one.unit and following.unit and re.fullmatch(r"\s*(?:-|–|—|~|→|->|to|and|至|到)\s*", between):
            result[at] = replace(one, unit=following.unit)
    return result


def _roundness(number: str) -> float:
    """One unit of the last digit that is no zero: 100 for 1,200."""
    whole = number.partition(".")[0].replace(",", "")
    return 10.0 ** (len(whole) - len(whole.rstrip("0"))) if "." not in number else 0.0
