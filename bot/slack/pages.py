"""Blocks onto messages: as few as hold them, in order, what belongs together kept together where that is possible."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Measured:
    """A block and what it takes of a message, counted once however often its place is tried."""

    block: Block
    letters: int

    @property
    def kind(self) -> str:
        return str(self.block["type"])


def pages(parts: Sequence[tuple[bool, tuple[Block, ...]]]) -> tuple[tuple[Block, ...], ...]:
    """Each part is (starts a group, its blocks); see `bot.paging`."""
    measured = [(starts, tuple(_Measured(block, size(block)) for block in blocks)) for starts, blocks in parts]
    return tuple(tuple(one.block for one in page) for page in paging.pages(measured, _fits))


def _fits(blocks: Sequence[_Measured]) -> bool:
    if len(blocks) > BLOCKS or sum(one.letters for one in blocks) > TEXT:
        return False
    charts = sum(1 for one in blocks if one.kind == "data_visualization")
    return charts <= CHARTS and sum(one.letters for one in blocks if one.kind == "table") <= TABLE_TEXT


def size(value: Any) -> int:
    """Characters of all texts in a block, as they are sent."""
    if isinstance(value, dict) and value.get("type") == "data_visualization":
        return len(json.dumps(value, ensure_ascii=False))  # which of its texts count is not known, so all do
    total = 0
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                total += len(inner) if key == "text" else 0
            else:
                total += size(inner)
    elif isinstance(value, list | tuple):
        total = sum(map(size, value))
    return total
