"""Texts of ours by key and language, read from YAML files: `key: {en: …, zh: …}`."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Key → language → text."""

    texts: Mapping[str, Mapping[Language, str]]

    def say(self, language: Language, key: str, **values: object) -> str:
        """The text under `key` with its placeholders filled in. Values are put in as they are: whoever shows the text
        escapes it. Raises KeyError for an unknown key or a missing value."""
        return self.texts[key][language].format_map(values)


def catalogue(folder: Path) -> Catalogue:
    """All catalogues of a folder, as one. A key stands in one file alone, or a change of it would depend on luck:
    raises ValueError otherwise."""
    found: dict[str, Mapping[Language, str]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for key, texts in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            if key in found:
                raise ValueError(f"{path.name}: {key} stands in another catalogue, too")
            found[key] = texts
    return Catalogue(found)


def placeholders(text: str) -> frozenset[str]:
    """Names of the values that a text wants."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)
