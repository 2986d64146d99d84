"""Where a measure starts to worry, taken from the rules of health, so that chat and patrol judge alike."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.patrol.rules import Dimension, Rules


@dataclass(frozen=True, slots=True)
class Threshold:
    """Limits of one measure in its unit. At or beyond `warning` it is a Warning, at or beyond `red` it is Critical;
    `falling` means that low is bad. `advice` is what to do then. `types` are the clusters' types that have limits of
    their own."""

    warning: float
    red: float
    falling: bool = False
    advice: str = ""
    types: Mapping[str, "Threshold"] = field(default_factory=dict)

    def of(self, cluster_type: str) -> "Threshold":
        """The threshold for clusters of this type; that of all clusters where it is unknown or has none of its own."""
        return self.types.get(cluster_type.strip().upper(), self)

    def level(self, value: float) -> str:
        """`Critical`, `Warning`, or an empty string."""
        for name, limit in (("Critical", self.red), ("Warning", self.warning)):
            if value <= limit if self.falling else value >= limit:
                return name
        return ""


Thresholds = Mapping[str, Threshold]
"""Thresholds by dimension name, such as `disk_used_pct`. A dimension that its value alone never decides has none."""


def from_rules(rules: Rules) -> Thresholds:
    """The thresholds of the dimensions that the rules judge without a look at a cluster's own past."""
    return {name: _of(dimension) for name, dimension in rules.dimensions.items() if dimension.alone != "never"}


def _of(dimension: Dimension) -> Threshold:
    limits, falling = dimension.limits, dimension.direction == "down"
    # where the value alone decides nothing, as may be so for one type of cluster, no value is beyond the limits
    never = -math.inf if falling else math.inf
    red = never if dimension.alone == "never" else limits.red
    return Threshold(
        warning=limits.yellow if dimension.alone == "yellow" else red,
        red=red,
        falling=falling,
        advice=dimension.advice,
        types={kind: _of(dimension.of(kind)) for kind in dimension.types},
    )
