"""Marks in the metadata of messages: by them a turn that is repeated finds what it posted before it was cut off."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handlers.surface import Mark

MARKED = "starwatch_post"


def metadata_of(mark: Mark | None, page: int) -> Mapping[str, Any]:
    """What a message carries that is page `page` (from 0) of a post; one of no turn is a finished post all the same."""
    turn, part = (mark.turn, mark.part) if mark is not None else ("", "")
    return {"event_type": MARKED, "event_payload": {"turn": turn, "part": part, "page": page}}


def pages_of(found: Iterable[Mapping[str, Any]], mark: Mark) -> dict[int, str]:
    """Page number → ts of the messages that carry the mark; of several with one number the first."""
    pages: dict[int, str] = {}
    for page, ts in _marked(found, mark):
        pages.setdefault(page, ts)
    return pages


def unmarked(found: Iterable[Mapping[str, Any]], me: str, since: float) -> list[str]:
    """Messages of ours, oldest first, that no post left behind: streams and plans that a crash cut off. Every post is
    marked, and only one turn at a time is under way in a thread. `since` is in seconds since the epoch."""
    return [
        str(message["ts"])
        for message in found
        if message.get("user") == me
        and (message.get("metadata") or {}).get("event_type") != MARKED
        and not message.get("files")
        and float(message["ts"]) > since
    ]


def _marked(found: Iterable[Mapping[str, Any]], mark: Mark) -> Iterator[tuple[int, str]]:
    for message in found:
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        named = (payload.get("turn"), payload.get("part")) == (mark.turn, mark.part)
        if metadata.get("event_type") == MARKED and named:
            yield int(payload.get("page", 0)), str(message["ts"])
