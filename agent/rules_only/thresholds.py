"""Where a measure starts to worry, taken from the rules of health, so that chat and patrol judge alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.patrol.rules import Rules


@dataclass(frozen=True, slots=True)
class Threshold:
    """Limits of one measure in its unit. At or beyond `warning` it is a Warning, at or beyond `red` it is Critical;
    `falling` means that low is bad. `advice` is what to do then."""

    warning: float
    red: float
    falling: bool = False
    advice: str = ""

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
    return {
        name: Threshold(
            warning=dimension.limits.yellow if dimension.alone == "yellow" else dimension.limits.red,
            red=dimension.limits.red,
            falling=dimension.direction == "down",
            advice=dimension.advice,
        )
        for name, dimension in rules.dimensions.items()
        if dimension.alone != "never"
    }
