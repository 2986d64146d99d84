"""A streamed reply put together from the raw events of the Messages API.

The SDK's own accumulator hands out broken-off messages as if they were whole, with empty tool input; this one knows
whether it has seen the end. Events, blocks and fields that it does not know are passed over."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from agent.errors import ModelUnavailable
from agent.messages import Block, sound
from agent.model import Reply, StopReason, Usage

_SENDABLE = {
    "text": ("type", "text"),
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
    "tool_use": ("type", "id", "name", "input"),
}
"""The block types that a history may hold, and their fields that a request may carry."""

_GIVEN = {"tool_use": ("id", "name"), "redacted_thinking": ("data",)}
"""What a block has to bring at its start, because no delta adds it."""

# Python's own limit would be hit while the request is written out, far from what caused it.
MAX_DEPTH = 32
CHARACTERS_PER_TOKEN = 4
"""About as many as a token of English text or JSON has."""
_GROWING = {"text_delta": "text", "thinking_delta": "thinking"}
# The provider adds reasons now and then; an unknown one that ended a whole reply is an ordinary end.
_STOP_REASONS = frozenset(get_args(StopReason))


class ReplyBuilder:
    """Takes the events of one stream in order. Broken order raises `ModelUnavailable`: it is a broken stream."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._json: dict[int, list[str]] = {}
        self._usage: dict[str, int] = {}
        self._open: set[int] = set()
        self._model = ""
        self._stop_reason: str | None = None
        self._started = False
        self.complete = False

    def take(self, event: Mapping[str, Any]) -> str:
        """Account for one event; gives back the piece of visible text that it brought, if any."""
        match event.get("type"):
            case "message_start":
                self._started = True
                self._model = str(event["message"].get("model", ""))
                self._count(event["message"].get("usage"))
            case "content_block_start":
                return self._start_block(event["index"], event["content_block"])
            case "content_block_delta":
                return self._grow(event["index"], event["delta"])
            case "content_block_stop":
                self._open.discard(event["index"])
            case "message_delta":
                self._stop_reason = _text(event["delta"].get("stop_reason") or "") or self._stop_reason
                self._count(event.get("usage"))
            case "message_stop":
                # All three, because a stream that lost its middle may still bring its last event.
                self.complete = self._started and self._stop_reason is not None
        return ""

    def _start_block(self, index: int, block: Mapping[str, Any]) -> str:
        if not isinstance(index, int):
            raise ModelUnavailable("a block has no place in its reply")
        kind = _text(block.get("type", ""))
        # Checked here and not at the end: whatever comes out of a reply goes into the history, and stays there.
        told = {name: _text(block.get(name)) for name in _GIVEN.get(kind, ())}
        grown = {name: _text(block.get(name, "")) for name in _GROWING.values() if name == kind}
        self._blocks[index] = {**block, **told, **grown}
        self._json[index] = []
        self._open.add(index)
        return sound(grown["text"]) if kind == "text" else ""

    def _grow(self, index: int, delta: Mapping[str, Any]) -> str:
        block, kind = self._blocks.get(index), delta.get("type")
        if block is None:
            raise ModelUnavailable("a stream grew a block that it never started")
        if kind == "input_json_delta":
            self._json[index].append(_text(delta["partial_json"]))
        elif kind == "signature_delta":
            block["signature"] = delta["signature"]
        elif kind in _GROWING:
            name = _GROWING[kind]
            block[name] = block.get(name, "") + delta[name]
            return sound(delta[name]) if kind == "text_delta" else ""
        return ""

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """Token counts are running totals, and a later event may leave out what an earlier one gave."""
        self._usage |= {name: value for name, value in (usage or {}).items() if isinstance(value, int)}

    def reply(self) -> Reply:
        """The whole reply. Raises `ModelUnavailable` when the stream ended before it, or ended well but empty."""
        if not self.complete:
            raise ModelUnavailable("the stream ended before its message did")
        reason = cast(StopReason, self._stop_reason if self._stop_reason in _STOP_REASONS else "end_turn")
        content = tuple(self._sendable(index, reason) for index in sorted(self._blocks) if self._is_kept(index))
        if not content and reason in {"end_turn", "tool_use"}:
            raise ModelUnavailable("the reply was empty")
        return Reply(content, reason, self._model, self._tokens())

    def _is_kept(self, index: int) -> bool:
        block = self._blocks[index]
        # The API gives out blank text blocks but does not take them back.
        return block.get("type") in _SENDABLE and (block["type"] != "text" or bool(block["text"].strip()))

    def _sendable(self, index: int, reason: str) -> Block:
        block = self._blocks[index]
        if block["type"] == "tool_use":
            block["input"] = self._input(index, whole=reason == "tool_use")
        return {name: _sound_value(block[name]) for name in _SENDABLE[block["type"]] if name in block}

    def _input(self, index: int, *, whole: bool) -> dict[str, Any]:
        """The arguments of a call. Only a reply that stopped in order to call tools promises whole ones."""
        text = "".join(self._json[index]).strip()
        if not whole:
            return {}
        # The text may be JSON by chance although the rest of it is missing.
        if index in self._open:
            raise ModelUnavailable("a tool call was left open")
        try:
            arguments = _parsed(text) if text else self._blocks[index].get("input") or {}
        except (ValueError, RecursionError) as error:
            raise ModelUnavailable("the arguments of a tool call are no JSON") from error
        if not isinstance(arguments, dict):
            raise ModelUnavailable("the arguments of a tool call are no object")
        return arguments

    @property
    def model(self) -> str:
        """The model that answers; empty before the stream has said so."""
        return self._model

    def spent(self) -> Usage:
        """The tokens that the stream took so far. A stream tells its output at its end: until then that is guessed from
        what arrived of it."""
        written = sum(len(block.get(name, "")) for block in self._blocks.values() for name in _GROWING.values())
        written += sum(len(piece) for pieces in self._json.values() for piece in pieces)
        told = self._tokens()
        return replace(told, output_tokens=max(told.output_tokens, written // CHARACTERS_PER_TOKEN))

    def _tokens(self) -> Usage:
        count = self._usage.get
        return Usage(
            input_tokens=count("input_tokens", 0),
            output_tokens=count("output_tokens", 0),
            cache_read_tokens=count("cache_read_input_tokens", 0),
            cache_write_tokens=count("cache_creation_input_tokens", 0),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ModelUnavailable("a text of the stream is no text")
    return value


def _parsed(text: str) -> Any:
    """JSON as the standard has it. Python would also take what it could never send again: NaN, infinities, a million
    brackets."""
    return _sound_value(json.loads(text, parse_constant=_finite, parse_float=_finite))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def _sound_value(value: Any, depth: int = 0) -> Any:
    """A JSON value with sound strings. Raises `ModelUnavailable` when it is nested deeper than any tool needs."""
    if depth > MAX_DEPTH:
        raise ModelUnavailable("a block is nested too deeply")
    match value:
        case str():
            return sound(value)
        case dict():
            return {sound(key): _sound_value(item, depth + 1) for key, item in value.items()}
        case list():
            return [_sound_value(item, depth + 1) for item in value]
        case _:
            return value
