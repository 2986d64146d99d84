"""What an answer rests on, as pages of a dialog: statements as they were run, and where its figures come from. Pure."""

from collections.abc import Iterator, Sequence

from agent.answer import Receipt
from agent.receipts import SIGN
from handlers.answers import counted, fenced, rows_of
from handlers.buttons import ANSWER_PAGE
from handlers.document import Document, Field, Form, Heading, Note, Part, Prose
from handlers.kept import KeptAnswer, Statement
from handlers.locale import Locale
from handlers.markdown import line, literal

PAGE = "page"
"""The field that says which page is wanted."""
_SQL = 12_000
"""Characters of SQL on a page; a card of Lark holds little more beside the figures."""
_STATEMENTS = 20
_FIGURES = 40
"""Receipts on a page."""


def sql_pages(kept: KeptAnswer, locale: Locale) -> tuple[Document, ...]:
    """All of it, on as few pages as hold it; one at least."""
    groups = list(_grouped(kept.statements))
    figures = [kept.receipts[at : at + _FIGURES] for at in range(0, len(kept.receipts), _FIGURES)]
    title, count = counted("statements", len(kept.statements), locale), max(len(groups), len(figures), 1)
    pages = []
    for at in range(count):
        parts = list(_statements(groups[at], kept, locale)) if at < len(groups) else []
        parts += _receipts(figures[at], locale) if at < len(figures) else []
        parts += _rest(kept, locale) if at == max(len(figures), 1) - 1 else []
        pages.append(Document(title, tuple(parts) or (Note(title),), locale.language))
    return tuple(pages)


def page_form(kept_id: str, number: int, pages: int, locale: Locale) -> Form:
    """Which page is to be seen; the next one is chosen already."""
    options = tuple((locale.say("sql.page", n=at + 1, of=pages), str(at)) for at in range(pages))
    field = Field(PAGE, locale.say("sql.page", n=number + 1, of=pages), "choice", options, str((number + 1) % pages))
    return Form((field,), ANSWER_PAGE, kept_id, locale.say("sql.turn"))


def _grouped(statements: Sequence[Statement]) -> Iterator[list[int]]:
    """The numbers of the statements that fit on a page together."""
    group: list[int] = []
    room = _SQL
    for at, statement in enumerate(statements):
        if group and (len(statement.sql) > room or len(group) == _STATEMENTS):
            yield group
            group, room = [], _SQL
        group.append(at)
        room -= len(statement.sql)
    if group:
        yield group


def _statements(numbers: Sequence[int], kept: KeptAnswer, locale: Locale) -> Iterator[Part]:
    for at in numbers:
        one = kept.statements[at]
        told = (line(one.query_id), line(one.tool), rows_of(one, locale), f"{one.seconds:.2f} s")
        yield Note(f"{at + 1}. {' · '.join(told)}")
        yield Prose(fenced(one.sql))


def _receipts(bound: Sequence[Receipt], locale: Locale) -> Iterator[Part]:
    yield Heading(locale.say("sql.figures"))
    yield Prose("\n".join(f"- **{literal(one.figure)}**: {literal(_origin(one, locale))}" for one in bound))


def _origin(receipt: Receipt, locale: Locale) -> str:
    """The cell or the calculation, after the query that it is of; what follows of figures beside it has none."""
    return f"{receipt.query_id} · {receipt.place}" if receipt.query_id else receipt.place or locale.say("sql.beside")


def _rest(kept: KeptAnswer, locale: Locale) -> Iterator[Part]:
    """What is not listed: receipts beyond those that are kept, and figures that have none."""
    bound = kept.figures - kept.unbound
    if bound > len(kept.receipts) > 0:
        yield Note(locale.say("sql.figures.first", shown=len(kept.receipts), all=bound))
    if kept.unbound:
        yield Note(locale.say("sql.figures.unbound", count=kept.unbound, sign=SIGN))
