"""What was really planted in a simulated fleet. It is handed to the caller and never written to the warehouse."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Severity = Literal["Critical", "Warning", "Unknown", "Info"]
"""Unknown: the cluster stopped sending data. Info: too faint to demand a flag, too strong to forbid one."""


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

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON values; the onset is ISO text in UTC."""
        return {
            "cluster_id": self.cluster_id,
            "kind": self.kind,
            "onset": self.onset.isoformat(sep=" "),
            "dimensions": list(self.dimensions),
            "severity": self.severity,
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """All faults of a fleet, and which clusters a good patrol flags and which it leaves alone."""

    faults: tuple[Fault, ...]
    must_flag: tuple[str, ...]
    """Cluster UUIDs with at least one clear fault."""
    must_not_flag: tuple[str, ...]
    """Cluster UUIDs of the decoys and of a sample of plain healthy clusters."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of the truth file."""
        return {
            "faults": [fault.to_json() for fault in self.faults],
            "must_flag": list(self.must_flag),
            "must_not_flag": list(self.must_not_flag),
        }
