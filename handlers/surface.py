"""The port to a chat platform, and the events that come from one. A thread is one string: `slack:T1:C1:1766.24`."""

from dataclasses import dataclass
from typing import Protocol

from handlers.document import Document


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
    """Somebody wants what is being done in a thread to end now."""

    key: str
    thread: str
    user: str


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


class Surface(Protocol):
    """What handlers may do on a platform. Each call is safe to repeat after a failure; platform errors are raised
    as `SurfaceError`."""

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> str:
        """Post into a thread (or, with a channel, start one) and give back the thread of the posted message.
        A post takes the place of the thread's status. One whose `mark` is there already is not posted again."""
        ...

    async def status(self, thread: str, text: str) -> None:
        """Show what is being done in a thread; an empty text clears it."""
        ...


class SurfaceError(Exception):
    """A platform refused or could not be reached; the text says what to do and holds no secret."""
