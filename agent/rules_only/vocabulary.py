"""The words of the questions, read once from words.yaml: lists of patterns joined into one each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Patterns by what they mark, each over one line of lower case; see words.yaml for what each is for."""

    kinds: Mapping[str, re.Pattern[str]]
    measures: Mapping[str, re.Pattern[str]]
    groupings: Mapping[str, re.Pattern[str]]
    marks: Mapping[str, re.Pattern[str]]
    ordinals: tuple[re.Pattern[str], ...]
    names: Mapping[str, re.Pattern[str]]
    windows: Mapping[int, re.Pattern[str]]
    common_words: frozenset[str]

    def marked(self, mark: str, text: str) -> bool:
        """Whether the text carries that mark."""
        return self.marks[mark].search(text) is not None

    def captured(self, mark: str, text: str) -> str:
        """What the mark's pattern captured in the text, else an empty string."""
        match = self.marks[mark].search(text)
        return next((group for group in match.groups() if group), "") if match else ""


def first_of(patterns: Mapping[str, re.Pattern[str]], text: str) -> str:
    """The first key whose pattern is found, else an empty string."""
    return next((key for key, pattern in patterns.items() if pattern.search(text)), "")


def _joined(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _load() -> Vocabulary:
    text = resources.files("agent.rules_only").joinpath("words.yaml").read_text(encoding="utf-8")
    words: dict[str, Any] = yaml.safe_load(text)

    def patterns(section: str) -> dict[Any, re.Pattern[str]]:
        return {key: _joined(listed) for key, listed in words[section].items()}

    return Vocabulary(
        kinds=patterns("kinds"),
        measures=patterns("measures"),
        groupings=patterns("groupings"),
        marks=patterns("marks"),
        ordinals=tuple(_joined(listed) for listed in words["ordinals"]),
        names=patterns("names"),
        windows=patterns("windows"),
        common_words=frozenset(words["common_words"].split()),
    )


WORDS = _load()
