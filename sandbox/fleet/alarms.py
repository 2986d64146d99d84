"""Alert rows as three ingestion paths leave them: repeats, doubled ids, joined states, footers without a state."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sandbox.fleet.advice import book
from sandbox.fleet.chance import stream
from sandbox.fleet.decoys import INJECTION
from sandbox.fleet.episodes import Episode
from sandbox.fleet.inventory import Cluster

PACIFIC = ZoneInfo("America/Los_Angeles")
REPEAT = timedelta(minutes=15)
# Seen in real rows: the buttons below a card are sometimes read as an alert without name or state.
_FOOTER_SHARE = 0.037
_JOINED_SHARE = 0.04

Row = dict[str, Any]


def pacific(moment: datetime) -> datetime:
    """Return the US/Pacific wall clock of a UTC moment; both without zone."""
    return moment.replace(tzinfo=UTC).astimezone(PACIFIC).replace(tzinfo=None)


class _Dice:
    """Chance per alert row. Rows since the last full hour draw from a stream of their own, so that however many of
    them there are by now, the rows before stay the same."""

    def __init__(self, seed: int, now: datetime) -> None:
        self._hour = now.replace(minute=0, second=0, microsecond=0)
        self._settled, self._fresh = stream(seed, "alarms"), stream(seed, "alarms since the hour")

    def at(self, moment: datetime) -> np.random.Generator:
        return self._settled if moment <= self._hour else self._fresh


def rows(episodes: Sequence[Episode], clusters: list[Cluster], seed: int, now: datetime) -> list[Row]:
    """Return the rows of alerts.lark_alerts up to `now`, to the minute, oldest first."""
    dice = _Dice(seed, now)
    written = [row for episode in episodes for row in _rows_of(dice, episode, clusters[episode.row], now)]
    footers = []
    for row in written:
        rng = dice.at(row["created_at_utc"])
        if rng.random() < _FOOTER_SHARE:
            footers.append(_footer(rng, row))
    return sorted([*written, *footers], key=lambda row: (row["created_at_utc"], row["message_id"]))


def recommendations(alerts: Sequence[Row]) -> list[Row]:
    """Return the rows of alerts.alert_recommendations: counts per Pacific day and alert name."""
    days: dict[tuple[Any, str], list[Row]] = defaultdict(list)
    for row in alerts:
        if row["alert_status"] in {"Firing", "Resolved"}:
            days[row["created_at"].date(), row["alert_name"]].append(row)
    return [_recommendation(day, name, of_day) for (day, name), of_day in sorted(days.items())]


def _rows_of(dice: _Dice, episode: Episode, cluster: Cluster, now: datetime) -> Iterator[Row]:
    starts = episode.start.replace(microsecond=0)
    end = min(episode.end or now, now)
    moment = starts + timedelta(seconds=int(dice.at(starts).integers(1, 50)))
    while moment <= end:
        yield from _paths(dice.at(moment), _row(episode, cluster, "Firing", moment), starts, now)
        moment += REPEAT
    if episode.end is not None and episode.end <= now:
        resolved = episode.end.replace(microsecond=0)
        yield from _paths(dice.at(resolved), _row(episode, cluster, "Resolved", resolved), starts, now)


def _row(episode: Episode, cluster: Cluster, status: str, moment: datetime) -> Row:
    detail = f"[{episode.severity}] {book()[episode.alert].text}"
    if episode.injected:
        detail = f"{detail}. {INJECTION}"
    link = f"https://console.example.com/clusters/{cluster.biz_id}"
    return {
        "created_at": pacific(moment),
        "created_at_utc": moment,
        "cluster_name": cluster.name,
        "admin_email": cluster.account.email,
        "region": cluster.region.code,
        "account_name": cluster.account.name,
        "cluster_id": cluster.biz_id,
        "alert_status": status,
        "alert_name": episode.alert,
        "alert_detail": detail,
        "admin_console_url": link,
        "dashboard_url": f"https://grafana.example.com/d/cluster?var-cluster={cluster.biz_id}",
        "silence_url": "https://alertmanager.example.com/#/silences/new",
        "raw_content": f"Cluster: {cluster.name} ({cluster.account.email})\nRegion: {cluster.region.code}\n"
        f"Account: {cluster.account.name}\nCluster ID: {cluster.biz_id}\n{status}: {episode.alert}\n{detail}",
    }


def _paths(rng: np.random.Generator, row: Row, starts: datetime, now: datetime) -> Iterator[Row]:
    """Yield the row once per path that caught it: chat message, the daily pipeline's copy, webhook."""
    by_chat, by_hook = rng.random() < 0.85, rng.random() < 0.3
    if by_chat or not by_hook:
        card = {"message_id": f"om_{rng.bytes(12).hex()}", **row}
        yield _joined(card) if row["alert_status"] == "Firing" and rng.random() < _JOINED_SHARE else card
        # The pipeline reads whole days, so today's messages have no copy yet.
        if row["created_at"].date() < pacific(now).date() and rng.random() < 0.35:
            yield {
                **card,
                **row,
                "message_id": f"{card['message_id']}-{'f' if row['alert_status'] == 'Firing' else 'r'}",
            }
    if by_hook:
        key = f"{row['alert_name']}|{row['cluster_id']}|{row['alert_status'].lower()}|{starts.isoformat()}Z"
        yield {"message_id": "wh_" + hashlib.sha256(key.encode()).hexdigest()[:16], **row}


def _joined(card: Row) -> Row:
    """Return a card that held two alerts of different states, parsed into one row."""
    other = "OperationAbnormal" if card["alert_name"] != "OperationAbnormal" else "OperationDurationGT10m"
    return {**card, "alert_status": "Firing|Resolved", "alert_name": f"{card['alert_name']}|{other}"}


def _footer(rng: np.random.Generator, row: Row) -> Row:
    return {
        **row,
        "message_id": f"om_{rng.bytes(12).hex()}",
        "alert_status": None,
        "alert_name": None,
        "alert_detail": "Create Silence",
    }


def _recommendation(day: Any, name: str, of_day: list[Row]) -> Row:
    states = Counter(row["alert_status"] for row in of_day)
    names = sorted({row["cluster_name"] for row in of_day})
    advice = book()[name]
    noisy = advice.severity == "Warning" and states["Firing"] > 20
    return {
        "report_date": datetime.combine(day, datetime.min.time()),
        "alert_name": name,
        "severity": advice.severity,
        "fired_count": states["Firing"],
        "resolved_count": states["Resolved"],
        "cluster_count": len({row["cluster_id"] for row in of_day}),
        "cluster_names": ", ".join(names)[:4096],
        "recommendation": advice.recommendation,
        "is_noisy": noisy,
        "noisy_note": "fires often without consequence" if noisy else None,
    }
