"""The components of a Lark card (JSON 2.0) that we use: each function makes one that Lark takes, and no other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.lark.escape import escape, letters
from handlers.document import Button, Chart, Field, Form, Menu
from handlers.markdown import excerpt, line

Element = dict[str, Any]

LABEL = 100
"""Characters on a button or an option."""
VALUE = 2_000
OPTIONS = 100
PLACEHOLDER = 100
OPEN_ID = "ou_"
"""How the id of a person begins; Lark refuses a card that offers anything else as one."""
ENTERED = 1_000
"""Characters that Lark lets somebody type into one field."""
ACTION, CHOICE, SUBMIT = "action", "value", "submit"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a press on a card is about when Lark's callback does not say it: the thread that the card stands in, and
    the message that it speaks of when that is not the card itself."""

    thread: str = ""
    message: str = ""

    def told(self) -> dict[str, str]:
        """What goes into the values of buttons."""
        told = {"thread": self.thread, "message": self.message}
        return {name: value for name, value in told.items() if value}


@dataclass(slots=True)
class Names:
    """Hands out the names that must be unique in one card."""

    taken: set[str] = field(default_factory=set)

    def name(self, wanted: str) -> str:
        """`wanted` or the next free name like it."""
        name, number = wanted, 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name


def markdown(content: str, **more: str) -> Element:
    """Text in Lark's Markdown, escaped by the caller."""
    return {"tag": "markdown", "content": content, **more}


def title(text: str) -> Element:
    """A line that stands out."""
    return markdown(f"**{escape(line(text)) or '–'}**", text_size="heading")


def note(text: str) -> Element:
    """Small print, shown letter by letter."""
    shown = {
        "tag": "plain_text",
        "content": letters(text).strip() or "–",
        "text_size": "notation",
        "text_color": "grey",
    }
    return {"tag": "div", "text": shown}


def ruler() -> Element:
    """A line across."""
    return {"tag": "hr"}


def side_by_side(columns: Sequence[str]) -> Element:
    """Texts in Lark's Markdown beside each other, below each other where the screen is narrow."""
    shown = [{"tag": "column", "width": "weighted", "weight": 1, "elements": [markdown(one)]} for one in columns]
    return {"tag": "column_set", "flex_mode": "stretch", "columns": shown}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Element:
    """A table of cells that Lark shows letter by letter. Rows may be shorter than the header, not longer."""
    columns: list[Element] = [
        {"name": f"c{number}", "display_name": name or "–", "data_type": "text", "width": "auto"}
        for number, name in enumerate(header)
    ]
    shown = [{f"c{number}": cell for number, cell in enumerate(row)} for row in rows]
    look = {"bold": True, "background_style": "grey"}
    return {
        "tag": "table",
        "page_size": max(1, min(10, len(shown))),
        "row_height": "low",
        "header_style": look,
        "columns": columns,
        "rows": shown,
    }


def chart(drawn: Chart) -> Element:
    """A chart that Lark's client draws from the figures (VChart)."""
    names = [line(letters(one)) for one in drawn.categories]
    values = [
        {"x": name, "y": value, "s": line(letters(series.name))}
        for series in drawn.series
        for name, value in zip(names, series.values, strict=True)
        if value is not None
    ]
    shown = line(letters(f"{drawn.title}, {drawn.unit}" if drawn.unit else drawn.title))
    spec: dict[str, Any] = {"type": drawn.kind, "title": {"text": shown}, "data": {"values": values}}
    legends = {"visible": len(drawn.series) > 1 or drawn.kind == "pie", "orient": "bottom"}
    if drawn.kind == "pie":
        spec |= {"categoryField": "x", "valueField": "y", "label": {"visible": True}}
    else:
        across = ["x", "s"] if drawn.kind == "bar" and len(drawn.series) > 1 else "x"
        spec |= {"xField": across, "yField": "y", "seriesField": "s"}
    return {"tag": "chart", "aspect_ratio": "16:9", "chart_spec": spec | {"legends": legends}}


