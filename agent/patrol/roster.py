"""Who is to be judged and as of when: the active clusters, and the newest hour that the fleet has sent."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from agent.patrol import queries
from agent.patrol.courses import LONG
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.finding import Identity
from agent.patrol.freshness import STALE_AFTER, judged_hour
from agent.patrol.query import Row, Rows, figure, moment, read, words
from agent.patrol.report import Tier
from agent.tools import Tools
from agent.untrusted import visible

_AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Newest:
    """The hour to judge by, how far back the data goes before it (three days are enough), when each cluster sent last
    (`at` for those that are ahead of it), and the receipt of all that."""

    at: datetime
    reach: timedelta
    last: Mapping[str, datetime] = field(default_factory=dict)
    query_id: str = ""
    sql: str = ""
    statements: int = 1


@dataclass(frozen=True, slots=True)
class Roster:
    """Every active cluster, once; `total` counts those that are stopped or deleted as well, 0 when nobody knows."""

    clusters: tuple[Identity, ...]
    total: int = 0
    statements: int = 1

    @property
    def by_type(self) -> dict[str, int]:
        """How many clusters there are of each type, the most frequent first."""
        return dict(Counter(one.cluster_type or "unknown" for one in self.clusters).most_common())


async def newest_data(tools: Tools, now: datetime, days: int = 14) -> Newest:
    """The newest hour up to which a real part of the fleet sent, and who sent when within `days`. Raises
    WarehouseUnreadable when there is no data."""
    limit = now + _AHEAD
    sent = await read(tools, queries.last_data(now - timedelta(days=days), limit))
    if sent.failed:
        raise WarehouseUnreadable(f"measurements cannot be read: {sent.error}")
    if found := _newest(sent, now):
        return found
    # A warehouse that has been still for longer: the same, counted from its newest hour.
    sent = await read(tools, queries.last_data_ever(limit, days))
    if found := _newest(sent, now):
        return replace(found, statements=2)
    raise WarehouseUnreadable(f"there are no measurements: {sent.error or 'the snapshots are empty'}")


def _newest(sent: Rows, now: datetime) -> Newest | None:
    # an hour that was not asked for is no hour
    limit = now + _AHEAD
    hours = {words(row["cluster_id"]): moment(row["last_hour"]) for row in sent.rows}
    last = {cluster: hour for cluster, hour in hours.items() if hour is not None and hour <= limit}
    at = judged_hour(last.values())
    if at is None:
        return None
    oldest = min((hour for row in sent.rows if (hour := moment(row["first_hour"])) and hour <= at), default=at)
    # Data that ended some hours ago reaches back farther than this window shows.
    reach = LONG if now - at > STALE_AFTER else at - oldest
    return Newest(at, reach, {one: min(hour, at) for one, hour in last.items()}, sent.query_id, sent.sql)


async def roster(tools: Tools) -> Roster:
    """The active clusters. Raises WarehouseUnreadable when they cannot be read."""
    # An export may lack the side tables; the clusters themselves are needed.
    asked = 0
    for text in (queries.PLACED_ROSTER, queries.ROSTER, queries.BARE_ROSTER):
        result = await read(tools, text)
        asked += 1
        if not result.failed:
            break
    if result.failed:
        raise WarehouseUnreadable(f"clusters cannot be read: {result.error}")
    known = {words(row["cluster_id"]): _identity(row) for row in result.rows if row["cluster_id"]}
    total = next((figure(row.get("total")) for row in result.rows), None)
    return Roster(tuple(known.values()), int(total or 0), asked)


def _identity(row: Row) -> Identity:
    tier = words(row.get("tier")).strip().upper()
    return Identity(
        words(row["cluster_id"]),
        visible(words(row["cluster_name"])) or words(row["cluster_id"])[:8],
        words(row["account_id"]),
        visible(words(row.get("customer_name"))),
        cast(Tier, tier) if tier in {"S", "A"} else "B",
        words(row.get("cluster_type")),
        visible(words(row.get("sr_version"))),
        moment(row.get("created_at")),
        words(row.get("resource_state")),
        words(row.get("region")),
        words(row.get("provider")),
        words(row.get("machine")),
        tier in {"S", "A", "B"},
        int(figure(row.get("frontends")) or 0),
        int(figure(row.get("workers")) or 0),
        any(visible(name) != name for name in (words(row["cluster_name"]), words(row.get("customer_name")))),
    )
