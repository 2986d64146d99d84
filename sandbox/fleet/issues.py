"""Issues made of episodes: one per cluster and alert while it lasts, a triage state, sometimes a person's note."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sandbox.fleet.advice import book
from sandbox.fleet.alarms import REPEAT
from sandbox.fleet.chance import stream, uuids
from sandbox.fleet.episodes import Episode
from sandbox.fleet.inventory import Cluster

_SHORTEST = timedelta(minutes=45)
_ASSIGNEES = (None, None, "dana", "li.wei", "priya", "tomas")
_OPEN_TRIAGE = ("New", "New", "Acknowledged", "Monitoring/Investigating")
_CLOSED_TRIAGE = ("Closed - Auto Resolved", "Closed - Auto Resolved", "Closed - Fixed Issue", "Closed - False Positive")


def rows(episodes: Sequence[Episode], clusters: list[Cluster], seed: int, now: datetime) -> list[dict[str, Any]]:
    """Return the rows of alerts.issues; short everyday noise makes no issue."""
    rng = stream(seed, "issues")
    kept = [e for e in _merged(episodes) if e.planned or (e.end is not None and e.end - e.start >= _SHORTEST)]
    ids = uuids(rng, len(kept))
    return [_issue(rng, key, e, clusters[e.row], now) for key, e in zip(ids, kept, strict=True)]


def _merged(episodes: Sequence[Episode]) -> list[Episode]:
    """Join episodes of one cluster and alert that follow each other within four hours, as flapping ones do."""
    merged: dict[tuple[int, str], list[Episode]] = {}
    for e in episodes:
        chain = merged.setdefault((e.row, e.alert), [])
        if chain and chain[-1].end is not None and e.start - chain[-1].end < timedelta(hours=4):
            chain[-1] = Episode(e.row, e.alert, chain[-1].start, e.end, e.severity, e.planned, e.injected)
        else:
            chain.append(e)
    return sorted((e for chain in merged.values() for e in chain), key=lambda e: (e.start, e.row, e.alert))


def _issue(rng: np.random.Generator, key: str, episode: Episode, cluster: Cluster, now: datetime) -> dict[str, Any]:
    ongoing = episode.end is None or episode.end > now
    last = now if episode.end is None else min(episode.end, now)
    return {
        "issue_id": key,
        "cluster_id": cluster.biz_id,
        "cluster_name": cluster.name,
        "account_name": cluster.account.name,
        "alert_name": episode.alert,
        "category": book()[episode.alert].category,
        "status": "Ongoing" if ongoing else "Resolved",
        "severity": episode.severity,
        "triage_status": str(rng.choice(_OPEN_TRIAGE if ongoing else _CLOSED_TRIAGE)),
        "disposition_status": str(rng.choice(("New", "No Action Needed", "JIRA Created"), p=(0.6, 0.3, 0.1))),
        "first_seen": episode.start,
        "last_seen": last,
        "resolved_at": None if ongoing else last,
        "alert_count": int((last - episode.start) / REPEAT) + 1,
        "assignee": rng.choice(np.array(_ASSIGNEES, dtype=object)),
        "notes": None if ongoing or rng.random() < 0.8 else "ended by itself, nothing done",
    }
