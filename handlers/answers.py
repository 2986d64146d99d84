"""Pure views of an answer: its words and charts, where they come from, and what can be done with it."""

from collections.abc import Iterator, Sequence

from agent.answer import Answer
from agent.model import Analyst
from agent.receipts import SIGN
from handlers.buttons import ANSWER_BAD, ANSWER_CSV, ANSWER_GOOD, ANSWER_SQL, of_statement
from handlers.charts import charts
from handlers.document import Actions, Button, Document, Field, Form, Menu, Note, Part, Prose
from handlers.kept import Statement, statements
from handlers.locale import ENGLISH, Locale
from handlers.markdown import excerpt, line

FALLBACK = 300
"""Characters of a fall-back text; notifications show less."""
_SOURCES = 6
_OFFERED = 25
"""Results offered as CSV in one menu; people look for one of the latest."""
REASON = "reason"


def answer_document(answer: Answer, locale: Locale = ENGLISH, kept: str = "") -> Document:
    """An answer: what was degraded first, then words and charts, then where they come from. Under the id `kept` it can
    be looked into and judged; without one it has no buttons."""
    parts: list[Part] = []
    if answer.notice:
        parts.append(Note(answer.notice))
    if answer.text.strip():
        parts.append(Prose(answer.text))
    if not parts:
        parts.append(Prose(locale.say("answer.none")))
    if not answer.failed:
        parts.extend(behind(answer, locale, kept))
    fallback = excerpt(answer.text or answer.notice, FALLBACK) or locale.say("answer.empty")
    return Document(fallback, tuple(parts), locale.language)


def behind(answer: Answer, locale: Locale = ENGLISH, kept: str = "") -> Iterator[Part]:
    """What stands under an answer: its charts, where it comes from, how much of it is in no result, its buttons."""
    read = tuple(statements(answer.tools))
    yield from charts(answer.tools, locale)
    yield from _sources(read, locale)
    yield Note(_origin(answer, len(read), locale))
    yield from _doubtful(answer, locale)
    # nothing behind them could be found again
    yield from _buttons(kept, read, locale) if kept else ()


def author(analyst: Analyst, model: str, locale: Locale = ENGLISH) -> str:
    """Who wrote an answer or a report."""
    return line(model) if analyst == "claude" and model else locale.say(f"answer.by.{analyst}")


def counted(noun: str, count: int, locale: Locale = ENGLISH) -> str:
    """A number of rounds, queries, rows or statements in words."""
    return locale.say(f"count.{noun}.{'one' if count == 1 else 'many'}", count=f"{count:,}")


def reason_form(kept_id: str, action: str, locale: Locale) -> Form:
    """The question behind a thumb down."""
    field = Field(REASON, locale.say("feedback.why"), "multiline", optional=True)
    return Form((field,), action, kept_id, locale.say("feedback.send"))


def _origin(answer: Answer, queries: int, locale: Locale) -> str:
    told = [author(answer.analyst, answer.model, locale), counted("rounds", answer.rounds, locale)]
    told.extend((counted("queries", queries, locale), f"{answer.seconds:.1f} s"))
    if answer.dollars:
        told.append(f"${answer.dollars:.2f}" if answer.dollars >= 0.1 else f"${answer.dollars:.3f}")
    return " · ".join(told)


def _doubtful(answer: Answer, locale: Locale) -> Iterator[Part]:
    """How many figures carry the sign, where one does."""
    found = answer.receipts
    if found.unbound:
        bound, unbound = len(found.bound), len(found.unbound)
        key = "answer.unbound.one" if unbound == 1 else "answer.unbound.many"
        yield Note(locale.say(key, bound=bound, stated=found.stated, unbound=unbound, sign=SIGN))


def _sources(read: Sequence[Statement], locale: Locale) -> Iterator[Part]:
    """Tables and ids; both short, since they stand under every answer."""
    tables = list(dict.fromkeys(line(table) for statement in read for table in statement.tables))
    ids = [line(statement.query_id) for statement in read]
    if tables or ids:
        yield Note(locale.say("answer.sources", sources=" · ".join(filter(None, (_few(tables), _few(ids))))))


def _few(names: Sequence[str]) -> str:
    more = f" +{len(names) - _SOURCES}" if len(names) > _SOURCES else ""
    return ", ".join(names[:_SOURCES]) + more


def _buttons(kept: str, read: Sequence[Statement], locale: Locale) -> Iterator[Part]:
    row: list[Button | Menu] = []
    if read:
        row.append(Button(locale.say("button.sql"), ANSWER_SQL, kept))
    row.extend(_csv(kept, read, locale))
    row.append(Button(locale.say("button.good"), ANSWER_GOOD, kept))
    row.append(Button(locale.say("button.bad"), ANSWER_BAD, kept))
    yield Actions(tuple(row))


def _csv(kept: str, read: Sequence[Statement], locale: Locale) -> Iterator[Button | Menu]:
    filled = [(number, statement) for number, statement in enumerate(read) if statement.rows]
    if len(filled) == 1:
        yield Button(locale.say("button.csv"), ANSWER_CSV, of_statement(kept, filled[0][0]))
    elif filled:
        options = tuple((_option(one, locale), of_statement(kept, number)) for number, one in filled[-_OFFERED:])
        yield Menu(locale.say("button.csv"), ANSWER_CSV, options)


def _option(statement: Statement, locale: Locale) -> str:
    table = statement.tables[0].rpartition(".")[2] if statement.tables else statement.tool
    return f"{line(table)} · {rows_of(statement, locale)} · {line(statement.query_id)}"


def rows_of(statement: Statement, locale: Locale) -> str:
    """How many rows a statement gave, and whether these were all."""
    rows = counted("rows", statement.rows, locale)
    return locale.say("answer.first_rows", rows=rows) if statement.truncated else rows


def fenced(sql: str) -> str:
    """A statement as code in Markdown; a fence of its own cannot end ours."""
    fence = "```"
    while fence in sql:
        fence += "`"
    return f"{fence}sql\n{sql}\n{fence}"
