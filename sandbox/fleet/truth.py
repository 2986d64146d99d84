"""What was really planted in a simulated fleet. It is handed to the caller and never written to the warehouse."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Severity = Literal["Critical", "Warning", "Unknown", "Info"]
"""Unknown: the cluster stopped sending data. Info: too faint to demand a flag, too strong to forbid one."""

PASSING = "passing"
"""Kind of a trouble that nobody planted: everyday weather that has lasted long enough to be one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault of one cluster."""

    cluster_id: str
    """UUID, = byoc.clusters.biz_id."""
    kind: str
    """Name of the fault kind, which is also a scenario name."""
    onset: datetime
    """When it began, UTC without zone."""
    dimensions: tuple[str, ...]
    """Dimensions of the scorer that it touches."""
    severity: Severity
    border: bool = False
    """True where Warning and Critical are both right: noise decides which limit it passes."""

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON values; the onset is ISO text in UTC."""
        return {
            "cluster_id": self.cluster_id,
            "kind": self.kind,
            "onset": self.onset.isoformat(sep=" "),
            "dimensions": list(self.dimensions),
            "severity": self.severity,
            "border": self.border,
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """All faults of a fleet, and which clusters a good patrol flags and which it leaves alone."""

    faults: tuple[Fault, ...]
    must_flag: tuple[str, ...]
    """Cluster UUIDs with at least one clear fault."""
    must_not_flag: tuple[str, ...]
    """Cluster UUIDs of the decoys and of a sample of plain healthy clusters; in rough weather of all the others."""
    may_flag: tuple[str, ...] = ()
    """Cluster UUIDs at the border: whoever flags them is not wrong, and neither is who does not."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of the truth file."""
        return {
            "faults": [fault.to_json() for fault in self.faults],
            "must_flag": list(self.must_flag),
            "must_not_flag": list(self.must_not_flag),
            "may_flag": list(self.may_flag),
        }
