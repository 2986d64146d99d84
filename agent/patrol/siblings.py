"""How a finding stands beside the cluster's siblings: alone, or as all of them do."""

from dataclasses import dataclass
from typing import Literal

from agent.patrol.rules import quantity


@dataclass(frozen=True, slots=True)
class Siblings:
    """The siblings of a cluster, on the dimension of one of its findings. `by` is what makes them siblings: one
    account, or one version, type and machine. `count` are those that could be compared, `alike` those of them with a
    finding on the same dimension; the others lie between `low` and `high` (in the finding's unit; of more than eight,
    the middle half of them does), which are None where there is nothing to measure or nobody left."""

    by: Literal["account", "kind"]
    count: int
    alike: int
    low: float | None = None
    high: float | None = None

    def words(self, unit: str) -> str:
        """`its 4 siblings: 12%–18%`, `all 3 siblings too`, `2 of 5 siblings too, the others 12%–18%`."""
        whose = "of the account" if self.by == "account" else "of its version and machines"
        if self.alike == self.count:
            many = f"all {self.count} siblings" if self.count > 1 else "its only sibling"
            return f"{many} {whose} too"
        span = self._span(unit)
        if self.alike:
            return f"{self.alike} of {self.count} siblings {whose} too" + (f", the others {span}" if span else "")
        many = f"its {self.count} siblings" if self.count > 1 else "its only sibling"
        verb = "do" if self.count > 1 else "does"
        return f"{many} {whose}: {span}" if span else f"{many} {whose} {verb} not"

    def _span(self, unit: str) -> str:
        if self.low is None or self.high is None:
            return ""
        low, high = quantity(self.low, unit), quantity(self.high, unit)
        return low if low == high else f"{low}–{high}"
