"""What is remembered from report to report, as handlers need it: findings and decisions, who people are, timetables."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.patrol.report import PatrolReport
from handlers.findings import Changes, Decision, Deed, Page, Tracked
from handlers.timetable import Timetable

Names = Callable[[str, str], Awaitable[str]]
"""What a user is called by people, in a thread or channel; raises nothing, the id where no name can be found out."""


class Findings(Protocol):
    """Findings over time. Keys are those of `handlers.findings.key_of`."""

    async def record(self, report: PatrolReport) -> Changes:
        """Compare a report with the last one and keep both. The same report again gives the same comparison."""
        ...

    async def changes(self, report_id: str) -> Changes | None:
        """How a report compared with the one before it; None for an unknown one."""
        ...

    async def latest(self) -> Changes | None:
        """The comparison of the newest report."""
        ...

    async def now(self, keys: Collection[str]) -> Mapping[str, Tracked]:
        """Those findings as they stand; unknown ones are left out."""
        ...

    async def open(self) -> Sequence[Tracked]:
        """All findings that last."""
        ...

    async def decide(self, keys: Collection[str], decision: Decision, user: str, name: str) -> Sequence[Tracked]:
        """Put a decision on those of the findings that last; gives them back."""
        ...

    async def assign(
        self, keys: Collection[str], assignee: str, assignee_name: str, user: str, name: str
    ) -> Sequence[Tracked]:
        """Give those of the findings that last to somebody, or to nobody; gives them back."""
        ...

    async def deeds(self, since: datetime) -> Sequence[Deed]:
        """What happened from a moment on, oldest first."""
        ...

    async def people(self) -> Sequence[tuple[str, str]]:
        """Ids and names of those who decided something lately, the latest first."""
        ...

    async def remember(self, pages: Iterable[Page]) -> None:
        """Keep which messages show a report."""
        ...

    async def pages(self, report_id: str) -> Sequence[Page]:
        """The messages that show a report, wherever it was posted."""
        ...


class Timetables(Protocol):
    """When which channel gets its reports; a change is in force in every replica."""

    async def of(self, place: str) -> Timetable:
        """The timetable of a channel: its own, or that of the settings; one without slots where there is neither."""
        ...

    async def all(self) -> Sequence[Timetable]:
        """The timetables of all channels that have one."""
        ...

    async def put(self, timetable: Timetable) -> None:
        """Make it the timetable of its channel."""
        ...


async def unnamed(place: str, user: str) -> str:
    """The `Desk.names` of a process that knows nobody's name."""
    return user


@dataclass(frozen=True, slots=True)
class Desk:
    """All of it; `now` gives aware times."""

    findings: Findings
    timetables: Timetables
    now: Callable[[], datetime]
    names: Names = unnamed
