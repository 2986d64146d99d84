"""What the report before flagged, and whether something is clearly worse or better than it was then. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.patrol.finding import SEVERITY_RANK
from agent.patrol.report import Severity

GROWN = 1.25
"""A figure is clearly worse at so many times what it was …"""
POINTS = 5.0
"""… and one in percent also when it moved by so many points."""
_AGES = frozenset({"freshness"})
"""Dimensions whose value is an age: it grows by itself, and that makes nothing worse."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """How bad a finding was in the report before."""

    severity: Severity
    value: float


class Measured(Protocol):
    """A finding in any of its forms: `value` in `unit`, `down` where lower is worse."""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    @property
    def value(self) -> float:
        """Its figure."""
        ...

    @property
    def unit(self) -> str:
        """What the figure is in."""
        ...

    @property
    def down(self) -> bool:
        """Whether lower is worse."""
        ...

    @property
    def dimension(self) -> str:
        """What is measured."""
        ...


class LastReport(Protocol):
    """Remembers the last report. A patrol survives one that cannot."""

    async def left_open(self) -> Mapping[str, Earlier] | None:
        """The findings that last, by `agent.patrol.finding.Finding.key`; None where there was no report yet."""
        ...


def clearly_worse(before: float, after: float, unit: str, *, down: bool, dimension: str = "") -> bool:
    """Whether a figure moved in the bad direction by a quarter of what it was, or by five points of a percentage."""
    if dimension in _AGES:
        return False
    if down:
        return (after * GROWN <= before and after < before) or (unit == "%" and before - after >= POINTS)
    return (after >= before * GROWN and after > before) or (unit == "%" and after - before >= POINTS)


def moved(before: Earlier, now: Measured) -> Literal["worse", "better", "same"]:
    """How a finding fares against what it was: by its severity, and within one severity by its figure."""
    step = SEVERITY_RANK[before.severity] - SEVERITY_RANK[now.severity]
    if step:
        return "worse" if step > 0 else "better"
    if clearly_worse(before.value, now.value, now.unit, down=now.down, dimension=now.dimension):
        return "worse"
    if clearly_worse(now.value, before.value, now.unit, down=now.down, dimension=now.dimension):
        return "better"
    return "same"
