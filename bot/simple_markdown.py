"""Markdown that needs no parser: paragraphs and plain lists of text, bold, italic and code. Most of what we show is
such text, and reading it here takes a tenth of the time. Whatever might mean anything else is left to the parser."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

_ESCAPE = r"\\[!-/:-@\[-`{-~]"
# Possessive, so that hostile text costs no more than reading it once.
_RUN = rf"(?:[^\\`*_\[<~|&\n]++|{_ESCAPE}|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])|&(?![A-Za-z#]))++"
_BEFORE, _AFTER = r"(?<![^ \n(])", r"(?=[ \n.,;:)]|\Z)"
_SPAN = re.compile(
    rf"(?P<strong>{_BEFORE}\*\*(?! )(?P<bold>{_RUN})(?<! )\*\*{_AFTER})"
    rf"|(?P<em>{_BEFORE}_(?! )(?P<slanted>{_RUN})(?<! )_{_AFTER})"
    r"|(?P<code>(?<!`)`(?! )(?P<literal>[^`\n]++)(?<! )`(?!`))"
    rf"|(?P<text>{_RUN})"
    r"|(?P<softbreak>\n)"
)
_ESCAPED = re.compile(rf"{_ESCAPE}")
_OTHERWISE = re.compile(r"[ #>+=:~-]|[0-9]{1,9}[.)](?: |\Z)")
"""How a line begins that may be a title, a quote, a rule, a table, a numbered list, code or a list within a list."""
_ITEM = "- "


class Node(Protocol):
    """What a writer needs of a node of a text, whoever read it: those of the parser have it too."""

    @property
    def type(self) -> str:
        """`paragraph`, `bullet_list`, `strong`, `text` …, as the parser calls them."""
        ...

    @property
    def content(self) -> str:
        """The text of a leaf."""
        ...

    @property
    def children(self) -> Sequence["Node"]:
        """What it consists of; nothing for a leaf."""
        ...

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Addresses of links, numbers of lists."""
        ...

    @property
    def info(self) -> str:
        """What stands behind an opening fence."""
        ...

    @property
    def map(self) -> tuple[int, int] | None:
        """First line and the one behind the last, for a block."""
        ...


@dataclass(frozen=True, slots=True)
class Simple:
    """A node that was read here."""

    type: str
    content: str = ""
    children: Sequence[Node] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    info: str = ""
    map: tuple[int, int] | None = None


def read(markdown: str) -> Sequence[Node] | None:
    """The blocks of a text; None where only the parser can tell what it means."""
    if not markdown.replace("\n", "").isprintable():
        return None
    blocks: list[Node] = []
    for lines in _chunks(markdown):
        found = _block(lines)
        if found is None:
            return None
        for one in found:
            last = blocks[-1] if blocks else None
            if last is not None and last.type == one.type == "bullet_list":
                blocks[-1] = Simple("bullet_list", children=(*last.children, *one.children))
            else:
                blocks.append(one)
    return blocks


def _chunks(markdown: str) -> Iterator[list[str]]:
    """Runs of lines between empty ones."""
    chunk: list[str] = []
    for line in markdown.split("\n"):
        if line:
            chunk.append(line.rstrip(" "))
        elif chunk:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _block(lines: Sequence[str]) -> list[Node] | None:
    """A paragraph, a list, or the one and below it the other."""
    first = next((number for number, line in enumerate(lines) if line.startswith(_ITEM)), len(lines))
    told, items = lines[:first], lines[first:]
    if any(not line or _OTHERWISE.match(line) for line in told):
        return None
    found: list[Node] = []
    if told:
        spans = _spans("\n".join(told))
        if spans is None:
            return None
        found.append(Simple("paragraph", children=spans))
    if items:
        listed = [_item(line) for line in items]
        known = [one for one in listed if one is not None]
        if len(known) < len(listed):
            return None
        found.append(Simple("bullet_list", children=known))
    return found


def _item(line: str) -> Node | None:
    text = line.removeprefix(_ITEM)
    # a line without the mark goes on with the item above it
    if not line.startswith(_ITEM) or not text or _OTHERWISE.match(text):
        return None
    spans = _spans(text)
    return None if spans is None else Simple("list_item", children=(Simple("paragraph", children=spans),))


def _spans(text: str) -> list[Node] | None:
    spans: list[Node] = []
    end = 0
    while end < len(text):
        if (found := _SPAN.match(text, end)) is None:
            return None
        end = found.end()
        match found.lastgroup:
            case "strong" | "em" as kind:
                inner = _leaf(found["bold"] or found["slanted"])
                spans.append(Simple(kind, children=(inner,)))
            case "code":
                spans.append(Simple("code_inline", found["literal"]))
            case "text":
                spans.append(_leaf(found["text"]))
            case _:
                spans.append(Simple("softbreak"))
    return spans


def _leaf(written: str) -> Node:
    return Simple("text", _ESCAPED.sub(lambda found: found[0][1], written) if "\\" in written else written)
