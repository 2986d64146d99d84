"""Which faults and decoys a fleet gets: the named scenarios, and how their parts are laid on clusters."""

import re
from dataclasses import dataclass, replace

import numpy as np

from sandbox.fleet import decoys, faults
from sandbox.fleet.calendars import BAD_WEEK, CALENDARS
from sandbox.fleet.chance import stream
from sandbox.fleet.decoys import Decoy
from sandbox.fleet.faults import Kind
from sandbox.fleet.inventory import Fleet
from sandbox.fleet.truth import Severity

ROUGH_DECOYS = "rough-decoys"
FORMS: tuple[str, ...] = ("default", "none", "decoys", "random:N", "rough:N", ROUGH_DECOYS, *faults.BY_NAME)
"""Accepted scenario names; N stands for a whole number. The rough ones are the same in bad weather (weather.py)."""

ACTIVE = 3
"""Hours for which a fault that comes and goes is there at a time."""
_YOUNG = (2.0, 4.0)
_RETURNING = (10.0, 24.0)
_YOUNG_SHARE, _RETURNING_SHARE, _BAD_WEEK_SHARE = 0.2, 0.15, 0.15
_LARGE = 40
"""From this many clusters on, every kind and decoy of the default scenario has a cluster of its own."""
_ONLY_IN_LARGE = ("txn_rejects", "fd_leak", "connection_exhaustion")
_CRITICAL_BY_DEFAULT = ("disk_filling", "error_burst", "fe_heap", "node_down", "alert_storm", "routine_load_stuck")


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault kind on the cluster in `row`, begun `hours` ago, `position` (0..1) within its severity."""

    kind: Kind
    row: int
    hours: float
    severity: Severity
    position: float
    stretched: bool = False
    """True where amplitudes reach from nothing to severe without a gap."""
    rest: int = 0
    """Hours of rest after each `ACTIVE` hours of a fault that comes and goes; 0 stays."""


@dataclass(frozen=True, slots=True)
class PlannedDecoy:
    """A decoy on the cluster in `row`, its visible part begun `hours` ago."""

    decoy: Decoy
    row: int
    hours: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is laid on a fleet; a fleet too small for its scenario takes the first parts of it."""

    faults: tuple[PlannedFault, ...] = ()
    decoys: tuple[PlannedDecoy, ...] = ()


def plan(scenario: str, fleet: Fleet, seed: int) -> Plan:
    """Lay the scenario on the fleet.

    Raises ValueError for an unknown name; its text lists the names.
    """
    if scenario == "none":
        return Plan()
    if match := re.fullmatch(r"(random|rough):([0-9]{1,9})", scenario):
        laid = _random(fleet, int(match[2]))
        return laid if match[1] == "random" else _roughened(laid, fleet, int(match[2]))
    layer = _Layer(fleet, stream(seed, f"scenario {scenario}"))
    if scenario == "default":
        return _default(layer, large=len(fleet.active) >= _LARGE)
    if scenario in {"decoys", ROUGH_DECOYS}:
        more = CALENDARS if scenario == ROUGH_DECOYS else ()
        return layer.plan(decoys=[[decoy] for decoy in (*decoys.DECOYS, *more)])
    if scenario in faults.BY_NAME:
        return layer.plan(kinds=[(faults.BY_NAME[scenario], "Critical")])
    raise ValueError(f"unknown scenario {scenario!r}; known are: {', '.join(FORMS)}")


def is_rough(scenario: str) -> bool:
    """Whether all clusters of a scenario have everyday trouble beside: those do by which a patrol is measured."""
    return scenario == ROUGH_DECOYS or scenario.startswith("rough:")


def _default(layer: "_Layer", *, large: bool) -> Plan:
    kinds = [kind for kind in faults.KINDS if large or kind.name not in _ONLY_IN_LARGE]
    severities: list[tuple[Kind, Severity]] = [
        (kind, "Critical" if kind.name in _CRITICAL_BY_DEFAULT else "Warning") for kind in kinds
    ]
    return layer.plan(kinds=severities, decoys=[[d] for d in decoys.DECOYS] if large else _doubled())


def _doubled() -> list[list[Decoy]]:
    """Return the decoys with those together on one cluster that do not touch each other's signs."""
    pairs = (("busy_but_stable",), ("nightly_batch",), ("weekly_season", "fresh_restart"), ("scale_up",))
    return [[decoys.BY_NAME[name] for name in pair] for pair in (*pairs, ("alert_noise", "injected_instruction"))]


def _random(fleet: Fleet, number: int) -> Plan:
    rng = stream(number, "random scenario")
    chosen = rng.choice(len(faults.KINDS), int(rng.integers(3, 9)), replace=False)
    kinds: list[tuple[Kind, Severity]] = [(faults.KINDS[i], _grade(rng, faults.KINDS[i])) for i in chosen]
    picked = rng.choice(len(decoys.DECOYS), int(rng.integers(4, 9)))
    return _Layer(fleet, rng).plan(kinds=kinds, decoys=[[decoys.DECOYS[i]] for i in picked])


