"""Thinking as the handlers ask for it: an agent per thread, and patrols, both telling their steps in people's words."""

from collections.abc import Callable

from agent.answer import Answer
from agent.chat import BYOCAgent
from agent.journal import UNWRITTEN, Journal
from agent.patrol.report import PatrolReport, ReportType
from agent.patrol.run import Patrol
from agent.progress import OnProgress
from handlers.deps import OnStep
from handlers.progress import told


class Agents:
    """Implements `handlers.deps.Agents`: what a thread knows is in the store, so an agent lives for one turn."""

    def __init__(self, agent_of: Callable[[str, str], BYOCAgent]) -> None:
        self._agent_of = agent_of

    async def chat(
        self, thread: str, text: str, user: str, on_progress: OnProgress, journal: Journal = UNWRITTEN
    ) -> Answer:
        """The answer of the thread's agent, whose tools are called for this user."""
        return await self._agent_of(thread, user).chat(text, on_progress, journal)


class Patrols:
    """Implements `handlers.deps.Patrols`."""

    def __init__(self, patrol: Patrol, may_be_read: Callable[[str, str], bool]) -> None:
        self._patrol = patrol
        self._may_be_read = may_be_read

    def may_be_read(self, place: str, user: str) -> bool:
        """Whether a user in a channel or thread may see the whole fleet."""
        return self._may_be_read(place, user)

    async def run(
        self, report_type: ReportType, triggered_by: str, on_step: OnStep, journal: Journal = UNWRITTEN
    ) -> PatrolReport:
        """One patrol's report, already persisted."""
        _, report = await self._patrol.run_patrol(report_type, triggered_by, told(on_step), journal)
        return report
