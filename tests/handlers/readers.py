"""How a reader of a language sees a document: every text of it, and whether one of ours is in another language."""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.document import Actions, Button, Document, Field, Form, Menu, Note, Prose, Table
from handlers.locale import Locale
from tests.fakes.lark.cards import problems as card_problems
from tests.fakes.slack import problems
from tests.handlers.conftest import Bench
from tests.handlers.test_report_hostile import LIVE, marked_up

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"(?:\b[A-Za-z]{2,},? ){4,}")
"""Five English words in a row: names, units and SQL seldom have as many."""
UNFILLED = re.compile(r"\{[a-z_]*\}|\b(?:patrol|report|flag|finding|button|press|home|sql|csv)\.[a-z_.]+\b")


def speaking(bench: Bench, language: str) -> None:
    """From now on everybody reads this language."""

    async def locale(place: str, user: str) -> Locale:
        return Locale("zh" if language == "zh" else "en")

    bench.deps = replace(bench.deps, locale=locale)


def texts(document: Document, form: Form | None = None) -> Iterator[str]:
    """All that is read in it, labels of buttons and fields too."""
    for part in document.parts:
        match part:
            case Prose():
                yield part.markdown
            case Note():
                yield part.text
            case Table():
                yield from part.columns
                yield part.caption
            case Actions():
                for one in part.buttons:
                    yield from _labels(one)
            case _:
                yield str(getattr(part, "text", ""))
    for asked in form.fields if form is not None else ():
        yield from _labels(asked)
    yield form.submit if form is not None else ""


def _labels(one: Button | Menu | Field) -> Iterator[str]:
    yield one.label
    if not isinstance(one, Button):
        yield from (label for label, _ in one.options)


def foreign(document: Document, language: str, *, known: tuple[str, ...] = (), form: Form | None = None) -> list[str]:
    """What a reader of the language cannot read, or nobody can; `known` is data that stays as it is."""
    found = []
    for text in texts(document, form):
        ours = re.sub(r"`[^`]*`", "", text)
        for name in known:
            ours = ours.replace(name, "")
        wrong = SENTENCE.search(ours) if language == "zh" else CHINESE.search(ours)
        found.extend([text] if wrong or UNFILLED.search(ours) else [])
    return found


def alive(document: Document) -> list[str]:
    """What would mention somebody or lead somewhere, or would be refused, on either platform."""
    found: list[str] = []
    for message in messages(document, ()):
        found.extend(map(str, problems(list(message.blocks))))
        found.extend(text for text in (message.text, *marked_up(message.blocks)) if LIVE.search(text))
    for card in rendered(document, ()).cards:
        found.extend(map(str, card_problems(card)))
        found.extend(text for text in marked_up(card) if LIVE.search(text))
    return found
