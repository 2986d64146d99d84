"""Untrusted Markdown as pieces that a chat platform can show, each in its own writing. It is parsed first and written
anew from the tree, so that nothing reaches a platform that this module did not decide to write."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.addresses import plain
from bot.simple_markdown import Node, read

_NESTING = 60
# Reference definitions would vanish from what is read.
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
_PARSER.enable(["table", "strikethrough"]).disable(["reference"])

_INDENT = "    "
_LINE_END = re.compile(r"\r\n?|\n")
_MARKED = frozenset({"strong", "em", "s", "code_inline"})
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, lists, quotes and titles in the platform's writing, safe to send."""

    written: str


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted lines, escaped, without their fence."""

    lines: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of plain cells, its header first; every row has as many cells as the header."""

    rows: tuple[tuple[str, ...], ...]


Piece = Text | Code | Grid


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a platform writes marked text. `escape` makes any text harmless, also within a code block (`in_code`);
    `linked` does so too, but for addresses that lead to the hosts given; `link` is given address, label and hosts."""

    escape: Callable[[str], str]
    in_code: Callable[[str], str]
    linked: Callable[[str, Collection[str]], str]
    link: Callable[[str, str, Collection[str]], str]
    strong: str
    emphasis: str
    struck: str
    bullet: str
    ruler: str = "———"
    apart: str = ""
    """Set between a mark and a letter beside it, where the platform would not take the mark for one otherwise."""


def pieces(markdown: str, hosts: Collection[str], dialect: Dialect) -> tuple[Piece, ...]:
    """`markdown` in the order in which it is read, neighbouring paragraphs joined. Links lead to `hosts` only."""
    if (blocks := read(markdown)) is None:
        blocks = _parsed(markdown)
    if blocks is None:
        return (Code(_in_code(markdown, dialect)),)
    found: list[Piece] = []
    for piece in _Writer(markdown, hosts, dialect).blocks(blocks, ""):
        last = found[-1] if found else None
        if isinstance(piece, Text) and isinstance(last, Text):
            found[-1] = Text(f"{last.written}\n\n{piece.written}")
        else:
            found.append(piece)
    return tuple(found)


def _parsed(markdown: str) -> Sequence[Node] | None:
    """The blocks of any text; None for one that is nested deeper than the parser goes, which leaves out the rest."""
    tokens = _PARSER.parse(markdown)
    if any(token.level >= _NESTING - 2 for token in tokens):
        return None
    return SyntaxTreeNode(tokens).children


class _Writer:
    """Writes the tree of a text. `indent` is what stands before each line of a nested block."""

    def __init__(self, markdown: str, hosts: Collection[str], dialect: Dialect) -> None:
        self._dialect = dialect
        self._lines = _LINE_END.split(markdown)
        self._inline: dict[str, Callable[[Node], str]] = {
            "text": lambda node: dialect.linked(node.content, hosts),
            "code_inline": lambda node: f"`{dialect.in_code(node.content.replace('`', chr(39)))}`",
            "softbreak": lambda node: "\n",
            "hardbreak": lambda node: "\n",
            "strong": lambda node: self._marked(dialect.strong, node),
            "em": lambda node: self._marked(dialect.emphasis, node),
            "s": lambda node: self._marked(dialect.struck, node),
            "link": lambda node: dialect.link(_address(node), _label(node), hosts),
            "image": lambda node: dialect.link(_address(node), _label(node), hosts),
        }

    def blocks(self, nodes: Sequence[Node], indent: str) -> Iterator[Piece]:
        for node in nodes:
            match node.type:
                case "bullet_list" | "ordered_list":
                    yield from self._list(node, indent)
                case "fence" | "code_block":
                    yield Code(_in_code(_told(node.info) + node.content.rstrip("\n"), self._dialect))
                case "table":
                    yield self._table(node)
                case "blockquote":
                    for piece in self.blocks(node.children, indent):
                        yield Text(_before_lines("> ", piece.written)) if isinstance(piece, Text) else piece
                case "heading":
                    title = self._spans(node).replace("\n", " ")
                    mark = self._dialect.strong
                    yield Text(indent + (title if mark in title or not title else f"{mark}{title}{mark}"))
                case "hr":
                    yield Text(indent + self._dialect.ruler)
                case _:
                    yield Text(_before_lines(indent, self._spans(node)))

    def _table(self, node: Node) -> Piece:
        rows = tuple(tuple(plain(_letters(cell)) for cell in row.children) for row in _rows(node))
        first, end = node.map or (0, 0)
        source = self._lines[first:end]
        # the parser leaves out cells beyond the header's; such a table is shown as it was written
        if any(len(_PIPE.findall(line.strip().strip("|"))) >= len(rows[0]) for line in source):
            return Code(_in_code("\n".join(source), self._dialect))
        return Grid(rows)

    def _list(self, node: Node, indent: str) -> Iterator[Piece]:
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
        lines: list[str] = []
        for count, item in enumerate(node.children):
            mark = f"{number + count}. " if node.type == "ordered_list" else self._dialect.bullet
            for piece in self.blocks(item.children, indent + _INDENT):
                if not isinstance(piece, Text):
                    if lines:
                        yield Text("\n".join(lines))
                    lines = []
                    yield piece
                    continue
                # Only the first line of an item carries the mark; the rest of it stays indented below.
                marked = piece.written.removeprefix(indent + _INDENT)
                lines.append(indent + mark + marked if mark else piece.written)
                mark = ""
        if lines:
            yield Text("\n".join(lines))

    def _spans(self, node: Node) -> str:
        if write := self._inline.get(node.type):
            return write(node)
        return self._joined(node.children) if node.children else self._dialect.escape(node.content)

    def _joined(self, nodes: Sequence[Node]) -> str:
        done, was_marked = "", False
        for node in nodes:
            written, is_marked = self._spans(node), node.type in _MARKED
            close = (is_marked and _is_letter(done[-1:])) or (was_marked and _is_letter(written[:1]))
            done += self._dialect.apart + written if close and done and written else written
            was_marked = is_marked
        return done

    def _marked(self, mark: str, node: Node) -> str:
        inner = self._joined(node.children)
        return f"{mark}{inner}{mark}" if inner.strip() and inner == inner.strip() else inner


def _is_letter(text: str) -> bool:
    """Whether a mark beside it stands within a word. Chinese has no spaces, and its punctuation counts as letters."""
    return text.isalnum() or text >= "\u2e80"


def _rows(table: Node) -> Iterator[Node]:
    for part in table.children:
        yield from part.children


def _address(node: Node) -> str:
    return str(node.attrs.get("href" if node.type == "link" else "src", ""))


def _label(node: Node) -> str:
    return "".join(_letters(child) for child in node.children)


def _letters(node: Node) -> str:
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


def _in_code(text: str, dialect: Dialect) -> str:
    return dialect.in_code(text).replace("```", "'''")  # a fence in it would end the one around it


def _before_lines(mark: str, text: str) -> str:
    return "\n".join(mark + line for line in text.split("\n"))
