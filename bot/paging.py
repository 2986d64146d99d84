"""Parts of a document onto messages: as few as hold them, in order, what belongs together kept together where that is
possible."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Block = TypeVar("Block")


def pages(
    parts: Sequence[tuple[bool, tuple[Block, ...]]], fits: Callable[[Sequence[Block]], bool]
) -> tuple[tuple[Block, ...], ...]:
    """Each part is (starts a group, its blocks). A group is broken up only when it alone fills more than a message."""
    done: list[tuple[Block, ...]] = []
    page: list[Block] = []
    for group in _groups(parts):
        for blocks in [group] if fits(group) else [(block,) for block in group]:
            if page and not fits((*page, *blocks)):
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