def picture(image_key: str, alt: str) -> Element:
    """A picture that was uploaded before."""
    return {"tag": "img", "img_key": image_key, "alt": _plain(alt, VALUE)}


def actions(buttons: Sequence[Button | Menu], origin: Origin) -> Element:
    """A row of buttons and menus."""
    columns = [
        {
            "tag": "column",
            "width": "auto",
            "elements": [button(one, origin) if isinstance(one, Button) else menu(one, origin)],
        }
        for one in buttons
    ]
    return {"tag": "column_set", "flex_mode": "flow", "horizontal_spacing": "8px", "columns": columns}


def button(shown: Button, origin: Origin, **more: Any) -> Element:
    """Raises ValueError for a value that no press could carry back; it cannot be cut without changing what it says."""
    if len(shown.value) > VALUE:
        raise ValueError(f"the value of button {shown.action!r} is longer than {VALUE} characters")
    carried = {ACTION: shown.action, CHOICE: shown.value, **origin.told()}
    return {
        "tag": "button",
        "text": _plain(shown.label, LABEL),
        "type": shown.style or "default",
        "behaviors": [{"type": "callback", "value": carried}],
        **more,
    }


def menu(shown: Menu, origin: Origin) -> Element:
    """Raises ValueError for a menu without options, with too many, or with two of the same value."""
    return {
        "tag": "select_static",
        "placeholder": _plain(shown.label, PLACEHOLDER),
        "options": _options(shown.action, shown.options),
        "behaviors": [{"type": "callback", "value": {ACTION: shown.action, **origin.told()}}],
    }


def form(shown: Form, origin: Origin, send: str) -> Element:
    """What a dialog asks, with a button that sends it; `send` stands on it when the form says nothing else."""
    names = Names()
    elements = [part for one in shown.fields for part in _field(one, names)]
    sent = Button(shown.submit or send, shown.action, shown.value, "primary")
    name = names.name(SUBMIT)
    return {
        "tag": "form",
        "name": "form",
        "elements": [*elements, button(sent, origin, name=name, form_action_type="submit")],
    }


def _field(asked: Field, names: Names) -> Iterator[Element]:
    yield markdown(f"**{escape(line(asked.label))}**")
    common = {"name": names.name(asked.name), "required": not asked.optional}
    hint = _plain("…", PLACEHOLDER)
    if asked.kind == "choice":
        chosen = [number for number, (_, value) in enumerate(asked.options, 1) if value == asked.initial]
        initial: Element = {"initial_index": chosen[0]} if chosen else {}
        options = _options(asked.name, asked.options)
        yield {"tag": "select_static", "placeholder": hint, "options": options, "width": "fill", **common, **initial}
        return
    if asked.kind == "person":
        people = [{"value": user} for _, user in asked.options[:OPTIONS] if user.startswith(OPEN_ID)]
        # without options Lark offers the members of the chat, which may be this person alone
        offered: Element = {"options": people} if people else {}
        yield {"tag": "select_person", "placeholder": hint, "width": "fill", **common, **offered}
        return
    lines: Mapping[str, Any] = {"input_type": "multiline_text", "rows": 4} if asked.kind == "multiline" else {}
    initial = {"default_value": asked.initial[:ENTERED]} if asked.initial else {}
    yield {"tag": "input", "placeholder": hint, "width": "fill", "max_length": ENTERED, **common, **lines, **initial}


def _options(action: str, options: Sequence[tuple[str, str]]) -> list[Element]:
    values = [value for _, value in options]
    if not 0 < len(options) <= OPTIONS or len(set(values)) < len(values) or not all(values):
        raise ValueError(f"menu {action!r}: 1 to {OPTIONS} options, each with a value of its own, are allowed")
    return [{"text": _plain(label, LABEL), "value": value} for label, value in options]


def _plain(text: str, most: int) -> Element:
    return {"tag": "plain_text", "content": excerpt(letters(text), most) or "–"}
