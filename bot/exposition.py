"""The Prometheus text of one process: what it counts, what the door counts, and how things stand in our own database.

What stands in the database is read when somebody asks, so it is the same in every replica and kept in one place."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import Now
from bot.entrance import over_http
from bot.errors import SettingsError
from bot.meters import Meters
from bot.pace import HELD
from bot.settings import METRICS, Settings
from bot.store import Store, StoreFault
from bot.store.outbox import Outbox
from mcp_server.door import Door
from mcp_server.metrics import BOUNDS, Timing

log = structlog.get_logger()

PATH = "/metrics"
_DOOR = "Of the door to the warehouse"


@dataclass(frozen=True, slots=True)
class Exposition:
    """Where the figures are; `load` says how many turns run here and how many events wait in all."""

    meters: Meters
    door: Door
    load: Callable[[], Mapping[str, int]]
    store: Store
    outbox: Outbox
    now: Now

    async def text(self) -> bytes:
        """All of it. What cannot be read from the database is left out, and counted as such."""
        registry = CollectorRegistry()
        registry.register(_Once([*self._door(), *await self._standing()]))
        return generate_latest(self.meters.registry) + generate_latest(registry)

    def _door(self) -> Iterator[Metric]:
        seen = self.door.metrics.snapshot()
        for count, amount in seen.counts.items():
            yield CounterMetricFamily(f"starwatch_door_{count.value}", _DOOR, value=amount)
        yield _counter("door_calls", "Calls of tools", "verdict", seen.calls)
        yield _counter("door_statements", "Statements", "verdict", seen.statements)
        yield _counter("door_refusals", "Calls that broke a rule of ours", "rule", seen.refusals)
        for timer, timing in seen.timings.items():
            yield _histogram(f"door_{timer.value}_seconds", timing)
        yield _gauge("door_warehouse_lost", "Whether the warehouse is given up for now", float(self.door.lost))
        yield _counter("platform_waits", "Times that a chat platform asked to wait (429)", "method", HELD)

    async def _standing(self) -> list[Metric]:
        load = self.load()
        found: list[Metric] = [
            _gauge("turns_running", "Turns under way in this process", load.get("running", 0)),
            _gauge("events_waiting", "Events that wait for their turn, as of the last look", load.get("waiting", 0)),
        ]
        for name, read in (("outbox", self._outbox), ("reports", self._reports), ("spending", self._spending)):
            try:
                found += await read()
                unread = 0.0
            except StoreFault as fault:
                log.warning("a part of the metrics cannot be read", part=name, why=str(fault))
                unread = 1.0
            found.append(_gauge(f"unread_{name}", "Whether this part could not be read from our own database", unread))
        return found

    async def _outbox(self) -> Sequence[Metric]:
        waiting = await self.outbox.waiting()
        age = self._age(waiting.oldest) if waiting.oldest else 0.0
        return (
            _gauge("outbox_posts", "Posts that wait for their platform", waiting.count),
            _gauge("outbox_oldest_seconds", "How long the oldest of them waits", age),
        )

    async def _reports(self) -> Sequence[Metric]:
        newest = await self.store.findings.latest()
        # no report yet is no age: a rule on an absent series says so
        return (_gauge("report_age_seconds", "Age of the newest report", self._age(newest.at)),) if newest else ()

    async def _spending(self) -> Sequence[Metric]:
        used = (await self.store.usage.today("workspace")).values()
        return (
            _gauge(
                "day_dollars", "Spent on models today (UTC), all replicas", sum(u.micro_dollars for u in used) / 1e6
            ),
            _gauge("day_tokens", "Tokens used today (UTC), all replicas", sum(u.tokens for u in used)),
            _gauge("day_turns", "Turns begun today (UTC) by people, all replicas", sum(u.turns for u in used)),
        )

    def _age(self, moment: datetime) -> float:
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (self.now() - at).total_seconds())


class _Once(Collector):
    """What was collected already."""

    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Sequence[Metric]:
        return self._found


def _counter(name: str, about: str, label: str, amounts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"starwatch_{name}", about, labels=[label])
    for value, amount in amounts.items():
        family.add_metric([value], amount)
    return family


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"starwatch_{name}", about, value=value)


def _histogram(name: str, timing: Timing) -> Metric:
    family = HistogramMetricFamily(f"starwatch_{name}", _DOOR)
    bounds = [*map(str, BOUNDS), "+Inf"]
    sums = [sum(timing.buckets[: at + 1]) for at in range(len(timing.buckets))]
    family.add_metric([], buckets=list(zip(bounds, sums, strict=True)), sum_value=timing.total)
    return family


@asynccontextmanager
async def exposed(
    settings: Settings, text: Callable[[], Awaitable[bytes]], unasked: str = METRICS
) -> AsyncIterator[str]:
    """Serve the text where the settings say while the context is open; gives the address, empty when it is off. A port
    that is taken is only worth a warning where nobody named it (`unasked`), else SettingsError is raised."""
    if not settings.metrics:
        yield ""
        return
    host, _, port = settings.metrics.rpartition(":")
    listening = over_http(lambda shut: _app(text), host.strip("[]"), int(port), PATH, "STARWATCH_METRICS")
    async with AsyncExitStack() as stack:
        place = ""
        try:
            place = (await stack.enter_async_context(listening)).place
        except SettingsError as taken:
            if settings.metrics != unasked:
                raise
            log.warning("the metrics are not served; set STARWATCH_METRICS to a free port, or to off", why=str(taken))
        yield place


def _app(text: Callable[[], Awaitable[bytes]]) -> Starlette:
    async def metrics(request: Request) -> Response:
        return Response(await text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route(PATH, metrics)])
