"""Alerts as incidents: one condition that repeats every quarter of an hour is one incident with a duration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.patrol.finding import Finding
from agent.patrol.query import Row, figure, moment, words
from agent.patrol.report import Severity
from agent.patrol.rules import Window

# Alerts repeat every quarter of an hour, but one ingestion path misses hours at a time.
_SAME_WITHIN = timedelta(hours=4)
# Names are somebody else's text, and they are keys here.
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Incident:
    """One alert condition of one cluster: from `first` to `last` (naive UTC), seen `times` times. `open` tells that it
    fired last; `name` is untrusted."""

    cluster_id: str
    name: str
    first: datetime
    last: datetime
    times: int
    open: bool


@dataclass(frozen=True, slots=True)
class _Seen:
    cluster_id: str
    name: str
    firing: bool
    first: datetime
    last: datetime
    times: int


def _states(row: Row) -> Iterable[tuple[str, bool]]:
    """The name and state pairs of a row; one ingestion path joins several with a pipe."""
    names = [part.strip()[:_NAME_LENGTH] for part in words(row["alert_name"]).split("|")]
    states = [part.strip().lower() for part in words(row["alert_status"]).split("|")]
    # Cards with several alerts are parsed into one row, and either half may have been written once for all.
    if len(names) < len(states):
        names += names[-1:] * (len(states) - len(names))
    states += states[-1:] * (len(names) - len(states))
    known = {"firing": True, "resolved": False}
    return [(name, known[state]) for name, state in zip(names, states, strict=True) if name and state in known]


def _seen(rows: Sequence[Row]) -> list[_Seen]:
    found: list[_Seen] = []
    for row in rows:
        first, last, cluster = moment(row["first_at"]), moment(row["last_at"]), words(row["cluster_id"])
        if first is None or last is None or not cluster:
            continue
        times = int(figure(row["times"]) or 1)
        found += [_Seen(cluster, name, firing, first, last, times) for name, firing in _states(row)]
    return found


def fold(rows: Sequence[Row]) -> dict[str, tuple[Incident, ...]]:
    """Incidents by cluster, newest first, from rows of cluster, name, state and hour. A pause of more than four hours
    begins a new incident; a Resolved as new as the newest Firing closes it."""
    groups: dict[tuple[str, str], list[_Seen]] = {}
    for one in _seen(rows):
        groups.setdefault((one.cluster_id, one.name), []).append(one)
    incidents: dict[str, list[Incident]] = {}
    for (cluster, _), group in groups.items():
        incidents.setdefault(cluster, []).extend(_incidents(group))
    return {
        cluster: tuple(sorted(known, key=lambda one: (one.last, one.name), reverse=True))
        for cluster, known in incidents.items()
    }


def _incidents(group: list[_Seen]) -> list[Incident]:
    fired = sorted((one for one in group if one.firing), key=lambda one: one.first)
    # The newest alone: paths deliver in any order, and an older Resolved says nothing about a newer Firing.
    resolved = max((one.last for one in group if not one.firing), default=None)
    runs: list[Incident] = []
    for one in fired:
        if runs and one.first - runs[-1].last <= _SAME_WITHIN:
            before = runs.pop()
            # The later of both, since rows of several paths overlap.
            last, times = max(before.last, one.last), before.times + one.times
            runs.append(Incident(one.cluster_id, one.name, before.first, last, times, True))
        else:
            runs.append(Incident(one.cluster_id, one.name, one.first, one.last, one.times, True))
    return [_closed(run, resolved, is_newest=run is runs[-1]) for run in runs]


def _closed(run: Incident, resolved: datetime | None, *, is_newest: bool) -> Incident:
    is_open = is_newest and (resolved is None or resolved < run.last)
    return Incident(run.cluster_id, run.name, run.first, run.last, run.times, is_open)


def current(incidents: Sequence[Incident], as_of: datetime, window: Window) -> tuple[Incident, ...]:
    """Those that were seen within the alert window."""
    since = as_of - timedelta(hours=window.alert_hours)
    return tuple(one for one in incidents if one.last > since)


def storm(
    cluster_id: str, incidents: Sequence[Incident], as_of: datetime, window: Window, query_id: str, *, critical: bool
) -> Finding | None:
    """A storm: many different alerts that began together and far more than this cluster is used to. It is
    Critical when the metrics say so as well (`critical`)."""
    span = timedelta(hours=2 * window.alert_hours)
    fresh = {one.name: one for one in incidents if one.first > as_of - span and one.last > as_of - span / 2}
    usual = _usual_names(incidents, as_of, span)
    # Twice its usual as well: some clusters fire five different alerts every day.
    if len(fresh) < window.storm_names or len(fresh) < 2 * usual:
        return None
    severity: Severity = "Critical" if critical else "Warning"
    since = min(one.first for one in fresh.values())
    names = _in_order(tuple(fresh.values()))
    reason = f"{len(fresh)} different alerts since {since:%H:%M} UTC (usually {usual} a day): {names}"
    threshold = float(window.storm_names)
    return Finding(
        cluster_id, "alerts", severity, float(len(fresh)), "alerts", reason, float(usual), threshold, since, query_id
    )


def _in_order(fresh: Sequence[Incident], most: int = 6) -> str:
    """The names as the alerts began, the first nearest to the cause; a mark tells that there are more."""
    names = [one.name for one in sorted(fresh, key=lambda one: (one.first, one.name))]
    return ", ".join(names[:most] + ["…"] * (len(names) > most))


def _usual_names(incidents: Sequence[Incident], as_of: datetime, span: timedelta) -> int:
    """The second highest number of different alerts in one day of the past week: one bad day is not usual."""
    days: dict[int, set[str]] = {}
    for one in incidents:
        back = int((as_of - one.first) / span)
        if back >= 1:
            days.setdefault(back, set()).add(one.name)
    counts = sorted((len(names) for names in days.values()), reverse=True)
    return counts[1] if len(counts) > 1 else 0
