"""An answer as it is kept, so that its buttons still work when the process that gave it is gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agent.answer import Answer, Receipt, ToolTrace
from handlers.markdown import excerpt

Verdict = Literal["good", "bad"]

_EXCERPT = 2_000
"""Characters of question and answer that are kept for whoever reads the feedback."""
STATEMENTS = 60
RECEIPTS = 200
"""Receipts that are kept with an answer; a table of figures may have thousands."""
_PLACE = 200


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT behind an answer, as it was run. `result_id` is empty when its rows were not kept; `truncated` says
    that the warehouse had more rows than the `rows` that were read."""

    query_id: str
    tool: str
    sql: str
    tables: tuple[str, ...]
    rows: int
    truncated: bool
    seconds: float
    result_id: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a statement, for a file. `source` says how they came: as they were stored; by running it again, for
    want of them; or by running it again because fewer were read for the answer than there are. `cut` = there are
    more still."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    source: Literal["stored", "again", "whole"]
    cut: bool


class ResultGone(Exception):
    """The rows are no longer kept, and cannot be read again."""


class ResultUnread(Exception):
    """The rows could not be read now; the text says why, in a few words for the channel."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What is needed to say where an answer came from. `user` asked in `thread`. Of the `figures` that it states
    `unbound` are in no query result."""

    id: str
    thread: str
    user: str
    question: str
    text: str
    model: str
    statements: tuple[Statement, ...]
    figures: int = 0
    unbound: int = 0
    receipts: tuple[Receipt, ...] = ()
    """Where its figures come from, the first RECEIPTS of them."""

    def body(self) -> dict[str, Any]:
        """All but the id, as JSON; read back by `kept_of`."""
        body = asdict(self)
        del body["id"]
        return body


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person thought of an answer; `at` is UTC, `YYYY-MM-DD HH:MM`."""

    answer: KeptAnswer
    user: str
    verdict: Verdict
    reason: str
    at: str


def kept(answer_id: str, thread: str, user: str, question: str, answer: Answer) -> KeptAnswer:
    """The part of an answer that is kept."""
    return KeptAnswer(
        id=answer_id,
        thread=thread,
        user=user,
        question=excerpt(question, _EXCERPT),
        text=excerpt(answer.text, _EXCERPT),
        model=answer.model,
        statements=tuple(statements(answer.tools)),
        figures=answer.receipts.stated,
        unbound=len(answer.receipts.unbound),
        receipts=tuple(replace(one, place=excerpt(one.place, _PLACE)) for one in answer.receipts.bound[:RECEIPTS]),
    )


def kept_of(answer_id: str, body: Mapping[str, Any]) -> KeptAnswer:
    """What `KeptAnswer.body` was made of."""
    rows = tuple(Statement(**{**row, "tables": tuple(row["tables"])}) for row in body["statements"])
    receipts = tuple(Receipt(**one) for one in body.get("receipts", ()))
    return KeptAnswer(**{**body, "id": answer_id, "statements": rows, "receipts": receipts})


def statements(tools: Sequence[ToolTrace]) -> Iterator[Statement]:
    """The statements that the calls ran, each once, the first STATEMENTS of them."""
    seen: dict[str, Statement] = {}
    for trace in tools:
        data = trace.data or {}
        if isinstance(data.get("query_id"), str) and isinstance(data.get("sql"), str) and len(seen) < STATEMENTS:
            seen.setdefault(data["query_id"], _statement(trace.name, data))
    yield from seen.values()


def _statement(tool: str, data: Mapping[str, Any]) -> Statement:
    return Statement(
        query_id=data["query_id"],
        tool=tool,
        sql=data["sql"],
        tables=tuple(map(str, data.get("tables") or ())),
        rows=int(data.get("row_count") or 0),
        truncated=bool(data.get("truncated")),
        seconds=float(data.get("seconds") or 0.0),
        result_id=str(data.get("result_id") or ""),
    )
