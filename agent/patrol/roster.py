"""Who is to be judged and as of when: the active clusters, and the newest hour that the fleet has sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from agent.patrol import queries
from agent.patrol.courses import LONG
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.finding import Identity
from agent.patrol.freshness import STALE_AFTER, judged_hour
from agent.patrol.query import Row, moment, read, words
from agent.patrol.report import Tier
from agent.tools import Tools
from agent.untrusted import visible

_LOOK_BACK = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Newest:
    """The hour to judge by, how far back the data goes before it (three days are enough), and what it took to know."""

    at: datetime
    reach: timedelta
    statements: int = 1


async def newest_data(tools: Tools, now: datetime) -> Newest:
    """The newest hour in which a real part of the fleet sent. Raises WarehouseUnreadable when there is none."""
    limit = now + timedelta(hours=1)
    hours = await read(tools, queries.hours_sent(now - _LOOK_BACK, limit))
    if hours.failed:
        raise WarehouseUnreadable(f"measurements cannot be read: {hours.error}")
    at = judged_hour(hours.rows)
    if at is None:
        return await _long_ago(tools, limit)
    oldest = min(hour for row in hours.rows if (hour := moment(row["snapshot_hour"])))
    # Data that ended some hours ago reaches back farther than these three days show.
    return Newest(at, LONG if now - at > STALE_AFTER else at - oldest)


async def _long_ago(tools: Tools, limit: datetime) -> Newest:
    newest = await read(tools, queries.newest_hour(limit))
    at = moment(newest.rows[0]["newest"]) if newest.rows else None
    if at is None:
        raise WarehouseUnreadable(f"there are no measurements: {newest.error or 'the snapshots are empty'}")
    hours = await read(tools, queries.hours_sent(at - _LOOK_BACK, at))
    return Newest(judged_hour(hours.rows) or at, LONG, statements=3)


async def roster(tools: Tools) -> tuple[Identity, ...]:
    """Every active cluster, once. Raises WarehouseUnreadable when clusters cannot be read."""
    # An export may lack the side tables; the clusters themselves are needed.
    for roster in (queries.PLACED_ROSTER, queries.ROSTER, queries.BARE_ROSTER):
        result = await read(tools, roster)
        if not result.failed:
            break
    if result.failed:
        raise WarehouseUnreadable(f"clusters cannot be read: {result.error}")
    return tuple({words(row["cluster_id"]): _identity(row) for row in result.rows if row["cluster_id"]}.values())


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
    )
