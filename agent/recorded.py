"""Replies, faults and tool results as plain JSON and back, for the journal."""

import dataclasses
from collections.abc import Iterable

from agent import errors
from agent.errors import ModelError
from agent.journal import Json
from agent.model import Reply, Usage
from agent.progress import Spent
from agent.tools import ToolResult


def reply_record(reply: Reply) -> Json:
    """A reply as JSON."""
    return {
        "content": list(reply.content),
        "stop_reason": reply.stop_reason,
        "model": reply.model,
        "usage": dataclasses.asdict(reply.usage),
    }


def reply_of(record: Json) -> Reply:
    """The reply that was recorded."""
    return Reply(tuple(record["content"]), record["stop_reason"], record["model"], Usage(**record["usage"]))


def fault_record(fault: ModelError) -> Json:
    """A model's fault as JSON: its class, its text for the log, and when to come back."""
    return {"fault": type(fault).__name__, "detail": str(fault), "retry_after": fault.retry_after}


def fault_of(record: Json) -> ModelError:
    """The fault that was recorded; a plain ModelError when its class is known no longer."""
    kind = getattr(errors, record["fault"], ModelError)
    known = kind if isinstance(kind, type) and issubclass(kind, ModelError) else ModelError
    return known(record["detail"], retry_after=record["retry_after"])


def outcome_record(result: ToolResult, seconds: float) -> Json:
    """What a tool call gave back and how long it took, as JSON."""
    data = None if result.data is None else dict(result.data)
    return {"text": result.text, "is_error": result.is_error, "data": data, "seconds": seconds}


def outcome_of(record: Json) -> tuple[ToolResult, float]:
    """The result and the seconds that were recorded."""
    return ToolResult(record["text"], record["is_error"], record["data"]), record["seconds"]


def spent_in(results: Iterable[Json]) -> list[Spent]:
    """What the model calls took whose replies are among the results of a turn's steps."""
    replies = (result["reply"] for result in results if isinstance(result, dict) and "reply" in result)
    return [Spent(reply["model"], Usage(**reply["usage"])) for reply in replies]
