"""The sentinel at work: a look at the whole fleet every quarter of an hour, a card when something turned bad."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.evidence import Evidence
from agent.patrol.profiles import profile_of
from agent.patrol.rules import load_rules
from agent.patrol.run import ReportWriter
from agent.patrol.sentinel import Sighting, look
from bot.clock import Now, utc_now
from bot.compose import Starwatch
from bot.errors import WarehouseError
from bot.gate import BY_CLOCK
from bot.meters import Meters
from bot.patrols import Rota
from bot.settings import Settings
from bot.store.sentinel import Memory, SentinelMemory
from bot.writer import NoWriter, WarehouseWriter
from handlers.deps import Deps
from handlers.findings import key_of
from handlers.reporting import Kept, latest
from handlers.sentinel import NO_REPORT, Card, card
from handlers.surface import Event, Investigate, Mark, SurfaceError

log = structlog.get_logger()

Look = Callable[[datetime], Awaitable[Evidence]]
"""The evidence as of a moment (naive UTC). Raises WarehouseUnreadable."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """`admit` takes an investigation in, of which there are `budget` in a day at most, all channels together."""

    look: Look
    memory: SentinelMemory
    rota: Rota
    deps: Deps
    admit: Callable[[Event], Awaitable[bool]]
    now: Now
    budget: int = 0
    writer: ReportWriter = NoWriter()  # noqa: RUF009 - it has no state
    meters: Meters = field(default_factory=Meters)

    async def __call__(self, moment: datetime) -> None:
        """Look, tell what is new in every channel that gets reports, remember. The same `moment` again tells nothing
        twice."""
        try:
            evidence = await self.look(self.now().astimezone(UTC).replace(tzinfo=None))
        except WarehouseUnreadable as blind:
            # what is not seen is not remembered either, so nothing passes for a recovery
            log.warning("the sentinel saw nothing", why=str(blind))
            self.meters.looks.labels("blind").inc()
            return
        self.meters.looks.labels("seen").inc()
        await self._keep_scores(evidence)
        known = await self.memory.load()
        sightings, clusters = look(evidence, known.clusters)
        memory = _of_today(replace(known, clusters=dict(clusters)), moment)
        news = await self._undecided(sightings)
        if news:
            log.info("the sentinel saw", clusters=[(one.cluster.identity.cluster_id, one.trigger) for one in news])
            memory = await self._tell(news, memory, moment)
        await self.memory.keep(memory)

    async def _keep_scores(self, evidence: Evidence) -> None:
        try:
            await self.writer.write_scores(evidence)
        except WarehouseError as error:
            # the scores of the next look stand in for these
            log.warning("the scores could not be stored", why=str(error))

    async def _undecided(self, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Without the clusters all of whose findings people have acknowledged, snoozed or know."""
        desk = self.deps.desk
        if desk is None:
            return list(sightings)
        found: list[Sighting] = []
        for one in sightings:
            keys = [key_of(one.cluster.identity.cluster_id, finding.dimension) for finding in one.cluster.findings]
            tracked = await desk.findings.now(keys)
            if not keys or not all(key in tracked and tracked[key].handling.quiet(self.now()) for key in keys):
                found.append(one)
        return found

    async def _tell(self, news: Sequence[Sighting], memory: Memory, moment: datetime) -> Memory:
        """Post a card in each channel, and investigate in the first of them what the day's budget allows."""
        for one in news:
            self.meters.sightings.labels(one.trigger).inc()
        kept = await latest(self.deps, self.deps.desk) if self.deps.desk else None
        reports = _reports(kept)
        chosen = list(news[: max(self.budget - memory.opened, 0)])
        key = f"{BY_CLOCK}:sentinel:{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"
        for place in await self._places():
            thread = await self._post(place, Card(news, "", reports, len(news) - len(chosen), self.budget), moment, key)
            for one in chosen if thread else ():
                identity = one.cluster.identity.cluster_id
                report = reports.get(identity, NO_REPORT)
                await self.admit(Investigate(f"{key}:{identity}", thread, BY_CLOCK, identity, report))
                memory = replace(memory, opened=memory.opened + 1)
            if thread:
                chosen = []
        return memory

    async def _post(self, place: str, told: Card, moment: datetime, key: str) -> str:
        """The thread of the card; empty when the platform did not take it."""
        locale = await self.deps.locale(place, BY_CLOCK)
        document = card(replace(told, when=locale.time(moment)), locale)
        try:
            return (await self.deps.surface.post(place, document, Mark(key, "card", repeated=True))).thread
        except SurfaceError as error:
            log.error("the sentinel could not tell a channel", place=place, why=str(error))
            return ""

    async def _places(self) -> list[str]:
        """The channels that get reports, may see the whole fleet, and are not muted."""
        return [
            one.place
            for one in await self.rota.all()
            if not one.is_muted(self.now()) and self.deps.patrols.may_be_read(one.place, BY_CLOCK)
        ]


def _reports(kept: Kept | None) -> Mapping[str, str]:
    """The newest report by the clusters that it flags."""
    return {one.cluster_id: kept.report.report_id for one in kept.report.flagged_clusters} if kept else {}


def _of_today(memory: Memory, moment: datetime) -> Memory:
    day = f"{moment.astimezone(UTC):%Y-%m-%d}"
    return memory if memory.day == day else replace(memory, day=day, opened=0)


def sentinel_of(
    settings: Settings, starwatch: Starwatch, deps: Deps, rota: Rota, admit: Callable[[Event], Awaitable[bool]]
) -> Sentinel:
    """The sentinel of this process, judging by the same profile as the patrols."""
    profile = profile_of(settings.rules, load_rules())

    async def looked(now: datetime) -> Evidence:
        return await profile.look(starwatch.tools, now, ())

    memory = SentinelMemory(starwatch.store.database, utc_now)
    writer = WarehouseWriter(starwatch.place) if starwatch.place.writer else NoWriter()
    return Sentinel(
        looked, memory, rota, deps, admit, utc_now, settings.sentinel_investigations, writer, starwatch.meters
    )
