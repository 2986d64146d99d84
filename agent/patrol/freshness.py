"""How fresh the data is: the hour to judge by, and which clusters have fallen silent. Missing data is never healthy."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agent.patrol.finding import Finding, Identity
from agent.patrol.query import Row, moment
from agent.patrol.rules import Window

STALE_AFTER = timedelta(hours=3)
# The late exporters of an hour are still being written; a twentieth of the fleet is no accident of clocks.
_CROWD = 0.05
_STARTING = {"CREATING", "STARTING"}
State = Literal["sending", "silent", "starting", "stopping"]


def judged_hour(last: Iterable[datetime]) -> datetime | None:
    """The newest hour up to which a real part of the fleet has sent data, from the last hour of each cluster: a few
    clusters with a wrong clock must not make all others look silent. None without data."""
    newest = sorted(last, reverse=True)
    if not newest:
        return None
    # Two at least, since one cluster with a wrong clock is exactly what is to be outvoted; unless it is the whole
    # fleet.
    enough = min(len(newest), max(2, math.ceil(_CROWD * len(newest))))
    return newest[enough - 1]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing done to a cluster; `at` is naive UTC, `detail` is untrusted text."""

    kind: str
    state: str
    at: datetime
    detail: str = ""


def operations_by_cluster(rows: Sequence[Row]) -> dict[str, tuple[Operation, ...]]:
    """Operations of each cluster, newest first; rows without a time are left out."""
    found: dict[str, list[Operation]] = {}
    for row in rows:
        at = moment(row["created_at"])
        if at is not None:
            operation = Operation(str(row["type"]), str(row["state"]), at, str(row["detail"] or ""))
            found.setdefault(str(row["cluster_id"]), []).append(operation)
    return {cluster: tuple(sorted(known, key=lambda one: one.at, reverse=True)) for cluster, known in found.items()}


def _since(operations: Sequence[Operation], kind: str) -> datetime | None:
    return next((one.at for one in operations if one.kind == kind and one.state != "FAILED"), None)


def state(
    identity: Identity,
    last: datetime | None,
    operations: Sequence[Operation],
    as_of: datetime,
    window: Window,
) -> State:
    """Whether a cluster sends, or why it may be quiet. Somebody who stops a cluster knows that it is quiet."""
    if last is not None and as_of - last < timedelta(hours=window.silent_hours):
        return "sending"
    young = as_of - timedelta(hours=window.young_hours)
    started, stopped = _since(operations, "START"), _since(operations, "STOP")
    # The last sample and the row of the operation come from two clocks; an hour covers their difference.
    if stopped is not None and (last is None or stopped >= last - timedelta(hours=1)):
        # Stopped and started again, and still silent: that explains nothing any more.
        restarted = started is not None and started > stopped
        if not restarted:
            return "stopping"
    just_started = started is not None and started > as_of - timedelta(hours=window.silent_hours)
    # Only before its first sample: a young cluster that has sent and fell silent is silent.
    just_created = last is None and identity.created is not None and identity.created > young
    being_made = last is None and identity.state.upper() in _STARTING
    return "starting" if just_started or just_created or being_made else "silent"


def silence(identity: Identity, last: datetime | None, as_of: datetime, window: Window, query_id: str) -> Finding:
    """The finding that a cluster is silent."""
    if last is None:
        hours = 24.0 * window.baseline_days
        reason = f"no data at all within {window.baseline_days} days; its state is not known"
    else:
        hours = (as_of - last) / timedelta(hours=1)
        reason = f"no data for {hours:.0f} h (last {last:%Y-%m-%d %H:%M} UTC) while others send; its state is not known"
    since = None if last is None else last + timedelta(hours=1)
    threshold = float(window.silent_hours)
    return Finding(identity.cluster_id, "freshness", "Unknown", hours, "h", reason, 0.0, threshold, since, query_id)


def gone_by_cluster(rows: Sequence[Row], sending: Mapping[str, datetime]) -> dict[str, tuple[str, ...]]:
    """Metrics that stopped coming from clusters that still send others (rows: cluster_id, metric_name)."""
    gone: dict[str, list[str]] = {}
    for row in rows:
        cluster = str(row["cluster_id"])
        if cluster in sending:
            gone.setdefault(cluster, []).append(str(row["metric_name"]))
    return {cluster: tuple(names) for cluster, names in gone.items()}
