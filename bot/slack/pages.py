"""Blocks onto messages: as few as hold them, in order, what belongs together kept together where that is possible."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

Block = dict[str, Any]

BLOCKS = 49
"""Slack takes 50 in a message; one is kept for the line that counts the parts."""
TEXT = 12_000
"""Characters of text in a message. Slack refuses messages from about 13,200 on."""
TABLE_TEXT = 10_000


def pages(parts: Sequence[tuple[bool, tuple[Block, ...]]]) -> tuple[tuple[Block, ...], ...]:
    """Each part is (starts a group, its blocks). A group is broken up only when it alone fills more than a message."""
    done: list[tuple[Block, ...]] = []
    page: list[Block] = []
    for group in _groups(parts):
        for blocks in [group] if _fits(group) else [(block,) for block in group]:
            if page and not _fits((*page, *blocks)):
                done.append(tuple(page))
                page = []
            page.extend(blocks)
    return tuple(done) if not page else (*done, tuple(page))


def _groups(parts: Sequence[tuple[bool, tuple[Block, ...]]]) -> Iterator[tuple[Block, ...]]:
    group: list[Block] = []
    for starts, blocks in parts:
        if starts and group:
            yield tuple(group)
            group = []
        group.extend(blocks)
    if group:
        yield tuple(group)


def _fits(blocks: Sequence[Block]) -> bool:
    tables = sum(size(block) for block in blocks if block["type"] == "table")
    return len(blocks) <= BLOCKS and sum(map(size, blocks)) <= TEXT and tables <= TABLE_TEXT


def size(value: Any) -> int:
    """Characters of all texts in a block, as they are sent."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(size(inner) for key, inner in value.items() if not isinstance(inner, str))
    if isinstance(value, list | tuple):
        return sum(map(size, chain(value)))
    return 0