def _grade(rng: np.random.Generator, kind: Kind) -> Severity:
    drawn: Severity = ("Info", "Warning", "Critical")[int(rng.choice(3, p=(0.15, 0.45, 0.40)))]
    return "Warning" if drawn == "Info" and not kind.graded else drawn


def _roughened(laid: Plan, fleet: Fleet, number: int) -> Plan:
    """The same faults and decoys with other amplitudes and ages, and decoys of the calendar beside."""
    rng = stream(number, "rough scenario")
    planned = tuple(_aged(rng, fault) for fault in laid.faults)
    taken = {fault.row for fault in laid.faults} | {decoy.row for decoy in laid.decoys}
    free = [int(row) for row in rng.permutation(len(fleet.active)) if row not in taken]
    picked = rng.permutation(len(CALENDARS))[: int(rng.integers(2, len(CALENDARS) + 1))]
    calendars = [PlannedDecoy(CALENDARS[i], row, 0.0) for i, row in zip(picked, free, strict=False)]
    # A bad week in the past of a cluster that is ill today must not make today look usual.
    before = [PlannedDecoy(BAD_WEEK, fault.row, 0.0) for fault in planned if rng.random() < _BAD_WEEK_SHARE]
    return Plan(planned, (*laid.decoys, *calendars, *before))


def _aged(rng: np.random.Generator, fault: PlannedFault) -> PlannedFault:
    age, position = float(rng.random()), float(rng.random())
    severity: Severity = ("Info", "Warning", "Critical")[int(rng.choice(3, p=(0.25, 0.45, 0.30)))]
    fault = replace(
        fault, position=position, stretched=True, severity=severity if fault.kind.graded else fault.severity
    )
    if not fault.kind.sudden or age > _YOUNG_SHARE + _RETURNING_SHARE:
        return fault
    if age < _YOUNG_SHARE:
        return replace(fault, hours=float(rng.uniform(*_YOUNG)))
    return replace(fault, hours=float(rng.uniform(*_RETURNING)), rest=int(rng.integers(1, 3)))


class _Layer:
    """Gives each part of a scenario clusters that suit it and that no other part has."""

    def __init__(self, fleet: Fleet, rng: np.random.Generator) -> None:
        self._fleet, self._rng = fleet, rng
        self._free = [int(row) for row in rng.permutation(len(fleet.active))]

    def plan(self, kinds: list[tuple[Kind, Severity]] | None = None, decoys: list[list[Decoy]] | None = None) -> Plan:
        # The parts that ask for certain clusters choose first; the order of the rest stays.
        ordered = sorted(kinds or [], key=lambda item: item[0].name not in {"tier_s_warning", "error_burst"})
        planned = [fault for kind, severity in ordered for fault in self._faults(kind, severity)]
        laid = [decoy for group in decoys or [] for decoy in self._decoys(group)]
        return Plan(tuple(planned), tuple(laid))

    def _faults(self, kind: Kind, severity: Severity) -> list[PlannedFault]:
        hours = float(self._rng.uniform(*kind.onset))
        position = float(self._rng.random())
        if kind.name == "silent_cluster":
            severity = "Unknown"
        if kind.name == "tier_s_warning":
            severity = "Warning"
        return [PlannedFault(kind, row, hours, severity, position) for row in self._rows(kind)]

    def _rows(self, kind: Kind) -> list[int]:
        several = 3 if len(self._fleet.active) >= _LARGE else 2
        if kind.name == "error_burst":
            return self._take(self._largest_family(), several)
        if kind.name == "p99_regression":
            return self._take_across_accounts(several)
        if kind.name == "tier_s_warning":
            first = [self._fleet.active[row] for row in self._free]
            chosen = [row for row, one in zip(self._free, first, strict=True) if one.account.tier == "S"]
            return self._take([row for row in chosen if not self._fleet.active[row].elastic], 1)
        rows = self._free if kind.on_cache else [row for row in self._free if not self._fleet.active[row].elastic]
        return self._take(rows, 1)

    def _decoys(self, group: list[Decoy]) -> list[PlannedDecoy]:
        rows = self._take(self._free, 1)
        return [PlannedDecoy(decoy, row, float(self._rng.uniform(*decoy.onset))) for row in rows for decoy in group]

    def _largest_family(self) -> list[int]:
        families = [[row for row in self._fleet.siblings(start) if row in self._free] for start in self._free]
        # Clusters of one account fail together when its application does.
        return max(families, key=len, default=[])

    def _take_across_accounts(self, count: int) -> list[int]:
        seen: dict[str, int] = {}
        for row in self._free:
            cluster = self._fleet.active[row]
            if cluster.version is not None:
                # One per account: what they share should be the version and nothing else.
                seen.setdefault(cluster.account.biz_id, row)
        return self._take(list(seen.values()), count)

    def _take(self, candidates: list[int], count: int) -> list[int]:
        rows = candidates[:count]
        self._free = [row for row in self._free if row not in rows]
        return rows
