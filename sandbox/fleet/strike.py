"""One fault or decoy about to act on one cluster's state: where, since when, how hard, and the shapes it can draw."""

from dataclasses import dataclass

import numpy as np

from sandbox.fleet.chance import Floats, wander
from sandbox.fleet.inventory import Cluster
from sandbox.fleet.state import State
from sandbox.fleet.truth import Severity

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Strike:
    """Acts on row `row` of `state` from hour index `since` to the end."""

    state: State
    cluster: Cluster
    row: int
    since: int
    severity: Severity
    position: float
    """Where between the ends of a range the amplitude lies, 0..1."""
    rng: np.random.Generator
    stretched: bool = False
    """True when the ranges meet: each reaches up to where the next severity begins, none is clear of its limit."""

    @property
    def length(self) -> int:
        """Return how many hours it has lasted."""
        return self.state.shape[1] - self.since

    def level(self, faint: Range, warning: Range, critical: Range) -> float:
        """Return the amplitude for the severity asked."""
        if self.stretched:
            faint, warning = _met(faint, warning), _met(warning, critical)
        low, high = {"Critical": critical, "Info": faint}.get(self.severity, warning)
        return low + (high - low) * self.position

    def usual(self, field: Floats) -> float:
        """Return the median of the field before the strike, or of all hours when it began at the first."""
        # NaN marks hours without the metric; a slice up to 0 would be empty.
        return float(np.nanmedian(field[self.row, : self.since or None]))

    def climb(self, field: Floats, target: float, *, over: float | None = None, wobble: float = 0.03) -> None:
        """Move the field from its course to `target` within `over` hours (None: until the end) and keep it there."""
        # From the cluster's own course to the target, so that its rhythm fades instead of breaking off.
        share = np.clip(np.arange(1, self.length + 1) / (over or self.length), 0, 1)
        course = field[self.row, self.since :]
        # Clipped at two deviations: a single wild hour must not push a Warning over the Critical limit.
        noise = 1 + wobble * np.clip(wander(self.rng, 1, self.length, 0.5)[0], -2, 2)
        field[self.row, self.since :] = course + (target * noise - course) * share

    def multiply(self, field: Floats, factor: float) -> None:
        """Multiply the field from the onset on."""
        field[self.row, self.since :] *= factor

    def fill(self, field: Floats, value: float) -> None:
        """Set the field from the onset on."""
        field[self.row, self.since :] = value

    def at_least(self, field: Floats, usual: float) -> None:
        """Lift the whole course of a field so that its median is at least `usual`."""
        field[self.row] *= max(1.0, usual / max(float(np.median(field[self.row])), 1e-9))


def _met(milder: Range, worse: Range) -> Range:
    """The milder range with its worse end where the worse range begins, whichever way is worse."""
    return (milder[0], worse[0]) if worse[0] >= milder[0] else (worse[1], milder[1])
