"""The clusters and queries that a text names, held against those that exist: an id or a name of nothing is marked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_ALONE, _ENDS = r"(?<![A-Za-z0-9_-])", r"(?![A-Za-z0-9_-])"
_QUERY = r"q-[0-9A-Za-z]{4,40}"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# eight digits and letters, as the evidence shortens ids; more where one was cut in the middle
_PREFIX = r"(?=[0-9a-fA-F-]*[0-9])(?=[0-9a-fA-F-]*[a-fA-F])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{1,4}){0,3}"
_ID = re.compile(rf"{_ALONE}(?:{_QUERY}|{_UUID}|{_PREFIX}){_ENDS}")
_NAME = re.compile(r"(?<![A-Za-z0-9_./:@-])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+(?![A-Za-z0-9_/@-])")
_CALLED = re.compile(
    r"(?i)(?:\bclusters?|集群)[ :]{0,2}(?:`|\"|“|「|\*\*)(?P<name>[^`\"”」*\n]{2,80})(?:`|\"|”|」|\*\*)"
)
_ASIDE = re.compile(r" ?[((,,].*")
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """An id or a name as it stands at `start:end` of a text."""

    start: int
    end: int
    text: str


class Register:
    """What exists: ids and names of the fleet, and all that the results of a turn say, in whatever words."""

    def __init__(self, ids: Iterable[str], names: Iterable[str], results: Iterable[str]) -> None:
        self._ids = tuple(one.casefold() for one in ids)
        known = tuple(names)
        self._names = frozenset(" ".join(one.split()).casefold() for one in known)
        self._shapes = frozenset(shape for one in known if (shape := _shape(one)))
        self._firsts = frozenset(_parts(one)[0] for one in self._names)
        self._results = "\n".join(results).casefold()

    def mentions(self, text: str) -> Iterator[Mention]:
        """The ids of a text, what is called a cluster in quotes, and the words that are built as the fleet's names are:
        `prod-ads-02` where there is a `uat-shop-11`."""
        taken: list[tuple[int, int]] = []
        for match in _ID.finditer(text):
            taken.append(match.span())
            yield Mention(*match.span(), match[0])
        for match in _CALLED.finditer(text):
            if _free(match.span("name"), taken):
                taken.append(match.span("name"))
                yield Mention(*match.span("name"), match["name"])
        for match in _NAME.finditer(text):
            if self._is_like_a_name(match[0]) and _free(match.span(), taken):
                yield Mention(*match.span(), match[0])

    def holds(self, one: Mention) -> bool:
        """Whether such a thing exists. A result that says the word proves it: names stand in logs and details too."""
        wanted = " ".join(one.text.split()).casefold()
        # whoever quotes a name may quote what belongs to it as well: `prod-ads-02 (S)`
        return self._knows(wanted) or self._knows(_ASIDE.sub("", wanted))

    def _knows(self, wanted: str) -> bool:
        if not wanted:
            return False
        return wanted in self._names or any(known.startswith(wanted) for known in self._ids) or wanted in self._results

    def _is_like_a_name(self, word: str) -> bool:
        # of two parts alone many words are built that name no cluster: top-10, tier-1
        parts = _parts(word)
        return _shape(word) in self._shapes and (len(parts) > _PAIR or parts[0].casefold() in self._firsts)


def _free(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    return all(span[1] <= start or end <= span[0] for start, end in taken)


def _parts(name: str) -> list[str]:
    return re.split(r"[-_]", name)


def _shape(name: str) -> str:
    """How a name is built, `a-a-0` of `prod-ads-02`; empty for one that could be any word: of one part, or without
    letters, or without a digit."""
    if not _NAME.fullmatch(name):
        return ""
    shape = re.sub(r"[A-Za-z0-9]+", lambda part: _kind(part[0]), name)
    return shape if "a" in shape and ("0" in shape or "x" in shape) else ""


def _kind(part: str) -> str:
    if part.isdigit():
        return "0"
    return "a" if part.isalpha() else "x"
