"""Untrusted Markdown as pieces that Slack can show. It is parsed first and written anew from the tree, so that nothing
reaches Slack that this module did not decide to write."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.slack.escape import escape, link, linked, plain

_NESTING = 60
# Reference definitions would vanish from what is read.
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
_PARSER.enable(["table", "strikethrough"]).disable(["reference"])

_INDENT = "    "
_LINE_END = re.compile(r"\r\n?|\n")
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, lists, quotes and titles as mrkdwn, safe to send with `verbatim`."""

    mrkdwn: str


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted lines, escaped, without their fence."""

    lines: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of plain cells, its header first; every row has as many cells as the header."""

    rows: tuple[tuple[str, ...], ...]


Piece = Text | Code | Grid


def pieces(markdown: str, hosts: Collection[str]) -> tuple[Piece, ...]:
    """`markdown` in the order in which it is read, neighbouring paragraphs joined. Links lead to `hosts` only."""
    tokens = _PARSER.parse(markdown)
    if any(token.level >= _NESTING - 2 for token in tokens):  # the parser leaves out what is nested deeper
        return (Code(_in_code(markdown)),)
    found: list[Piece] = []
    for piece in _Writer(markdown, hosts).blocks(SyntaxTreeNode(tokens).children, ""):
        last = found[-1] if found else None
        if isinstance(piece, Text) and isinstance(last, Text):
            found[-1] = Text(f"{last.mrkdwn}\n\n{piece.mrkdwn}")
        else:
            found.append(piece)
    return tuple(found)


class _Writer:
    """Writes the tree of a text. `indent` is what stands before each line of a nested block."""

    def __init__(self, markdown: str, hosts: Collection[str]) -> None:
        self._lines = _LINE_END.split(markdown)
        self._inline: dict[str, Callable[[SyntaxTreeNode], str]] = {
            "text": lambda node: linked(node.content, hosts),
            "code_inline": lambda node: f"`{escape(node.content.replace('`', chr(39)))}`",
            "softbreak": lambda node: "\n",
            "hardbreak": lambda node: "\n",
            "strong": lambda node: self._marked("*", node),
            "em": lambda node: self._marked("_", node),
            "s": lambda node: self._marked("~", node),
            "link": lambda node: link(_address(node), _label(node), hosts),
            "image": lambda node: link(_address(node), _label(node), hosts),
        }

    def blocks(self, nodes: Sequence[SyntaxTreeNode], indent: str) -> Iterator[Piece]:
        for node in nodes:
            match node.type:
                case "bullet_list" | "ordered_list":
                    yield from self._list(node, indent)
                case "fence" | "code_block":
                    yield Code(_in_code(_told(node.info) + node.content.rstrip("\n")))
                case "table":
                    yield self._table(node)
                case "blockquote":
                    for piece in self.blocks(node.children, indent):
                        yield Text(_before_lines("> ", piece.mrkdwn)) if isinstance(piece, Text) else piece
                case "heading":
                    title = self._spans(node).replace("\n", " ")
                    yield Text(indent + (title if "*" in title or not title else f"*{title}*"))
                case "hr":
                    yield Text(indent + "———")
                case _:
                    yield Text(_before_lines(indent, self._spans(node)))

    def _table(self, node: SyntaxTreeNode) -> Piece:
        rows = tuple(tuple(plain(_letters(cell)) for cell in row.children) for row in _rows(node))
        first, end = node.map or (0, 0)
        source = self._lines[first:end]
        # the parser leaves out cells beyond the header's; such a table is shown as it was written
        if any(len(_PIPE.findall(line.strip().strip("|"))) >= len(rows[0]) for line in source):
            return Code(_in_code("\n".join(source)))
        return Grid(rows)

    def _list(self, node: SyntaxTreeNode, indent: str) -> Iterator[Piece]:
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        lines: list[str] = []
        for count, item in enumerate(node.children):
            mark = f"{number + count}. " if node.type == "ordered_list" else "• "
            for piece in self.blocks(item.children, indent + _INDENT):
                if not isinstance(piece, Text):
                    if lines:
                        yield Text("\n".join(lines))
                    lines = []
                    yield piece
                    continue
                # Only the first line of an item carries the mark; the rest of it stays indented below.
                marked = piece.mrkdwn.removeprefix(indent + _INDENT)
                lines.append(indent + mark + marked if mark else piece.mrkdwn)
                mark = ""
        if lines:
            yield Text("\n".join(lines))

    def _spans(self, node: SyntaxTreeNode) -> str:
        if write := self._inline.get(node.type):
            return write(node)
        return "".join(self._spans(child) for child in node.children) if node.children else escape(node.content)

    def _marked(self, mark: str, node: SyntaxTreeNode) -> str:
        inner = "".join(self._spans(child) for child in node.children)
        return f"{mark}{inner}{mark}" if inner.strip() and inner == inner.strip() else inner


def _rows(table: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    for part in table.children:
        yield from part.children


def _address(node: SyntaxTreeNode) -> str:
    return str(node.attrs.get("href" if node.type == "link" else "src", ""))


def _label(node: SyntaxTreeNode) -> str:
    return "".join(_letters(child) for child in node.children)


def _letters(node: SyntaxTreeNode) -> str:
    """What is read of a node when all markup is taken away."""
    match node.type:
        case "softbreak" | "hardbreak":
            return " "
        case "link" | "image":
            label, address = _label(node), _address(node)
            return label if label == address else f"{label} ({address})"
        case _:
            return _label(node) if node.children else node.content


def _told(info: str) -> str:
    """What stands behind an opening fence, unless it only names the language."""
    return f"{info.strip()}\n" if len(info.split()) > 1 else ""


def _in_code(text: str) -> str:
    return escape(text).replace("```", "'''")  # a fence in it would end the one around it


def _before_lines(mark: str, text: str) -> str:
    return "\n".join(mark + line for line in text.split("\n"))
