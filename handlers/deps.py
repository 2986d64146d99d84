"""What handlers need of the rest of the process, as protocols: thinking, patrols, what was posted, and the surface."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.answer import Answer
from agent.approval import Approvals
from agent.catalogue import Language
from agent.investigation.result import Investigation
from agent.investigation.run import Case
from agent.journal import UNWRITTEN, Journal
from agent.messages import Message
from agent.patrol.report import PatrolReport, ReportType
from agent.progress import OnProgress
from handlers.desk import Desk
from handlers.flight import Flights
from handlers.kept import KeptAnswer, Rows, Statement, Verdict
from handlers.locale import Locale, english
from handlers.permits import Permits
from handlers.preferences import Passing, Preferences
from handlers.purse import Purse
from handlers.surface import Event, Surface
from handlers.turn import Turn

Locales = Callable[[str, str], Awaitable[Locale]]
"""The locale of a user in a thread or channel; raises nothing, what cannot be found out is English and UTC."""

Submit = Callable[[Event], Awaitable[object]]
"""Puts an event into the queue; the same key twice is one event."""

Asked = Callable[[str], Awaitable[Event | None]]
"""The event that was taken in under a key, while it is remembered."""

OnStep = Callable[[str], Awaitable[None]]
"""Receives what is being done right now, in people's words; see `handlers.progress`."""


class Agents(Protocol):
    """One agent per thread, each with the history of its thread."""

    async def chat(
        self,
        thread: str,
        text: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        overheard: str = "",
        approvals: Approvals | None = None,
    ) -> Answer:
        """The answer to what `user` said, given what was said in `thread` before. It rests on what this user may see in
        this channel alone. A failed turn is an Answer that says so. `overheard` is JSON of what others said there.
        The `purse` says how thrifty to be, and is told what was spent. `approvals` are asked before anything is
        changed; without them nothing is."""
        ...

    async def forget(self, thread: str, user: str) -> None:
        """Forget what was said in a thread."""
        ...


class Investigations(Protocol):
    """Looks into one cluster, in a thread that knows afterwards what was found."""

    async def investigate(
        self,
        case: Case,
        thread: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
    ) -> Investigation:
        """What is found with what this user may see in this channel. Where nothing can be, its answer is failed."""
        ...


class Nobody:
    """The `Deps.investigations` of a process that has nobody to investigate."""

    async def investigate(
        self,
        case: Case,
        thread: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
    ) -> Investigation:
        """Raises RuntimeError."""
        raise RuntimeError("there is nobody to investigate")


class Patrols(Protocol):
    """Whole-fleet checks."""

    def may_be_read(self, place: str, user: str) -> bool:
        """Whether a user in a channel or thread may see the whole fleet."""
        ...

    async def run(
        self,
        report_type: ReportType,
        triggered_by: str,
        on_step: OnStep,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        language: Language = "en",
    ) -> PatrolReport:
        """One patrol's report, which a model writes in `language`. Raises `agent.patrol.errors.WarehouseUnreadable`
        when there is no evidence to be had."""
        ...

    async def running(self) -> Collection[ReportType]:
        """The patrols that are under way, in whatever process."""
        ...


class Reports(Protocol):
    """Reports that were posted, and the threads that hang under them."""

    async def tie(self, thread: str, report: PatrolReport, opening: Sequence[Message]) -> None:
        """Remember that `thread` is about `report`; `opening` becomes the start of the thread's history, so that
        replies are answered with the report in mind. Doing so twice changes nothing."""
        ...

    async def find(self, report_id: str) -> Mapping[str, Any] | None:
        """A report in the form of `PatrolReport.to_json`, or None when it is not known."""
        ...


class Answers(Protocol):
    """Answers that were given, and what people thought of them."""

    async def keep(self, answer: KeptAnswer) -> bool:
        """Whether the answer is kept from now on; without it there is nothing for its buttons to find. Twice is as
        once."""
        ...

    async def find(self, answer_id: str) -> KeptAnswer | None:
        """The answer, or None when it is not kept any more."""
        ...

    async def judge(self, answer_id: str, user: str, verdict: Verdict, reason: str) -> bool:
        """Note what a person thinks of an answer, in place of what they thought before; a reason stays until another
        one is given. False when the answer is not kept any more."""
        ...


class Results(Protocol):
    """The rows behind an answer, for a person who reads it."""

    def may_read(self, thread: str, user: str, asker: str) -> bool:
        """Whether `user` may see in this thread all that `asker` may see there."""
        ...

    async def rows(self, thread: str, user: str, statement: Statement) -> Rows:
        """All rows of a statement, read for this user. Raises ResultGone and ResultUnread."""
        ...


async def nothing_asked(key: str) -> Event | None:
    """The `Deps.asked` of a process that keeps no events."""
    return None


async def never(event: Event) -> bool:
    """The `Deps.withdrawn` of a process in which nothing is taken back."""
    return False


async def no_queue(event: Event) -> object:
    """The `Deps.submit` of a process without a queue."""
    raise RuntimeError(f"there is no queue to put {type(event).__name__} into")


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything a handler may touch. `new_reference` makes the short ids that an apology and its log line share;
    `flights` is one per process, so that a patrol asked for twice runs once; `turn` is the one under way; `submit` is
    for what a press asks for and takes longer than a moment. Without `answers` and `results` an answer has no
    buttons."""

    surface: Surface
    agents: Agents
    patrols: Patrols
    reports: Reports
    flights: Flights
    new_reference: Callable[[], str]
    turn: Turn = field(default_factory=Turn)
    locale: Locales = english
    answers: Answers | None = None
    results: Results | None = None
    submit: Submit = no_queue
    asked: Asked = nothing_asked
    withdrawn: Callable[[Event], Awaitable[bool]] = never
    """Whether what the turn was begun for was deleted by its author. Raises nothing."""
    preferences: Preferences = field(default_factory=Passing)
    investigations: Investigations = field(default_factory=Nobody)
    permits: Permits | None = None
    """Who may approve what changes something, and what they decided; without it nothing is changed."""
    desk: Desk | None = None
    """What is remembered of findings; without it a report is compared with nothing and nothing can be decided."""
