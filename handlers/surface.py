"""The port to a chat platform, and the events that come from one. A thread is one string: `slack:T1:C1:1766.24`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from handlers.document import Document, Form


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody said something to us in a thread. `key` is unique per message and the same on redelivery; `order` sorts
    the messages of a thread by when they were sent, empty where the platform does not say."""

    key: str
    thread: str
    user: str
    text: str
    order: str = ""
    direct: bool = False
    """Said in a conversation with us alone."""


@dataclass(frozen=True, slots=True)
class PatrolRequest:
    """Somebody (or the clock) wants a patrol posted to a channel, named as the surface names it.
    `words` is what was typed behind the command."""

    key: str
    channel: str
    user: str
    words: str


@dataclass(frozen=True, slots=True)
class Investigate:
    """Somebody pressed Investigate on a flagged cluster; the answer belongs in `thread`, under the report."""

    key: str
    thread: str
    user: str
    cluster_id: str
    report_id: str
    order: str = ""


Event = Question | PatrolRequest | Investigate


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody wants what is being done in a thread to end now. `direct`: said in a conversation with us alone."""

    key: str
    thread: str
    user: str
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed a message of theirs; `key` is the key of the Question that it was."""

    key: str
    thread: str
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """Somebody took a message of theirs back; `key` is the key of the Question that it was."""

    key: str
    thread: str
    user: str


Control = Stop | Edited | Deleted
"""What acts at once on turns that wait or run, and starts none."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Names a post: the turn that makes it and which of the turn's posts it is. `repeated` = the turn was begun
    before, so the post may be there already."""

    turn: str
    part: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button, chose from a menu, sent a dialog of ours or opened our home. Acted on at once, beside
    the queue; `handlers.presses.PRESSES` says by what.

    `key` is the same on redelivery. `message` refers to the message that carries the button, and is empty in a home
    view. `trigger` lets the surface open a dialog for about three seconds. `entered` is what was typed or chosen, by
    the name of the field. `order` sorts it among the messages of its thread.
    """

    key: str
    action: str
    value: str
    user: str
    thread: str
    message: str
    trigger: str = ""
    entered: Mapping[str, str] = field(default_factory=dict)
    order: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A document that was posted: its thread, and a reference to each message that it became, first to last, of the
    same form as a thread."""

    thread: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a thread, of other people or ours. `text` is what is read, without markup; untrusted."""

    user: str
    text: str
    order: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the plan that is shown while tools run; `id` is the same while its state changes."""

    id: str
    text: str
    state: Literal["running", "done", "failed"]


class Writing(Protocol):
    """An answer that grows in front of the reader. `steps` and `text` are courtesies: they return at once and raise
    nothing; only `finish` counts."""

    async def steps(self, steps: Sequence[Step]) -> None:
        """Show the plan as it stands, oldest step first."""
        ...

    async def text(self, piece: str) -> None:
        """The next piece of the answer, untrusted Markdown; an empty one takes back what was streamed so far."""
        ...

    async def finish(self, document: Document) -> Posted:
        """The whole answer, in place of what was streamed; nothing is lost, however long. Raises SurfaceError."""
        ...


class Surface(Protocol):
    """What handlers may do on a platform. Each call is safe to repeat after a failure; platform errors are raised
    as `SurfaceError`."""

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """Post into a thread (or, with a channel, start one). A post takes the place of the thread's status. One whose
        `mark` is there already is not posted again."""
        ...

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """Redraw one posted message in place. Of several on their way to one message the latest wins. A document that
        does not fit one message is refused."""
        ...

    async def status(self, thread: str, text: str) -> None:
        """Show what is being done in a thread; an empty text clears it."""
        ...

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        """An answer to `user` in a thread. Left by a fault, what was streamed is taken back; cut off, it ends where it
        stands, and a repeated turn finishes it."""
        ...

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """What was said in a thread behind the message with the order `after`, oldest first; the latest 200."""
        ...

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """Show something in a thread or channel that only this person sees."""
        ...

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """Answer a press with a dialog (a card where there are none). Without a form there is nothing to send."""
        ...

    async def suggest(self, place: str, prompts: Sequence[tuple[str, str]]) -> None:
        """Offer first questions, (title, question) each, in a conversation with us alone. Four at most."""
        ...

    async def home(self, user: str, document: Document) -> None:
        """What this person sees when they open our page."""
        ...


class SurfaceError(Exception):
    """A platform refused or could not be reached; the text says what to do and holds no secret."""
