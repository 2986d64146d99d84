"""Every text of ours that people read, in their language: catalogues beside this module, one per area of the talk."""

from pathlib import Path

from agent.catalogue import LANGUAGES, Language, catalogue, placeholders

__all__ = ["LANGUAGES", "WORDS", "Language", "language_of", "placeholders", "say"]

_CATALOGUE = catalogue(Path(__file__).parent)
WORDS = _CATALOGUE.texts
say = _CATALOGUE.say


def language_of(tag: str) -> Language | None:
    """Ours for a language tag such as `zh-CN`, `zh_hk` or `en-US`; None for a language that we have no words in."""
    short = tag.strip().lower().replace("_", "-").partition("-")[0]
    return next((one for one in LANGUAGES if one == short), None)
