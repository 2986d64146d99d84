"""Investigations as the handlers ask for them: an investigator per thread, on the model that the purse allows."""

from collections.abc import Callable
from dataclasses import replace

from agent.investigation.result import Investigation
from agent.investigation.run import Case, Investigator
from agent.journal import UNWRITTEN, Journal
from agent.progress import OnProgress, Progress, TextDiscarded, TextPiece
from bot.gate import BY_CLOCK
from bot.meters import Meters
from bot.prices import Prices
from bot.thinking import metered
from handlers.purse import Purse, Thrift


class Investigations:
    """Implements `handlers.deps.Investigations`."""

    def __init__(
        self, investigator_of: Callable[[str, str, Thrift], Investigator], prices: Prices, meters: Meters
    ) -> None:
        self._investigator_of = investigator_of
        self._prices = prices
        self._meters = meters

    async def investigate(
        self,
        case: Case,
        thread: str,
        user: str,
        on_progress: OnProgress,
        journal: Journal = UNWRITTEN,
        purse: Purse | None = None,
    ) -> Investigation:
        """What the thread's investigator found, with the tools of this user, and what it cost."""
        purse = purse or Purse()
        # the clock's own mark would leave too little of the column to what tells its tasks apart
        case = replace(case, task=case.task.removeprefix(f"{BY_CLOCK}:") if user == BY_CLOCK else "")
        investigator = self._investigator_of(thread, user, purse.thrift)
        done = await investigator.investigate(case, _wordless(metered(on_progress, purse)), journal)
        receipts = done.answer.receipts
        self._meters.stated("investigation", receipts.stated, len(receipts.unbound))
        return replace(done, answer=replace(done.answer, dollars=self._prices.dollars(purse.spent)))


def _wordless(on_progress: OnProgress) -> OnProgress:
    """Without the pieces of text: they are the JSON of the conclusion, which nobody wants to watch being written."""

    async def on_event(progress: Progress) -> None:
        if not isinstance(progress, TextPiece | TextDiscarded):
            await on_progress(progress)

    return on_event
