"""What code wrote of a report, in the other languages: a report is made once and read in channels of several.

Kept as the English text and what it is elsewhere, so that it does not matter which texts a report took over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from agent.catalogue import LANGUAGES, Language
from agent.patrol import told
from agent.patrol.binding import important
from agent.patrol.evidence import Evidence
from agent.patrol.narrative import Result, sections
from agent.patrol.rules import Rules
from agent.patrol.sections import Sections, parse, write
from agent.patrol.voice import ENGLISH, Voice

Words = Mapping[Language, Mapping[str, str]]
"""Language → English text → text."""


def other_words(evidence: Evidence, rules: Rules, results: Sequence[Result] | None) -> Words:
    """The texts of a report by code in every other language. `results` are those of the rules-only analyst's tools;
    None where a model wrote: then only predictions and customers can be by code."""
    return {
        language: {english: text for english, text in _pairs(evidence, rules, results, language) if english != text}
        for language in LANGUAGES
        if language != "en"
    }


def _pairs(
    evidence: Evidence, rules: Rules, results: Sequence[Result] | None, language: Language
) -> Iterator[tuple[str, str]]:
    voice = Voice(language)
    for english, other in zip(evidence.predictions, told.predictions(voice, rules, evidence), strict=True):
        yield english.text, other.text
    for clusters in important(evidence).values():
        yield told.customer(ENGLISH, rules, clusters), told.customer(voice, rules, clusters)
    if results is not None:
        yield from _written(*(_as_read(sections(evidence, rules, results, one)) for one in ("en", language)))


def _as_read(made: Sections) -> Sections:
    """As it stands in a report: reading takes away what would not fit a line."""
    return parse(write(replace(made, flags=())))


def _written(english: Sections, other: Sections) -> Iterator[tuple[str, str]]:
    yield english.narrative, other.narrative
    for ours, theirs in (
        (english.predictions, other.predictions),
        (english.customers, other.customers),
        (english.actions, other.actions),
    ):
        # A name that looks like a mark of the form may cost a line in one language; then nothing is said for sure.
        if len(ours) == len(theirs):
            yield from zip((one.text for one in ours), (one.text for one in theirs), strict=True)
