"""Blocks onto messages: as few as hold them, in order, what belongs together kept together where that is possible."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

from bot import paging

Block = dict[str, Any]

BLOCKS = 49
"""Slack takes 50 in a message; one is kept for the line that counts the parts."""
TEXT = 12_000
"""Characters of text in a message. Slack refuses messages from about 13,200 on."""
TABLE_TEXT = 10_000
"""Characters over all tables of a message."""
CHARTS = 2


def pages(parts: Sequence[tuple[bool, tuple[Block, ...]]]) -> tuple[tuple[Block, ...], ...]:
    """Each part is (starts a group, its blocks); see `bot.paging`."""
    return paging.pages(parts, _fits)


def _fits(blocks: Sequence[Block]) -> bool:
    tables = sum(size(block) for block in blocks if block["type"] == "table")
    charts = sum(1 for block in blocks if block["type"] == "data_visualization")
    fits = len(blocks) <= BLOCKS and charts <= CHARTS
    return fits and sum(map(size, blocks)) <= TEXT and tables <= TABLE_TEXT


def size(value: Any) -> int:
    """Characters of all texts in a block, as they are sent."""
    if isinstance(value, dict) and value.get("type") == "data_visualization":
        return len(json.dumps(value, ensure_ascii=False))  # which of its texts count is not known, so all do
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(size(inner) for key, inner in value.items() if not isinstance(inner, str))
    if isinstance(value, list | tuple):
        return sum(map(size, chain(value)))
    return 0
