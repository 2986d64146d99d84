"""The rules for `messages`: roles, blocks, calls and results in pairs, thinking that comes back as it was given."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.messages_server.refusal import Refused, only_keys, require
from tests.fakes.messages_server.script import signature

Block = Mapping[str, Any]

FIELDS: dict[str, tuple[set[str], set[str], set[str]]] = {
    # type: (fields, required fields, roles)
    "text": ({"type", "text", "cache_control"}, {"text"}, {"user", "assistant"}),
    "tool_use": (
        {"type", "id", "name", "input", "caller", "cache_control"},
        {"id", "name", "input"},
        {"assistant"},
    ),
    "tool_result": ({"type", "tool_use_id", "content", "is_error", "cache_control"}, {"tool_use_id"}, {"user"}),
    "thinking": ({"type", "thinking", "signature"}, {"thinking", "signature"}, {"assistant"}),
    "redacted_thinking": ({"type", "data"}, {"data"}, {"assistant"}),
}


def check_messages(messages: Any, model: str, issued: Mapping[str, Sequence[str]]) -> None:
    """Refuse a malformed history. `issued` gives, per call id of this server, the signatures of the thinking that
    came with it."""
    require(isinstance(messages, list) and messages, "messages: at least one message is required")
    require(len(messages) <= 100_000, "messages: too many messages")
    for index, message in enumerate(messages):
        _check_message(index, message, last=index == len(messages) - 1, model=model)
    merged = merge(messages)
    require(merged[0][0] == "user", "messages: first message must use the user role")
    require(
        merged[-1][0] != "assistant",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
    )
    _check_pairs(merged)
    _check_latest_thinking(merged, issued)


def merge(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Block]]]:
    """Consecutive messages of one role count as one."""
    merged: list[tuple[str, list[Block]]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if merged and merged[-1][0] == message["role"]:
            merged[-1][1].extend(blocks)
        else:
            merged.append((message["role"], blocks))
    return merged


def _check_message(index: int, message: Any, *, last: bool, model: str) -> None:
    place = f"messages.{index}"
    only_keys(message, place, {"role", "content"}, {"role", "content"})
    role, content = message["role"], message["content"]
    require(role in {"user", "assistant", "system"}, f"{place}.role: Input should be 'user', 'assistant' or 'system'")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    require(isinstance(content, list), f"{place}.content: Input should be a valid list")
    may_be_empty = last and role == "assistant"
    require(
        content or may_be_empty,
        f"{place}: all messages must have non-empty content except for the optional final assistant message",
    )
    for number, block in enumerate(content):
        _check_block(f"{place}.content.{number}", block, role, model)


def _check_block(place: str, block: Any, role: str, model: str) -> None:
    require(isinstance(block, dict), f"{place}: Input should be a valid dictionary")
    kind = block.get("type")
    require(kind in FIELDS, f"{place}: Input tag {kind!r} found using 'type' does not match any of the expected tags")
    fields, required, roles = FIELDS[kind]
    only_keys(block, place, fields, required)
    require(role in roles, f"{place}: `{kind}` blocks are not allowed in {role} messages")
    if kind == "text":
        _check_text(place, block["text"])
    if kind == "tool_use":
        require(isinstance(block["input"], dict), f"{place}.tool_use.input: Input should be a valid dictionary")
        require(isinstance(block["id"], str) and block["id"], f"{place}.tool_use.id: String should match pattern")
    if kind == "tool_result":
        _check_result(place, block)
    if kind == "thinking":
        valid = block["signature"] == signature(model, block["thinking"])
        require(valid, f"{place}: Invalid `signature` in `thinking` block")


def _check_text(place: str, text: Any) -> None:
    require(isinstance(text, str), f"{place}.text: Input should be a valid string")
    require(text, "messages: text content blocks must be non-empty")
    require(text.strip(), "messages: text content blocks must contain non-whitespace text")


def _check_result(place: str, block: Block) -> None:
    content = block.get("content", "")
    require(isinstance(content, (str, list)), f"{place}.content: Input should be a valid string or list")
    require(isinstance(block.get("is_error", False), bool), f"{place}.is_error: Input should be a valid boolean")
    for number, item in enumerate(content if isinstance(content, list) else ()):
        only_keys(item, f"{place}.content.{number}", {"type", "text", "cache_control"}, {"type", "text"})
        _check_text(f"{place}.content.{number}", item["text"])


def _check_pairs(merged: Sequence[tuple[str, list[Block]]]) -> None:
    seen: set[str] = set()
    open_calls: list[str] = []
    for index, (role, blocks) in enumerate(merged):
        if role == "user":
            _check_results_of(index, blocks, open_calls)
            open_calls = []
            continue
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        for call_id in calls:
            require(call_id not in seen, "messages: `tool_use` ids must be unique")
            seen.add(call_id)
        open_calls = calls


def _check_results_of(index: int, blocks: Sequence[Block], open_calls: Sequence[str]) -> None:
    kinds = [block["type"] == "tool_result" for block in blocks]
    require(
        kinds == sorted(kinds, reverse=True),
        f"messages.{index}: `tool_result` blocks must come before any other content",
    )
    answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    for call_id in answered:
        require(
            call_id in open_calls,
            f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. "
            "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
        )
    require(len(set(answered)) == len(answered), f"messages.{index}: each tool_use must have a single result")
    missing = [call_id for call_id in open_calls if call_id not in answered]
    require(
        not missing,
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message.",
    )


def _check_latest_thinking(merged: Sequence[tuple[str, list[Block]]], issued: Mapping[str, Sequence[str]]) -> None:
    """Inside a round of tools the thinking of the latest assistant message has to be there, whole and in order."""
    if len(merged) < 2:
        return
    _, blocks = merged[-2]
    given = [block["signature"] for block in blocks if block["type"] == "thinking"]
    for block in blocks:
        if block["type"] == "tool_use" and block["id"] in issued and list(issued[block["id"]]) != given:
            raise Refused("messages: `thinking` blocks in the latest assistant message cannot be modified")
