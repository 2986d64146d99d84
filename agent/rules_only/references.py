"""Which clusters and which window of time a normalised question refers to."""

import re
from collections.abc import Iterator, Sequence

from agent.catalogue import Language
from agent.rules_only.vocabulary import WORDS, first_of

_ID = re.compile(r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])")
# A prefix holds a digit and a letter, or is too long for a number that people write.
_PREFIX = re.compile(r"(?<![\w.-])(?=[a-f-]*[0-9])(?=[0-9-]*[a-f]|[0-9]{7,})[0-9a-f]{6,}(?:-[0-9a-f-]*)?(?![\w.])")
_QUOTED = re.compile(r"[`\"'“「『]([^`\"'”」』]{2,80})[`\"'”」』]")
_JOINED = re.compile(r"(?<![\w./@-])[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)+(?![\w@/]|-\w)", re.ASCII)
_VERSION = re.compile(r"v?\d+(?:\.\d+)+(?:-\w+)?")
_ROLE = re.compile(r"^(?:the )?(?:customer|account|tenant)s?\b")
_METRIC_PREFIXES = ("starrocks_", "node_memory", "jvm_")
_SPAN = re.compile(r"(?<![\w.-])(\d{1,3})[\s-]*(hours?|hrs?|h|days?|d|weeks?|wks?|w|months?)(?![\w-])", re.ASCII)
_HOURS = {"hour": 1, "hr": 1, "h": 1, "day": 24, "d": 24, "week": 168, "wk": 168, "w": 168, "month": 720}
_SPAN_ZH = re.compile(r"([0-9]{1,3}|[一二两三四五六七八九十半])\s*个?\s*(小时|天|日|周|星期|月)")
_DIGITS_ZH: dict[str, float] = {digit: number for number, digit in enumerate("一二三四五六七八九十", start=1)} | {
    "两": 2,
    "半": 0.5,
}
_HOURS_ZH = {"小时": 1, "天": 24, "日": 24, "周": 168, "星期": 168, "月": 720}
MAX_HOURS = 46 * 24
"""The longest window that is asked of the warehouse, in hours."""
_MOST = 4
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
# Words that people write; names with figures or joined parts are said alike in every language.
_WORD = re.compile(r"(?<![a-z0-9_.-])[a-z]{2,}(?![a-z0-9_.-]*[a-z0-9_])")


def clusters(text: str, recent: Sequence[str] = (), listed: Sequence[str] = ()) -> tuple[str, ...]:
    """The clusters pointed at ("it", "the second one") and named, in the order of the text, at most 4."""
    found: dict[str, int] = {}
    for name, position in _named(text):
        if not any(name in longer for longer in found):
            found[name] = position
    named = sorted(found, key=lambda name: found[name])
    return tuple(dict.fromkeys([*_pointed(text, recent, listed), *named]))[:_MOST]


def customer(text: str) -> str:
    """The name or account that a question gives for a customer, else an empty string."""
    name = _ROLE.sub("", WORDS.captured("customer", text)).strip(" .-")
    if not name or name.split()[0] in WORDS.common_words or first_of(WORDS.groupings, name):
        return ""
    return name


def version(text: str, *, asked_before: bool = False) -> str:
    """The version that a question gives, such as `3.3.9`, else an empty string. Where the question before asked for
    one, the bare figure suffices."""
    return WORDS.captured("version", text) or (WORDS.captured("bare_version", text) if asked_before else "")


def without(text: str, names: Sequence[str]) -> str:
    """The text without those names, so that a cluster called `disk-alerts-1` asks about neither."""
    for name in names:
        text = text.replace(name, " ")
    return " ".join(text.split())


def window(text: str) -> int | None:
    """The hours a text speaks of, 1..MAX_HOURS, or None."""
    if match := _SPAN.search(text):
        return _bounded(int(match.group(1)) * _HOURS[match.group(2).rstrip("s")])
    if match := _SPAN_ZH.search(text):
        count = match.group(1)
        return _bounded((int(count) if count.isdigit() else _DIGITS_ZH[count]) * _HOURS_ZH[match.group(2)])
    return next((hours for hours, pattern in WORDS.windows.items() if pattern.search(text)), None)


def language(text: str, before: Language = "en") -> Language:
    """What a question is asked in: Chinese where its characters are at least as many as its English words, so that a
    Chinese name alone changes nothing. One of names and figures goes on in the language of the question `before`."""
    chinese, english = len(_CHINESE.findall(text)), len(_WORD.findall(text))
    if not chinese and not english:
        return before
    return "zh" if chinese >= english else "en"


def _bounded(hours: float) -> int:
    return min(max(int(hours), 1), MAX_HOURS)


def _named(text: str) -> Iterator[tuple[str, int]]:
    compared = (WORDS.names["compared"],) if WORDS.kinds["compare"].search(text) else ()
    for pattern in (_ID, _PREFIX, _QUOTED, WORDS.names["cued"], _JOINED, *compared, WORDS.names["subject"]):
        for match in pattern.finditer(text):
            group = next((index for index in range(1, pattern.groups + 1) if match.group(index)), 0)
            name = match.group(group).strip(" .,;:!?-")
            if _is_name(name):
                yield name, match.start(group)


def _is_name(name: str) -> bool:
    if len(name) < 2 or name in WORDS.common_words or name.startswith(_METRIC_PREFIXES):
        return False
    return not _SPAN.fullmatch(name) and not _VERSION.fullmatch(name)


def _pointed(text: str, recent: Sequence[str], listed: Sequence[str]) -> Iterator[str]:
    for index, pattern in enumerate(WORDS.ordinals[: len(listed)]):
        if pattern.search(text):
            yield listed[index]
            return
    if recent and WORDS.marked("pronoun", text):
        yield recent[0]
