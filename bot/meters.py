"""What this process counts of its own work, as Prometheus instruments. The door's figures are in `mcp_server.metrics`.

Labels are words of our own, in sets that do not grow: never a name, an id or a text of anybody."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from agent.model import Analyst, Model, OnText, Reply, Request, Usage
from agent.patrol.report import PatrolReport
from agent.progress import Spent
from bot.prices import Prices

# the library would add a time to each series, for a format that we do not speak
disable_created_metrics()  # type: ignore[no-untyped-call]

_TURNS = (0.5, 2.5, 5, 10, 20, 40, 80, 160, 320, 900)
"""Upper bounds of seconds that a turn or a patrol takes."""
_CALLS = (0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""The same of a model call."""

TurnEnd = Literal["done", "failed", "cut", "stopped", "given_up"]
"""`failed` ended with an apology; one that is `cut` was stopped, is parked, or goes on in another process."""
SlotEnd = Literal["begun", "muted", "missed", "overdue"]
PostEnd = Literal["posted", "kept", "delivered", "refused", "dropped"]
"""`kept` waits in the outbox, `delivered` came out of it."""


class Meters:
    """One process's. Each has a registry of its own, which is what an exposition reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = self._counter("turns", "Turns by what they were about and how they ended here", "about", "end")
        self.turn_seconds = self._seconds("turn", "How long a turn was at work in this process", _TURNS, "about")
        self.model_calls = self._counter("model_calls", "Model calls by outcome", "model", "outcome")
        self.model_seconds = self._seconds("model", "How long a model call took", _CALLS, "model")
        self.model_tokens = self._counter("model_tokens", "Tokens, broken calls included", "model", "kind")
        self.model_dollars = self._counter("model_dollars", "Cost of the tokens whose price is known", "model")
        self.patrols = self._counter("patrols", "Patrols that this process did", "type", "analyst")
        self.patrol_seconds = self._seconds("patrol", "How long a patrol took", _TURNS, "type")
        self.figures = self._counter("figures", "Figures that models stated, and results hold or not", "where", "bound")
        self.slots = self._counter("slots", "Slots of the clock for reports; overdue ones raised the alarm", "end")
        self.looks = self._counter("sentinel_looks", "Looks of the sentinel", "outcome")
        self.sightings = self._counter("sentinel_sightings", "What the sentinel told of", "trigger")
        self.posts = self._counter("posts", "Posts to chat platforms by what became of them", "end")
        # an alarm on the first of its kind needs the 0 before it
        for family, ends in ((self.slots, SlotEnd), (self.posts, PostEnd)):
            for end in get_args(ends):
                family.labels(end)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"starwatch_{name}", about, labels, registry=self.registry)

    def _seconds(self, name: str, about: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"starwatch_{name}_seconds", about, labels, buckets=bounds, registry=self.registry)

    def patrolled(self, report: PatrolReport) -> None:
        """A patrol ended with a report."""
        self.patrols.labels(report.report_type, report.analyst).inc()
        self.patrol_seconds.labels(report.report_type).observe(report.usage.seconds)
        self.stated("report", report.figures, report.unbound)

    def stated(self, where: Literal["answer", "investigation", "report"], figures: int, unbound: int) -> None:
        """A model's text stated figures, some of them in no result."""
        self.figures.labels(where, "yes").inc(figures - unbound)
        self.figures.labels(where, "no").inc(unbound)

    @contextmanager
    def turn(self, about: str) -> Iterator[Callable[[TurnEnd], None]]:
        """Times an attempt at a turn; gives what tells how it ended, which is `cut` unless it is told."""
        began, told = time.perf_counter(), list[TurnEnd]()
        try:
            yield told.append
        finally:
            self.turns.labels(about, told[-1] if told else "cut").inc()
            self.turn_seconds.labels(about).observe(time.perf_counter() - began)

    def spent(self, one: Spent, prices: Prices) -> None:
        """A model took tokens."""
        for kind in ("input", "output", "cache_read", "cache_write"):
            self.model_tokens.labels(one.model, kind).inc(getattr(one.usage, f"{kind}_tokens"))
        self.model_dollars.labels(one.model).inc(prices.micro_dollars([one]) / 1_000_000)


class Metered:
    """A `Model` whose calls are counted under the name that the settings give it."""

    def __init__(self, model: Model, meters: Meters, prices: Prices) -> None:
        self._model = model
        self._meters = meters
        self._prices = prices

    @property
    def name(self) -> str:
        """See `Model`."""
        return self._model.name

    @property
    def analyst(self) -> Analyst:
        """See `Model`."""
        return self._model.analyst

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """See `Model`. A failed call counts under the class of its error."""
        began, outcome = time.perf_counter(), "ok"

        def wasted(model: str, usage: Usage) -> None:
            self._spent(usage)
            if request.on_wasted is not None:
                request.on_wasted(model, usage)

        try:
            reply = await self._model.reply(replace(request, on_wasted=wasted), on_text)
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            self._meters.model_calls.labels(self.name, outcome).inc()
            self._meters.model_seconds.labels(self.name).observe(time.perf_counter() - began)
        self._spent(reply.usage)
        return reply

    def _spent(self, usage: Usage) -> None:
        self._meters.spent(Spent(self.name, usage), self._prices)
