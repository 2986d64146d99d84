"""The rules for everything of a request but its history."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.fakes.messages_server.history import check_messages
from tests.fakes.messages_server.refusal import Refused, only_keys, require

KEY = "sk-ant-test-key"
VERSIONS = {"2023-06-01", "2026-10-21"}
MAX_BYTES = 32 * 1024 * 1024
MODELS = {
    "claude-sonnet-5-5": 128_000,
    "claude-opus-5-5": 128_000,
    "claude-haiku-5-5": 128_000,
    "claude-sonnet-4-6": 64_000,
}
NO_FORCED_CHOICE = {"claude-sonnet-5-5", "claude-opus-5-5"}
FIELDS = {
    *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "metadata", "stop_sequences"),
    *("thinking", "output_config", "cache_control", "service_tier", "inference_geo", "diagnostics"),
}
BETA_FIELDS = {
    "context_management": "context-management-2025-06-27",
    "mcp_servers": "mcp-client-2025-11-20",
    "compaction": "compact-2026-09-04",
    "thread": "message-threads-2026-08-01",
}
SAMPLING = {"temperature", "top_p", "top_k"}
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
EFFORTS = {"low", "medium", "high", "xhigh", "max"}


def check_headers(headers: Mapping[str, str], size: int) -> None:
    """Refuse a request without a valid key or with an API version that does not exist."""
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        raise Refused("invalid x-api-key", status=401, kind="authentication_error")
    version = headers.get("anthropic-version", "")
    require(version, "anthropic-version: header is required")
    require(version in VERSIONS, f"anthropic-version: {version!r} is not a valid version")
    if size > MAX_BYTES:
        raise Refused("Request exceeds the maximum size", status=413, kind="request_too_large")


def check_body(body: Any, betas: str, issued: Mapping[str, Sequence[str]], *, counting: bool = False) -> None:
    """Refuse a malformed body. `counting` is the token counter, which takes no `max_tokens` and no `stream`."""
    require(isinstance(body, dict), "Input should be a valid dictionary")
    for name in body:
        _check_field(name, betas, counting=counting)
    for name in ("model", "messages") if counting else ("model", "max_tokens", "messages"):
        require(name in body, f"{name}: Field required")
    model = body["model"]
    if model not in MODELS:
        raise Refused(f"model: {model}", status=404, kind="not_found_error")
    if not counting:
        _check_max_tokens(body["max_tokens"], MODELS[model])
    _check_system(body.get("system", ""))
    _check_tools(body)
    _check_choice(body, model)
    _check_thinking(body, model)
    check_messages(body["messages"], model, issued)
    _check_cache_marks(body)


def _check_field(name: str, betas: str, *, counting: bool) -> None:
    require(name not in SAMPLING, f"{name}: is not supported in this API version")
    beta = BETA_FIELDS.get(name)
    known = name in FIELDS and not (counting and name in {"max_tokens", "stream"})
    require(known or (beta and beta in betas), f"{name}: Extra inputs are not permitted")


def _check_max_tokens(value: Any, cap: int) -> None:
    require(isinstance(value, int) and not isinstance(value, bool), "max_tokens: Input should be a valid integer")
    require(value >= 0, "max_tokens: Input should be greater than or equal to 0")
    require(value <= cap, f"max_tokens: {value} > {cap}, which is the maximum allowed number of output tokens")


def _check_system(system: Any) -> None:
    require(isinstance(system, (str, list)), "system: Input should be a valid string or list")
    for index, block in enumerate(system if isinstance(system, list) else ()):
        only_keys(block, f"system.{index}", {"type", "text", "cache_control"}, {"type", "text"})
        require(block["text"].strip(), "system: text content blocks must be non-empty")


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools", [])
    require(isinstance(tools, list), "tools: Input should be a valid list")
    names: set[str] = set()
    for index, tool in enumerate(tools):
        place = f"tools.{index}"
        known = {"name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming", "type"}
        only_keys(tool, place, known, {"name", "input_schema"})
        require(TOOL_NAME.fullmatch(str(tool["name"])), f"{place}.name: String should match pattern")
        require(tool["name"] not in names, "tools: Tool names must be unique.")
        names.add(tool["name"])
        _check_schema(f"{place}.input_schema", tool["input_schema"], strict=bool(tool.get("strict")))
    used = any(block.get("type") in {"tool_use", "tool_result"} for block in _blocks(body))
    require(tools or not used, "tools: Field required when the history holds tool use")


def _check_schema(place: str, schema: Any, *, strict: bool) -> None:
    require(isinstance(schema, dict), f"{place}: Input should be a valid dictionary")
    require(schema.get("type") == "object", f"{place}.type: Input should be 'object'")
    for word in ("oneOf", "anyOf", "allOf"):
        require(word not in schema, f"{place}: does not support oneOf, allOf, or anyOf at the top level")
    if strict:
        closed = schema.get("additionalProperties") is False
        require(closed, f"{place}: 'additionalProperties' must be false for strict tools")


def _check_choice(body: Mapping[str, Any], model: str) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    require(body.get("tools"), "tool_choice: may only be specified while providing `tools`")
    only_keys(choice, "tool_choice", {"type", "name", "disable_parallel_tool_use"}, {"type"})
    require(choice["type"] in {"auto", "none", "any", "tool"}, "tool_choice: unknown type")
    forced = choice["type"] in {"any", "tool"}
    require(
        not (forced and model in NO_FORCED_CHOICE),
        'tool_choice: type "tool" and "any" are not supported for this model.',
    )


def _check_thinking(body: Mapping[str, Any], model: str) -> None:
    thinking = body.get("thinking")
    if thinking is not None:
        only_keys(thinking, "thinking", {"type", "display", "budget_tokens"}, {"type"})
        allowed = {"adaptive", "disabled", "between_tools"} if model in NO_FORCED_CHOICE else {"enabled", "disabled"}
        require(thinking["type"] in allowed, f"thinking.type: {thinking['type']!r} is not supported for this model")
        require(thinking.get("display", "omitted") in {"summarized", "omitted"}, "thinking.display: unknown value")
    output = body.get("output_config")
    if output is not None:
        only_keys(output, "output_config", {"effort", "format"})
        require(output.get("effort", "high") in EFFORTS, "output_config.effort: unknown value")


def _blocks(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    messages = body.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        yield from (block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()


def _check_cache_marks(body: Mapping[str, Any]) -> None:
    system = body.get("system", "")
    places = [*body.get("tools", []), *(system if isinstance(system, list) else ()), *_blocks(body), body]
    marks = [place["cache_control"] for place in places if "cache_control" in place]
    require(len(marks) <= 4, f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    short_seen = False
    for mark in marks:
        only_keys(mark, "cache_control", {"type", "ttl"}, {"type"})
        require(mark["type"] == "ephemeral", "cache_control.type: Input should be 'ephemeral'")
        require(mark.get("ttl", "5m") in {"5m", "1h"}, "cache_control.ttl: Input should be '5m' or '1h'")
        require(not (short_seen and mark.get("ttl") == "1h"), "cache_control: ttl '1h' must not come after '5m'")
        short_seen = short_seen or mark.get("ttl", "5m") == "5m"
