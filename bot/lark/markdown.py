"""Untrusted Markdown as pieces that a Lark card can show."""

import textwrap
from collections.abc import Collection, Iterator

from bot.lark.escape import escape, letters, link, linked
from bot.markdown import Code, Dialect, Grid, Piece, Text
from bot.markdown import pieces as written

__all__ = ["Code", "Grid", "Piece", "Text", "flowing", "pieces"]

CARD = Dialect(escape, letters, linked, link, strong="**", emphasis="*", struck="~~", bullet="- ")

_FENCE = "```"


def pieces(markdown: str, hosts: Collection[str]) -> tuple[Piece, ...]:
    """`markdown` in the order in which it is read. Links lead to `hosts` only."""
    # four blanks before a line would make code of what goes on behind a block within a list
    return tuple(
        Text(textwrap.dedent(piece.written)) if isinstance(piece, Text) else piece
        for piece in written(markdown, hosts, CARD)
    )


def flowing(markdown: str, hosts: Collection[str]) -> str:
    """All of it as one text, for an answer that still grows; tables as lines."""
    return "\n\n".join(_flowing(pieces(markdown, hosts)))


def fenced(lines: str) -> str:
    """Lines of code as a block."""
    return f"{_FENCE}\n{lines}\n{_FENCE}"


def _flowing(found: Collection[Piece]) -> Iterator[str]:
    for piece in found:
        match piece:
            case Text():
                yield piece.written
            case Code():
                yield fenced(piece.lines)
            case Grid():
                yield "\n".join(escape(" · ".join(row)) for row in piece.rows)
