"""What a history holds for an analyst that keeps nothing itself: turns, outcomes of calls, the thread's context."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.messages import Block, Message, text_of, words_of
from agent.rules_only import envelope
from agent.rules_only.envelope import Outcome
from agent.rules_only.intent import Context, understand

_REMEMBERED_TURNS = 12
_CELL = re.compile(r"(?<!\\)\|")
_SHORT_ID = re.compile(r"`?([0-9a-f]{8}(?:-[0-9a-f-]{27})?)`?")
_NAME = re.compile(r"[\w.-]{3,80}")
_OF_CLUSTERS = re.compile(r"(?i)\b(?:clusters?|name)\b|集群")


def key(tool: str, arguments: Mapping[str, Any]) -> str:
    """What makes two calls the same."""
    return f"{tool} {json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, what was called for it so far by call key, the clusters those calls named, and the answer if any."""

    question: str
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    clusters: tuple[str, ...] = ()
    answer: str = ""


def turns(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """The turns of a history, oldest first. A user message that carries tool results continues its turn."""
    found: list[Turn] = []
    calls: dict[str, Block] = {}
    for message in messages:
        blocks = message["content"]
        results = [block for block in blocks if block.get("type") == "tool_result"]
        if message["role"] == "user" and not results:
            found.append(Turn(words_of(message)))
            calls = {}
        elif found and message["role"] == "user":
            found[-1] = replace(found[-1], outcomes={**found[-1].outcomes, **dict(_outcomes(results, calls))})
        elif found:
            made = {str(block.get("id")): block for block in blocks if block.get("type") == "tool_use"}
            calls |= made
            named = tuple(
                str(_arguments(block)["cluster"]) for block in made.values() if _arguments(block).get("cluster")
            )
            found[-1] = replace(found[-1], clusters=(*found[-1].clusters, *named), answer=text_of(blocks))
    return tuple(found)


def context(earlier: Sequence[Turn]) -> Context:
    """What the earlier turns leave for the next question to build on."""
    thread = Context()
    for turn in earlier[-_REMEMBERED_TURNS:]:
        intent = understand(turn.question, thread)
        spoken_of = tuple(name.lower() for name in (*intent.clusters, *turn.clusters))
        thread = Context(
            last=intent,
            clusters=tuple(dict.fromkeys((*spoken_of, *thread.clusters)))[:8],
            listed=tuple(_listed(turn.answer)) or thread.listed,
        )
    return thread


def _arguments(call: Block) -> Mapping[str, Any]:
    arguments = call.get("input")
    return arguments if isinstance(arguments, Mapping) else {}


def _outcomes(results: Sequence[Block], calls: Mapping[str, Block]) -> Iterator[tuple[str, Outcome]]:
    for result in results:
        call = calls.get(str(result.get("tool_use_id")))
        if call is not None:
            text = _result_text(result.get("content"))
            yield key(str(call.get("name")), _arguments(call)), envelope.read(text, bool(result.get("is_error")))


def _result_text(content: object) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, Sequence) else ()
    return "\n".join(str(block.get("text", "")) for block in blocks if isinstance(block, Mapping))


def _listed(answer: str) -> Iterator[str]:
    """References of the clusters in the answer's tables: the id where a row shows one, else the first cell of a table
    of clusters."""
    rows = [line.strip() for line in answer.splitlines() if line.strip().startswith("|")]
    named = bool(rows) and _OF_CLUSTERS.search(rows[0].split("|")[1]) is not None
    for row in rows[2:]:
        cells = [html.unescape(re.sub(r"\\(.)", r"\1", cell)).strip() for cell in _CELL.split(row)[1:-1]]
        ids = [match.group(1) for cell in cells if (match := _SHORT_ID.fullmatch(cell))]
        if ids:
            yield ids[0]
        elif named and cells and _NAME.fullmatch(cells[0]):
            yield cells[0].lower()
