"""Episodes: how long which alert condition lasted on which cluster. Faults, decoys and everyday noise all make some."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sandbox.fleet.chance import stream
from sandbox.fleet.planting import Planted
from sandbox.fleet.scenario import Plan, PlannedFault
from sandbox.fleet.weather import Blown

_NOISE = ("OperationDurationGT10m", "OperationDurationGT10m", "CompactionScore", "FEMaxTabletCompaction",
          "OperationAbnormal", "SlowQueryTooMany")  # fmt: skip
_NOISE_PER_CLUSTER_AND_DAY = 0.13
_NOISE_ENDS_HOURS_AGO = 3
_GUSTS_WITH_AN_ALERT = 0.5


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert condition; `end` is None while it lasts. Times in UTC."""

    row: int
    alert: str
    start: datetime
    end: datetime | None
    severity: str
    planned: bool
    """True when it belongs to a fault or decoy, False for everyday noise."""
    injected: bool = False
    """True when the text of its alerts carries an injected instruction."""


def episodes(plan: Plan, planted: Planted, seed: int, clusters: int, days: int, now: datetime) -> list[Episode]:
    """Return all episodes up to `now`, oldest first; only what flaps changes within its last hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    found = [*_noise(seed, clusters, days, hour), *_of_gusts(planted.blown, seed, days * 24, hour)]
    for fault, onset in zip(plan.faults, planted.fault_onsets, strict=True):
        found.extend(_flapping(fault, onset, now) if fault.kind.name == "flapping_alert" else _of(fault, onset, hour))
    for decoy, onset in zip(plan.decoys, planted.decoy_onsets, strict=True):
        injected = decoy.decoy.name == "injected_instruction"
        found.extend(
            Episode(decoy.row, symptom.alert, onset, None, "Warning", planned=True, injected=injected)
            for symptom in decoy.decoy.alerts
        )
    return sorted(found, key=lambda episode: (episode.start, episode.row, episode.alert))


def _of(fault: PlannedFault, onset: datetime, now: datetime) -> Iterator[Episode]:
    # A faint fault stays under every alert's limit.
    if fault.severity == "Info":
        return
    for symptom in fault.kind.symptoms:
        start = onset + (now - onset) * symptom.after
        yield Episode(fault.row, symptom.alert, start, None, fault.severity, planned=True)


def _of_gusts(blown: Sequence[Blown], seed: int, hours: int, now: datetime) -> Iterator[Episode]:
    """Alerts know nothing of what passes: some of it sets them off as the faults do."""
    rng = stream(seed, "alerts of gusts")
    for one in blown:
        start = now - timedelta(hours=hours - one.start) + timedelta(minutes=float(rng.uniform(2, 20)))
        end = start + timedelta(hours=one.hours)
        if rng.random() < _GUSTS_WITH_AN_ALERT and one.gust.alert:
            over = end if end < now else None
            yield Episode(one.row, one.gust.alert, start, over, "Warning", planned=False)


def _flapping(fault: PlannedFault, onset: datetime, now: datetime) -> Iterator[Episode]:
    for symptom in fault.kind.symptoms:
        start = onset
        while start < now:
            end = start + timedelta(minutes=20)
            yield Episode(fault.row, symptom.alert, start, end if end < now else None, "Warning", planned=True)
            start += timedelta(minutes=55)


def _noise(seed: int, clusters: int, days: int, now: datetime) -> Iterator[Episode]:
    rng = stream(seed, "alert noise")
    count = int(rng.poisson(clusters * days * _NOISE_PER_CLUSTER_AND_DAY))
    # A few clusters are noisy, most are quiet.
    weights = rng.pareto(1.6, clusters) + 0.2
    span = days * 1440 - _NOISE_ENDS_HOURS_AGO * 60
    for row in rng.choice(clusters, count, p=weights / weights.sum()):
        minutes = float(np.clip(40 * np.exp(rng.normal(0, 0.8)), 15, 240))
        latest = now - timedelta(hours=_NOISE_ENDS_HOURS_AGO, minutes=minutes)
        start = latest - timedelta(minutes=float(rng.uniform(0, span)))
        alert = str(rng.choice(_NOISE))
        yield Episode(int(row), alert, start, start + timedelta(minutes=minutes), "Warning", planned=False)
