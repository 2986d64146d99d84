"""What a replay with models will cost, the leave to spend it, and the replay moment by moment within a budget."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from agent.model import Usage
from agent.patrol.rehearsal import Rehearsed, Version, rehearse
from agent.progress import Spent
from agent.tools import Tools
from bot.errors import OperatorError
from bot.prices import Prices

CHARS_PER_TOKEN = 2.5
"""Figures and ids, of which evidence and results are made."""
EVIDENCE = 2_000
"""Tokens that the evidence takes at most."""
RESULTS = 4_000
"""Tokens that the results of one round add, and that each later round reads again."""
WRITTEN = 700
REPORT = 2_000
"""Tokens that a round, and the report, are written in."""
USUAL_ROUNDS = 6
"""Rounds that a report takes, where it may take so many."""

PastTools = Callable[[datetime], AbstractAsyncContextManager[Tools]]
"""The tools as of a moment (naive UTC)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a replay is expected to cost: `dollars` is None when the price of a `model` in it is unknown."""

    reports: int
    tokens: int
    dollars: float | None
    model: str = ""


async def estimated(versions: Sequence[Version], tools: Tools, moments: int, prices: Prices) -> Estimate:
    """The cost of as many moments by each version, no token of it read from a cache: rather too much than too little.
    Nothing is asked of a model for it."""
    specs = await tools.specs()
    offered = sum(len(one.name) + len(one.description) + len(json.dumps(dict(one.input_schema))) for one in specs)
    calls = [(one, _usage(one, offered)) for one in versions]
    spent = [Spent(version.model.name, usage) for version, usages in calls for usage in usages]
    unknown = next((one.model.name for one in versions if prices.price(one.model.name) is None), "")
    tokens = sum(one.usage.input_tokens + one.usage.output_tokens for one in spent) * moments
    dollars = None if unknown else prices.micro_dollars(spent) * moments / 1_000_000
    return Estimate(moments * len(versions), tokens, dollars, unknown)


def _usage(version: Version, offered: int) -> list[Usage]:
    """The calls of one report."""
    characters = len(version.prompt.text) + len(version.profile.rules) + offered
    base = round(characters / CHARS_PER_TOKEN) + EVIDENCE
    rounds = min(USUAL_ROUNDS, version.rounds)
    return [
        Usage(base + at * (RESULTS + WRITTEN), REPORT if at == rounds - 1 else WRITTEN) for at in range(rounds)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consent:
    """What the operator said: `given` beforehand, or up to `most` dollars; else `ask` is asked, None where nobody is
    there to answer."""

    given: bool
    most: float | None
    ask: Callable[[str], bool] | None

    def require(self, estimate: Estimate) -> None:
        """Raises OperatorError when the estimate may not be spent."""
        cost = f"about ${estimate.dollars:.2f}" if estimate.dollars is not None else "an unknown amount"
        plan = f"{estimate.reports} reports, about {estimate.tokens:,} tokens, {cost}"
        if self.most is not None:
            if estimate.dollars is None:
                raise OperatorError(
                    f"--max-usd: the price of {estimate.model} is unknown; name it in a file of STARWATCH_PRICES"
                )
            return
        if self.given or (self.ask is not None and self.ask(f"{plan}. Go on?")):
            return
        raise OperatorError(f"this takes {plan}; say --yes to spend it, or --max-usd N to spend at most N dollars")


@dataclass(slots=True)
class Rehearsal:
    """Both versions over some moments, side by side. With `most` dollars it ends before the moment that would probably
    go beyond them, so that what was replayed can be compared. `told` has what each version wrote."""

    versions: tuple[Version, Version]
    tools_as_of: PastTools
    dollars: Callable[[Iterable[Spent]], float | None]
    most: float | None = None
    told: tuple[list[Rehearsed], list[Rehearsed]] = field(default_factory=lambda: ([], []))

    async def run(
        self, times: Sequence[datetime], on_moment: Callable[[datetime], Awaitable[None]], each: float
    ) -> bool:
        """Whether all moments were replayed; `each` is what one is expected to cost before any was. Raises
        WarehouseUnreadable when a moment has no data."""
        async for at in self._affordable(times, each):
            await on_moment(at)
            async with self.tools_as_of(at) as tools:
                for version, told in zip(self.versions, self.told, strict=True):
                    told.append(await rehearse(version, tools, at))
        return len(self.told[0]) == len(times)

    async def _affordable(self, times: Sequence[datetime], each: float) -> AsyncIterator[datetime]:
        for at in times:
            spent = self.cost()
            done = len(self.told[0])
            # the dearest so far and not the mean: what is spent cannot be taken back
            next_one = max((self._moment(at) for at in range(done)), default=each)
            if self.most is not None and spent + next_one > self.most:
                return
            yield at

    def cost(self) -> float:
        """Dollars spent so far."""
        return self.dollars(spent for told in self.told for one in told for spent in one.spent) or 0.0

    def _moment(self, at: int) -> float:
        return self.dollars(spent for told in self.told for spent in told[at].spent) or 0.0
