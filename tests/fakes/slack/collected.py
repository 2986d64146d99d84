"""A pytest plugin (`-p tests.fakes.slack.collected`) that writes down every payload which the fake found good, each
shape once, into the file that STARWATCH_PAYLOADS names: for checkers that know types and no lengths."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.slack.validity import HEARD

TOLD_APART = frozenset({"type", "style", "state", "status", "align", "task_display_mode"})
"""Keys whose texts are words of Slack's; any other text is as good as another."""

SEEN: dict[str, dict[str, Any]] = {}


def shape(value: Any, key: str = "") -> Any:
    """The value with its texts and numbers alike, and in each list every shape once."""
    if isinstance(value, Mapping):
        return {name: shape(one, name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        found = {json.dumps(one, sort_keys=True): one for one in map(shape, value)}
        return list(found.values())
    if isinstance(value, str):
        return value if key in TOLD_APART else "x"
    return 1 if isinstance(value, int | float) and not isinstance(value, bool) else value


def hear(kind: str, payload: Any) -> None:
    """Note a payload; of blocks each by itself, since a message takes any of them."""
    for one in payload if kind == "blocks" else [payload]:
        told = shape(one)
        SEEN.setdefault(f"{kind} {json.dumps(told, sort_keys=True)}", {"kind": kind, "payload": told})


@pytest.fixture(autouse=True, scope="session")
def collecting() -> Any:
    """Hears for as long as the session lasts, and writes at its end."""
    HEARD.append(hear)
    yield
    HEARD.remove(hear)
    Path(os.environ["STARWATCH_PAYLOADS"]).write_text(json.dumps(list(SEEN.values())), encoding="utf-8")
