"""Every text of ours that people read, in their language: catalogues beside this module, one per area of the talk."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import yaml

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FOLDER = Path(__file__).parent


def _catalogues() -> Mapping[str, Mapping[Language, str]]:
    """Key → language → text. A key stands in one catalogue alone, or an engineer's change would depend on luck."""
    found: dict[str, Mapping[Language, str]] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        for key, texts in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            if key in found:
                raise ValueError(f"{path.name}: {key} stands in another catalogue, too")
            found[key] = texts
    return found


WORDS = _catalogues()


def say(language: Language, key: str, **values: object) -> str:
    """The text under `key` with its placeholders filled in. Values are put in as they are: whoever shows the text
    escapes it. Raises KeyError for an unknown key or a missing value."""
    return WORDS[key][language].format_map(values)


def placeholders(text: str) -> frozenset[str]:
    """Names of the values that a text wants."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def language_of(tag: str) -> Language | None:
    """Ours for a language tag such as `zh-CN`, `zh_hk` or `en-US`; None for a language that we have no words in."""
    short = tag.strip().lower().replace("_", "-").partition("-")[0]
    return next((one for one in LANGUAGES if one == short), None)
