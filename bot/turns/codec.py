"""Events as plain JSON and back, for the inbox."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from handlers.surface import Event, Investigate, PatrolRequest, Question

_KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in (Question, PatrolRequest, Investigate)}


def event_json(event: Event) -> dict[str, Any]:
    """The event's fields and its kind."""
    return {"kind": type(event).__name__, **dataclasses.asdict(event)}


def event_of(record: Mapping[str, Any]) -> Event:
    """The event that was written down; fields that are known no longer are left out. Raises KeyError for a kind that is
    none of ours."""
    kind = _KINDS[record["kind"]]
    known = {field.name for field in dataclasses.fields(kind)}
    event: Event = kind(**{name: value for name, value in record.items() if name in known})
    return event
