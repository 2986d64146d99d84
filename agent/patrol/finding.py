"""What the patrol says about one cluster: who it is, what was measured, and what is wrong with it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.patrol.report import Factors, Severity, Tier
from agent.patrol.siblings import Siblings

SEVERITY_RANK: Mapping[Severity, int] = {"Critical": 0, "Warning": 1, "Unknown": 2}
TIER_RANK: Mapping[Tier, int] = {"S": 0, "A": 1, "B": 2}


@dataclass(frozen=True, slots=True)
class Identity:
    """An active cluster. Names come from people and are untrusted. `created` is naive UTC."""

    cluster_id: str
    name: str
    account_id: str = ""
    customer: str = ""
    tier: Tier = "B"
    cluster_type: str = ""
    version: str = ""
    created: datetime | None = None
    state: str = ""
    region: str = ""
    provider: str = ""
    machine: str = ""
    tier_known: bool = True
    frontends: int = 0
    workers: int = 0
    """Machines of both kinds; 0 where nobody knows."""
    odd_name: bool = False
    """Whether its name or its customer's had characters that cannot be seen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A flagged condition. `value`, `baseline` (the cluster's own usual) and `threshold` are in `unit`; `since` is the
    estimated onset in naive UTC; `query_id` is the receipt of the result that the value was computed from. For the rest
    see `agent.patrol.report.FlaggedFinding`."""

    cluster_id: str
    dimension: str
    severity: Severity
    value: float
    unit: str
    reason: str
    baseline: float | None = None
    threshold: float | None = None
    since: datetime | None = None
    query_id: str = ""
    down: bool = False
    course: tuple[float | None, ...] = ()
    hours_left: float | None = None
    breaking: float | None = None
    rule: str = ""
    siblings: Siblings | None = None
    """How the cluster's siblings do on the same dimension; None where it has none."""

    @property
    def key(self) -> str:
        """The same for the same condition in every patrol."""
        return f"{self.cluster_id}/{self.dimension}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """A steady course towards a limit: `hours` until `limit` is reached if it goes on, `soonest` and `latest` the ends
    of its 90 % interval; `fit` 0..1; `chances` is the probability of having reached it, by horizon in hours."""

    cluster_id: str
    dimension: str
    value: float
    limit: float
    unit: str
    hours: float
    fit: float
    soonest: float = 0.0
    latest: float = math.inf
    chances: Mapping[int, float] = field(default_factory=dict)
    down: bool = False


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """All that is known about one active cluster. `values` are the levels of now by dimension; `score` is 0..100, or
    None when too little is known; `gone` names metrics that stopped coming although others still come."""

    identity: Identity
    values: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    findings: tuple[Finding, ...] = ()
    outlooks: tuple[Outlook, ...] = ()
    operations: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    last_data: datetime | None = None
    usual: Mapping[str, float] = field(default_factory=dict)
    """What is usual at this hour, by dimension, where a past is known."""
    firing_rows: int = 0
    """Alert rows of seven days, repeats and all; only the reference platform's rules count these."""
    worst: float | None = None
    """Points (0..100) of its worst dimension, None when none is known."""
    share: float | None = None
    """Its part (0..1) of the fleet's usual queries and loads, None when it sends neither."""
    factors: Factors = field(default_factory=Factors)
    """What `agent.patrol.ranking` made of all that."""

    @property
    def severity(self) -> Severity | None:
        """The worst of its findings; None when there is none."""
        return min((finding.severity for finding in self.findings), key=SEVERITY_RANK.__getitem__, default=None)

    @property
    def rank(self) -> tuple[int, float, str]:
        """Sort key, worst first: severity, then health x tier x impact x change; the id makes it a total order."""
        severity = SEVERITY_RANK[self.severity] if self.severity else len(SEVERITY_RANK)
        return (severity, -self.factors.product, self.identity.cluster_id)
