"""The terminal as a surface: documents drawn with rich, and one line that says what is being done."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.status import Status
from rich.table import Table as RichTable
from rich.text import Text

from agent.untrusted import visible
from bot.charts.sparks import WIDTH as COURSE
from bot.charts.sparks import sparks
from handlers.document import Actions, Chart, Divider, Document, Fields, File, Form, Heading, Note, Part, Prose, Table
from handlers.surface import Mark, Posted, Press, Said, SurfaceError, Writing
from handlers.writing import whole

WIDTH = 110
"""Columns used when the output is not a terminal."""
BESIDE = 54
"""Columns that the name and the figures beside a course take."""
SHORTEST = 12


def _fields(part: Fields) -> RenderableType:
    grid = RichTable.grid(padding=(0, 2))
    for label, value in part.items:
        grid.add_row(Text(visible(label), style="dim"), Text(visible(value), style="bold"))
    return Padding(grid, (0, 0, 0, 2))


def _table(part: Table) -> RenderableType:
    table = RichTable(*(visible(c) for c in part.columns), box=SIMPLE_HEAD, title=visible(part.caption) or None)
    for row in part.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A chart as wide as there is room beside its names and figures: a course that is wrapped is none."""

    chart: Chart

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(sparks(self.chart, min(COURSE, max(options.max_width - BESIDE, SHORTEST)))))


def _draw(part: Part) -> RenderableType | None:
    match part:
        case Heading():
            return Text(visible(part.text), style="bold cyan")
        case Prose():
            # hyperlinks off: a terminal would show a link's text and hide where it leads
            return Markdown(visible(part.markdown), hyperlinks=False)
        case Fields():
            return _fields(part)
        case Table():
            return _table(part)
        case Chart():
            return _Drawn(part)
        case File():
            return Text(visible(f"{part.title}: {part.name}, {len(part.content):,} bytes"), style="dim")
        case Note():
            return Text(visible(part.text), style="dim")
        case Divider():
            return Rule(style="dim")
        case Actions():
            return None


def drawing(parts: Sequence[Part]) -> Group:
    """The parts as one rich renderable; buttons are left out, a terminal has none."""
    return Group(*(drawn for part in parts if (drawn := _draw(part)) is not None))


class Terminal:
    """A `handlers.surface.Surface` on a console; `thread` names are taken as they come and shown nowhere."""

    def __init__(self, console: Console, progress: Console) -> None:
        self._console = console
        self._progress = progress
        self._status: Status | None = None

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """Print the document; a terminal forgets, so marks mean nothing to it."""
        self._clear()
        self._console.print(drawing(document.parts))
        return Posted(place, (place,))

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """Print it again: what was printed stays."""
        await self.post(message, document, mark)

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        """Steps as the line that says what is being done, the answer when it is whole."""
        return whole(self, thread, mark)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """Nothing: there is nobody else."""
        return ()

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """Print it: the terminal is this person's alone."""
        await self.post(place, document)

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """Print it under its title. Raises SurfaceError for a form: there is nothing to fill in."""
        if form is not None:
            raise SurfaceError("a terminal has no dialogs")
        await self.post(press.thread, Document(title, (Heading(title), *document.parts)))

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        """Nothing: whoever sits at a terminal types."""

    async def home(self, user: str, document: Document) -> None:
        """Print it."""
        await self.post("", document)

    async def status(self, thread: str, text: str) -> None:
        """Show what is being done: a spinner on a terminal, a line each elsewhere."""
        self.show(text)

    def show(self, text: str) -> None:
        """The same for callers that have no thread."""
        if not text:
            self._clear()
        # In a log or a pipe a spinner would be a thousand lines of escapes.
        elif not self._progress.is_terminal:
            self._progress.print(Text(f"· {visible(text)}", style="dim"))
        elif self._status is None:
            self._status = self._progress.status(Text(visible(text)))
            self._status.start()
        else:
            self._status.update(Text(visible(text)))

    def _clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def console(stream_is_error: bool = False) -> Console:
    """A console on stdout (or stderr) that is as wide as the terminal, or WIDTH when there is none."""
    probe = Console(stderr=stream_is_error)
    return probe if probe.is_terminal else Console(stderr=stream_is_error, width=WIDTH)


Progress = Callable[[str], None]
