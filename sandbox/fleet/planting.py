"""Carries a plan out: acts on the state, amends the inventory, and writes down the truth."""

from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import stream
from sandbox.fleet.decoys import INJECTED_NAME
from sandbox.fleet.inventory import Cluster, Fleet
from sandbox.fleet.lines import Usual
from sandbox.fleet.scenario import ACTIVE, Plan, PlannedDecoy, PlannedFault
from sandbox.fleet.state import State
from sandbox.fleet.strike import Strike
from sandbox.fleet.truth import Fault, Severity, Truth
from sandbox.fleet.verdicts import rough_truth
from sandbox.fleet.weather import Blown, disturb, get_used_to, rescale

UPGRADED_VERSION = "3.5.3-ee"
_HEALTHY_SAMPLE = 3
"""Every third plain healthy cluster is named in the truth as one that must not be flagged."""


@dataclass(frozen=True, slots=True)
class Change:
    """An operation that a fault or decoy brings with it: a row of byoc.billing_order."""

    row: int
    at: datetime
    type: str
    detail: str


@dataclass(frozen=True, slots=True)
class Planted:
    """What became of a plan: the truth, the operations, and when each part began."""

    truth: Truth
    changes: tuple[Change, ...]
    fault_onsets: tuple[datetime, ...]
    """In the order of plan.faults."""
    decoy_onsets: tuple[datetime, ...]
    """In the order of plan.decoys."""
    blown: tuple[Blown, ...] = ()
    """The gusts of rough weather."""


def plant(plan: Plan, fleet: Fleet, state: State, seed: int, *, rough: bool = False) -> Planted:
    """Let every part of the plan act on `state` and `fleet`, in rough weather if asked; return what was done."""
    changes: list[Change] = []
    if rough:
        get_used_to(state, fleet.active, seed)
    # What is odd but healthy comes first: with it the state is what is usual.
    decoy_onsets = _plant_decoys(plan, fleet, state, seed, changes)
    usual = Usual(state)
    blown = disturb(state, seed) if rough else []
    fault_onsets = _plant_faults(plan, fleet, state, seed, changes)
    if rough:
        usual.rescale(fleet.active)
        rescale(state, fleet.active)
        truth = rough_truth(plan, fleet.active, fault_onsets, state, usual)
    else:
        truth = _truth(plan, fleet.active, fault_onsets)
    return Planted(truth, tuple(changes), tuple(fault_onsets), tuple(decoy_onsets), tuple(blown))


def _plant_faults(plan: Plan, fleet: Fleet, state: State, seed: int, changes: list[Change]) -> list[datetime]:
    onsets = []
    for place, fault in enumerate(plan.faults):
        strike = _strike(state, fleet, fault, seed, fault.severity, fault.position, place)
        before = _courses(state, fault.row) if fault.rest else {}
        fault.kind.act(strike)
        _rest(strike, before, fault.rest)
        onsets.append(_time(state, strike.since))
        if fault.kind.name == "p99_regression":
            changes.append(_upgrade(fleet, fault.row, onsets[-1]))
    return onsets


def _plant_decoys(plan: Plan, fleet: Fleet, state: State, seed: int, changes: list[Change]) -> list[datetime]:
    onsets = []
    for place, decoy in enumerate(plan.decoys):
        strike = _strike(state, fleet, decoy, seed, "Info", 0.5, place)
        decoy.decoy.act(strike)
        onsets.append(_time(state, strike.since))
        changes.extend(_side_effects(fleet, decoy, onsets[-1]))
    return onsets


def _courses(state: State, row: int) -> dict[str, NDArray[np.float64]]:
    """Copies of all courses of one cluster, by field."""
    return {one.name: getattr(state, one.name)[row].copy() for one in fields(state) if one.name != "hours"}


def _rest(strike: Strike, before: dict[str, NDArray[np.float64]], hours: int) -> None:
    """Give the courses back as they were in the `hours` after each `ACTIVE` hours."""
    since = np.arange(strike.state.shape[1]) - strike.since
    pause = (since >= 0) & (since % (ACTIVE + hours) >= ACTIVE)
    for name, course in before.items():
        getattr(strike.state, name)[strike.row, pause] = course[pause]


def _strike(
    state: State,
    fleet: Fleet,
    planned: PlannedFault | PlannedDecoy,
    seed: int,
    severity: Severity,
    position: float,
    place: int,
) -> Strike:
    # A short series keeps at least two fifths of its hours as the past to compare with.
    hours = min(planned.hours, state.shape[1] * 0.6)
    # By its place in the plan, so that one more fault at the end leaves those before as they were.
    rng = stream(seed, f"strike {type(planned).__name__} {place}")
    stretched = isinstance(planned, PlannedFault) and planned.stretched
    since = state.hours_ago(hours)
    return Strike(state, fleet.active[planned.row], planned.row, since, severity, position, rng, stretched)


def _upgrade(fleet: Fleet, row: int, at: datetime) -> Change:
    before = fleet.active[row].version
    fleet.amend(row, version=UPGRADED_VERSION)
    return Change(row, at, "UPDATE", f"sr_version {before} -> {UPGRADED_VERSION}")


def _side_effects(fleet: Fleet, planned: PlannedDecoy, at: datetime) -> list[Change]:
    row, name = planned.row, planned.decoy.name
    if name == "scale_up":
        count = fleet.active[row].be_count
        fleet.amend(row, be_count=2 * count)
        return [Change(row, at, "NODE_UPDATE", f"compute nodes {count} -> {2 * count}")]
    if name == "fresh_restart":
        return [Change(row, at, "UPDATE", "setting query_timeout changed, all nodes restarted one after another")]
    if name == "injected_instruction":
        fleet.amend(row, name=f"{INJECTED_NAME}-{row}")
    return []


def _truth(plan: Plan, active: list[Cluster], onsets: list[datetime]) -> Truth:
    faults = tuple(
        Fault(active[p.row].biz_id, p.kind.name, onset, p.kind.dimensions, p.severity)
        for p, onset in zip(plan.faults, onsets, strict=True)
    )
    # Faint faults are in neither list: whoever sees them is not wrong, and neither is who does not.
    clear = {p.row for p in plan.faults if p.kind.flagged and p.severity != "Info"}
    touched = {p.row for p in plan.faults}
    decoys = {p.row for p in plan.decoys} - touched
    plain = [row for row in range(len(active)) if row not in touched | decoys][::_HEALTHY_SAMPLE]
    return Truth(
        faults,
        must_flag=tuple(active[row].biz_id for row in sorted(clear)),
        must_not_flag=tuple(active[row].biz_id for row in sorted(decoys | set(plain))),
        may_flag=tuple(active[row].biz_id for row in sorted(touched - clear)),
    )


def _time(state: State, hour: int) -> datetime:
    moment: datetime = state.hours[min(hour, state.shape[1] - 1)].astype("datetime64[us]").astype(datetime)
    return moment


def hours_before(now: datetime, days: int) -> NDArray[np.datetime64]:
    """Return the starts of the `days` x 24 complete hours before `now`, oldest first, as datetime64[h]."""
    end = np.datetime64(now.replace(tzinfo=None), "h")
    return np.asarray(end - np.arange(days * 24, 0, -1).astype("timedelta64[h]"))
