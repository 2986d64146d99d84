"""What the fake is told to answer: whole replies, refused requests, and streams that break in every known way."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Event = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Thinking:
    thinking: str


@dataclass(frozen=True)
class ToolUse:
    """A tool call; an empty id is filled in by the server, unique over its life."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Say:
    """A reply. The stop reason follows from the blocks unless given; `cut_tool` ends the last call's JSON halfway."""

    blocks: tuple[Text | Thinking | ToolUse, ...] = ()
    stop_reason: str = ""
    cut_tool: bool = False
    input_tokens: int = 100
    cache_read: int = 0

    @property
    def ends_with(self) -> str:
        calls = any(isinstance(block, ToolUse) for block in self.blocks)
        return self.stop_reason or ("tool_use" if calls else "end_turn")


@dataclass(frozen=True)
class Break:
    """A reply whose stream breaks after `after` events: a clean end, a dropped socket in the middle of an event,
    silence with the socket open, an `error` event, or an event that is no JSON."""

    say: Say
    how: Literal["eof", "drop", "stall", "error", "garbage"]
    after: int = 4
    kind: str = "overloaded_error"
    message: str = "Overloaded"


@dataclass(frozen=True)
class HttpFault:
    """A refused request. `code` becomes `error.details.error_code`."""

    status: int
    kind: str
    message: str = "scripted fault"
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.code:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": "req_fake"}


Step = Say | Break | HttpFault


def signature(model: str, thinking: str) -> str:
    """What the fake signs a thinking block with; another model's or an edited block does not verify."""
    return hashlib.sha256(f"{model}\0{thinking}".encode()).hexdigest()


def chunks(text: str, size: int) -> Iterator[str]:
    """The text in pieces of `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def events(say: Say, model: str, message_id: str) -> Iterator[Event]:
    """The stream of a reply, with pings, unknown events and unknown fields mixed in as the API is free to do."""
    usage = {"input_tokens": say.input_tokens, "output_tokens": 1, "cache_read_input_tokens": say.cache_read}
    usage["cache_creation_input_tokens"] = 7
    message = {"id": message_id, "type": "message", "role": "assistant", "content": [], "model": model}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage, "novelty": {"is": "ignored"}}
    yield "message_start", {"type": "message_start", "message": message}
    yield "ping", {"type": "ping"}
    written = 1
    for index, block in enumerate(say.blocks):
        cut = say.cut_tool and index == len(say.blocks) - 1
        yield from _block_events(index, block, model, cut=cut)
        yield "novelty_event", {"type": "novelty_event", "index": index}
        written += 10
    delta = {"stop_reason": say.ends_with, "stop_sequence": None, "stop_details": None}
    yield "message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": written}}
    yield "message_stop", {"type": "message_stop"}


def _block_events(index: int, block: Text | Thinking | ToolUse, model: str, *, cut: bool) -> Iterator[Event]:
    match block:
        case Text(text):
            start: dict[str, Any] = {"type": "text", "text": "", "citations": None}
            deltas = [{"type": "text_delta", "text": piece} for piece in chunks(text, 5)]
        case Thinking(thinking):
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in chunks(thinking, 7)]
            deltas.append({"type": "signature_delta", "signature": signature(model, thinking)})
        case ToolUse(name, arguments, call_id):
            start = {"type": "tool_use", "id": call_id, "name": name, "input": {}, "caller": {"type": "direct"}}
            text = json.dumps(arguments) if arguments else ""
            text = text[: len(text) // 2] if cut else text
            # The API opens with an empty piece and cuts the JSON anywhere, inside words and escapes too.
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *chunks(text, 3))]
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
    if not cut:
        yield "content_block_stop", {"type": "content_block_stop", "index": index}


def encoded(event: Event) -> bytes:
    """An event as it goes over the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
