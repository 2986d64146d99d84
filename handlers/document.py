"""What a surface is asked to show: small value types that each platform renders within its own limits."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Heading:
    """A title line, plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown written by a model or by code; untrusted: no live mention, no link to an unlisted host."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Short label and value pairs shown side by side, plain text."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A small table, plain text cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button: `action` names the event it raises, `value` travels with it (2,000 characters at most)."""

    label: str
    action: str
    value: str
    style: Literal["", "primary", "danger"] = ""


@dataclass(frozen=True, slots=True)
class Actions:
    """A row of buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Small print: sources, model, cost; plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Divider:
    """A rule between groups."""


Part = Heading | Prose | Fields | Table | Actions | Note | Divider


@dataclass(frozen=True, slots=True)
class Document:
    """`fallback` is what notifications, screen readers and plain surfaces show; always set."""

    fallback: str
    parts: tuple[Part, ...]
