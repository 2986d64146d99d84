"""What a surface is asked to show: small value types that each platform renders within its own limits."""

from dataclasses import dataclass
from typing import Literal

from handlers.words import Language


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
class Menu:
    """A choice of a few: each option is (what is read, the value that travels: 150 characters at most). The press that
    follows carries the chosen value."""

    label: str
    action: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """A row of buttons and menus."""

    buttons: tuple[Button | Menu, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, set of bars or area of a chart; a value per category, None where there is none."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures to be drawn. Plain text labels; every series is as long as `categories`; a pie has one series.
    `alt` says in a sentence what is to be seen. Raises ValueError for series of another length."""

    kind: Literal["line", "bar", "area", "pie"]
    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    alt: str = ""

    def __post_init__(self) -> None:
        if not self.series or any(len(one.values) != len(self.categories) for one in self.series):
            raise ValueError("each series of a chart has one value per category")
        if self.kind == "pie" and len(self.series) != 1:
            raise ValueError("a pie has one series")


@dataclass(frozen=True, slots=True)
class File:
    """A file to go with the document, e.g. all rows of a result as CSV; `name` has its ending."""

    name: str
    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Small print: sources, model, cost; plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Divider:
    """A rule between groups."""


Part = Heading | Prose | Fields | Table | Chart | File | Actions | Note | Divider


@dataclass(frozen=True, slots=True)
class Document:
    """`fallback` is what notifications, screen readers and plain surfaces show; always set. `language` is the one that
    a platform's own words beside the parts are in, such as a count of pages."""

    fallback: str
    parts: tuple[Part, ...]
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. `options` (what is read, value) belong to a choice; `initial` is a text or such a
    value. A `person` is picked with the platform's own list of people and entered as their id; its options (name, id)
    are whom a platform offers that has no such list of everybody."""

    name: str
    label: str
    kind: Literal["text", "choice", "multiline", "person"] = "text"
    options: tuple[tuple[str, str], ...] = ()
    initial: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What a dialog asks. Sending it is a press of `action` with `value`, and with what was entered by field name."""

    fields: tuple[Field, ...]
    action: str
    value: str = ""
    submit: str = ""
    """What stands on the button that sends it; empty = the surface's own word."""
