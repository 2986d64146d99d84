"""The language of what code says in a report: the analyst's voice with the texts of reports.

Reports are made once and read in channels of several languages, so all that code says is said in each of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.catalogue import catalogue
from agent.patrol.rules import Rules
from agent.rules_only import voice

PHRASES = catalogue(Path(__file__).parent / "writing")
_BLANK = re.compile(r"\\\{(\w+)\\\}")
_LISTS = frozenset({"parts", "labels", "traits"})
"""Blanks that hold several words of ours, with commas between them."""
_ASIDE = re.compile(r"^(.*?)( \([\w ]+\))?$")


def _shape(english: str) -> re.Pattern[str]:
    """Finds a sentence again whatever stands in its blanks; one cluster is counted as several are."""
    return re.compile(_BLANK.sub(r"(?P<\1>.+?)", re.escape(english)).replace("clusters", "clusters?"), re.DOTALL)


# the longest first: one sentence may be the beginning of another
_SHAPES = [
    (_shape(texts["en"]), key)
    for key, texts in sorted(PHRASES.texts.items(), key=lambda one: -len(one[1]["en"]))
    if key.startswith(("remark.", "trait.", "part."))
]


@dataclass(frozen=True, slots=True)
class Voice(voice.Voice):
    """How a report says things in one language."""

    def say(self, key: str, **values: object) -> str:
        """The text of reports under that key, else that of the analyst."""
        if key in PHRASES.texts:
            return PHRASES.say(self.language, key, **values)
        return voice.PHRASES.say(self.language, key, **values)

    def several(self, number: int, noun: str) -> str:
        """`1 cluster`, `12 active clusters`: a number with a noun below `report.noun.`."""
        return self.say(f"report.noun.{noun}.one" if number == 1 else f"report.noun.{noun}", n=number)

    def dimension(self, rules: Rules, name: str) -> str:
        """What a dimension measures; its owner may have rewritten the words."""
        if name in ("freshness", "alerts"):
            return self.say(f"finding.label.{name}")
        return self.own(rules.label(name))

    def joined(self, sentences: Iterable[str]) -> str:
        """Whole sentences as one paragraph; Chinese ones need no space between them."""
        return ("" if self.language == "zh" else " ").join(sentences)

    def echo(self, english: str) -> str:
        """An English sentence of our own in this language; one that is not known stays as it is."""
        if self.language == "en":
            return english
        for shape, key in _SHAPES:
            if found := shape.fullmatch(english):
                return self.say(key, **{blank: self._filled(blank, text) for blank, text in found.groupdict().items()})
        return self.own(english)

    def _filled(self, blank: str, text: str) -> str:
        return self.list(map(self.word, text.split(", "))) if blank in _LISTS else text

    def word(self, text: str) -> str:
        """A word of ours, which may have a code in brackets behind it."""
        found = _ASIDE.match(text)
        return self.echo(found[1]) + (found[2] or "") if found else text


ENGLISH = Voice()
