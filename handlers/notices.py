"""What the agent says of itself, in the reader's language: it speaks English, and its sentences are few and known."""

import re
from dataclasses import replace

from agent.answer import Answer
from handlers.locale import Locale
from handlers.words import WORDS

_KNOWN = {texts["en"]: key for key, texts in WORDS.items() if key.startswith(("said.", "thrift."))}
_BLANK = re.compile(r"\\\{(\w+)\\\}")


def _shape(english: str) -> re.Pattern[str]:
    """Finds a sentence whatever stands in its blanks, which are numbers and moments."""
    return re.compile(_BLANK.sub(r"(?P<\1>[0-9][0-9:-]{0,11}(?: [0-9:]{4,8})?)", re.escape(english)))


# the longest first: one sentence may be the beginning of another
_SHAPES = [(_shape(english), _KNOWN[english]) for english in sorted(_KNOWN, key=len, reverse=True)]


def translated(text: str, locale: Locale) -> str:
    """The text with every sentence of the agent's that we know put into the language of the locale."""
    if locale.language == "en":
        return text
    for shape, key in _SHAPES:
        text = shape.sub(lambda found, key=key: locale.say(key, **found.groupdict()), text)  # type: ignore[misc]
    return text


def in_words(answer: Answer, locale: Locale) -> Answer:
    """The answer with its notice, and its text where that is the agent's own and not the model's, in this language."""
    own = answer.failed or answer.text in _KNOWN
    text = translated(answer.text, locale) if own else answer.text
    return replace(answer, text=text, notice=translated(answer.notice, locale))
