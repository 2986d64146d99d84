"""Thinking as the handlers ask for it: an agent per thread, and patrols, on the model that the purse allows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from agent.answer import Answer
from agent.approval import Approvals
from agent.catalogue import Language
from agent.chat import BYOCAgent
from agent.journal import UNWRITTEN, Journal
from agent.model import Model
from agent.patrol.report import PatrolReport, ReportType
from agent.patrol.run import Patrol
from agent.progress import OnProgress, Progress, Spent
from bot.meters import Meters
from bot.prices import Prices
from handlers.deps import OnStep
from handlers.locale import ENGLISH
from handlers.progress import told
from handlers.purse import Purse, Thrift, with_thrift


@dataclass(frozen=True, slots=True)
class Models:
    """Who thinks, by how much has to be saved."""

    full: Model
    cheaper: Model
    rules: Model

    def of(self, thrift: Thrift) -> Model:
        """The model of a turn."""
        return {"": self.full, "cheaper": self.cheaper, "rules": self.rules}[thrift]


def metered(on_progress: OnProgress, purse: Purse) -> OnProgress:
    """Passes events on, and notes in the purse what is spent."""

    async def on_event(progress: Progress) -> None:
        if isinstance(progress, Spent):
            purse.spent.append(progress)
        await on_progress(progress)

    return on_event


class Agents:
    """Implements `handlers.deps.Agents`: what a thread knows is in the store, so an agent lives for one turn."""

    def __init__(
        self, agent_of: Callable[[str, str, Thrift], BYOCAgent], prices: Prices, meters: Meters | None = None
    ) -> None:
        self._agent_of = agent_of
        self._prices = prices
        self._meters = meters or Meters()

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
        """The answer of the thread's agent, whose tools are called for this user, and what it cost."""
        purse = purse or Purse()
        agent = self._agent_of(thread, user, purse.thrift)
        answer = await agent.chat(text, metered(on_progress, purse), journal, overheard, approvals)
        self._meters.stated("answer", answer.receipts.stated, len(answer.receipts.unbound))
        return replace(answer, dollars=self._prices.dollars(purse.spent))

    async def forget(self, thread: str, user: str) -> None:
        """Empty the thread's history."""
        await self._agent_of(thread, user, "").reset_conversation()


class Patrols:
    """Implements `handlers.deps.Patrols`."""

    def __init__(
        self,
        patrol_of: Callable[[Thrift], Patrol],
        may_be_read: Callable[[str, str], bool],
        meters: Meters | None = None,
    ) -> None:
        self._patrol_of = patrol_of
        self._may_be_read = may_be_read
        self._meters = meters or Meters()

    def may_be_read(self, place: str, user: str) -> bool:
        """Whether a user in a channel or thread may see the whole fleet."""
        return self._may_be_read(place, user)

    async def run(
        self,
        report_type: ReportType,
        triggered_by: str,
        on_step: OnStep,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
        language: Language = "en",
    ) -> PatrolReport:
        """One patrol's report, already persisted."""
        purse = purse or Purse()
        patrol = self._patrol_of(purse.thrift)
        _, report = await patrol.run_patrol(report_type, triggered_by, metered(told(on_step), purse), journal, language)
        self._meters.patrolled(report)
        # read by several channels at once, each of which shows it in its own language
        return replace(report, notice=with_thrift(report.notice, purse, ENGLISH))

    async def running(self) -> Collection[ReportType]:
        """None that others could not see for themselves: the flights of this process know its own."""
        return ()
