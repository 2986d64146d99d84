"""Conversation history in the form the Messages API takes, kept append-only and saved exactly as sent."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

Block = dict[str, Any]
"""One content block: `text`, `thinking`, `tool_use` or `tool_result`, as plain JSON."""


class Message(TypedDict):
    """One turn of a history; `content` is never empty."""

    role: Literal["user", "assistant"]
    content: list[Block]


def user_text(text: str) -> Message:
    """A user's words as a message."""
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def text_of(content: Sequence[Block]) -> str:
    """The visible text of some blocks, joined as the reader sees it."""
    return "".join(block["text"] for block in content if block["type"] == "text")
