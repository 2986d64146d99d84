"""What the rules know of a cluster before anybody investigates: its part of one look at the whole fleet.

It is plain JSON when written down, so that an investigation repeated after a crash rests on the same figures."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from agent.answer import ToolTrace
from agent.investigation.conclusion import Level
from agent.patrol.evidence import Evidence, label
from agent.patrol.explain import cluster_of
from agent.patrol.finding import ClusterEvidence, Finding
from agent.patrol.report import Tier

TOGETHER = timedelta(hours=2)
"""What began within this time of each other began together."""
_PEERS = 12
_TABLE = re.compile(r"\b(?:metrics|byoc|alerts)\.\w+")
_COLUMNS = ("cluster_name", "cluster_id", "dimension", "value", "usual", "limit", "said", "since")


@dataclass(frozen=True, slots=True)
class Measured:
    """One finding of the cluster, or of a peer; figures are in `unit`, `since` is naive UTC."""

    dimension: str
    severity: Level
    value: float
    unit: str
    reason: str
    baseline: float | None = None
    threshold: float | None = None
    since: datetime | None = None
    query_id: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """A cluster that shares the account or the version. `same` = it shows a finding of the same dimension, `alike` =
    and that began at about the same time."""

    cluster_id: str
    name: str
    account: bool
    version: bool
    alike: bool
    severity: Level = "Info"
    same: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """One cluster as of the hour `as_of` (naive UTC). `known` is false for a cluster that is not active, or not to be
    seen by who asks. `strangers` are clusters with neither account nor version in common that show the same since
    the same time. Names are untrusted."""

    asked: str
    now: datetime
    as_of: datetime
    known: bool = False
    cluster_id: str = ""
    name: str = ""
    account_id: str = ""
    customer: str = ""
    tier: Tier = "B"
    version: str = ""
    stale: bool = False
    findings: tuple[Measured, ...] = ()
    alerts: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    peers: tuple[Peer, ...] = ()
    strangers: tuple[str, ...] = ()
    hours_left: float | None = None
    receipts: Mapping[str, str] = field(default_factory=dict)
    """The SQL behind the query ids that the findings name."""

    @property
    def severity(self) -> Level:
        """The worst that was measured; Unknown for a cluster of which nothing is known."""
        if not self.known:
            return "Unknown"
        return self.lead.severity if self.lead else "Info"

    @property
    def lead(self) -> Measured | None:
        """The gravest finding."""
        return self.findings[0] if self.findings else None

    @property
    def onset(self) -> datetime | None:
        """When the trouble began, as far as that could be measured."""
        return min((one.since for one in self.findings if one.since), default=None)

    def to_json(self) -> Any:
        """The scene as plain JSON; read back by `scene_from`."""
        return _READER.dump_python(self, mode="json")

    def render(self) -> str:
        """The scene for a prompt; names in it are quoted data."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Newest data of the fleet: {_minute(self.as_of)} UTC" + (" (old)" if self.stale else "")
        if not self.known:
            yield f"Cluster asked for: {self.asked!r}: not among the active clusters that can be seen"
            return
        yield f"Cluster {self.cluster_id} {self.name!r}, tier {self.tier}, version {self.version or 'unknown'}"
        yield f"Measured severity: {self.severity}; began {_minute(self.onset) if self.onset else 'at an unknown time'}"
        for one in self.findings:
            began = f", since {_minute(one.since)}" if one.since else ""
            yield f"- {one.dimension} {one.severity}: {one.reason}{began} ({one.query_id})"
        if not self.findings:
            yield "- nothing is flagged: within its limits and its own past"
        if self.alerts:
            yield f"Alerts firing: {', '.join(self.alerts)}"
        yield from (f"Pattern of the fleet: {one}" for one in self.patterns)
        alike = [one for one in self.peers if one.alike]
        for trait, count, same in self.shares():
            yield f"Of {count} other clusters of the same {trait}, {same} show the same since about the same time"
        yield from (f"- alike: {one.cluster_id} {one.name!r} {one.severity}" for one in alike[:_PEERS])
        if self.strangers:
            yield f"Clusters with neither in common that show the same since then: {len(self.strangers)}"

    def shares(self) -> Iterator[tuple[str, int, int]]:
        """What peers share, how many of them there are, and how many are alike."""
        for trait in ("account", "version"):
            those = [one for one in self.peers if getattr(one, trait)]
            if those:
                yield trait, len(those), sum(one.alike for one in those)

    def traces(self) -> tuple[ToolTrace, ...]:
        """The look as calls: what was measured as a table, and the statements that it came from."""
        rows = [
            [self.name, self.cluster_id, one.dimension, one.value, one.baseline, one.threshold, one.reason,
             str(one.since) if one.since else None]
            for one in self.findings
        ]  # fmt: skip
        data = {"columns": [{"name": name} for name in _COLUMNS], "rows": rows, "row_count": len(rows)}
        return tuple(
            ToolTrace("evidence", {}, False, 0.0, {**(data if at == 0 else {}), **_source(query_id, sql)})
            for at, (query_id, sql) in enumerate(self.receipts.items())
        )


def _source(query_id: str, sql: str) -> Mapping[str, Any]:
    return {"query_id": query_id, "sql": sql, "tables": list(dict.fromkeys(_TABLE.findall(sql)))}


_READER: TypeAdapter[Scene] = TypeAdapter(Scene)


def scene_from(told: Any) -> Scene:
    """The scene that `Scene.to_json` was made of."""
    return _READER.validate_python(told)


def scene_of(evidence: Evidence, asked: str) -> Scene:
    """The part of the evidence that is about the cluster meant by an id, a unique beginning of one, or its name."""
    meant = cluster_of(evidence, asked)
    if len(meant) != 1:
        return Scene(asked, evidence.now, evidence.as_of, stale=evidence.stale)
    found = meant[0]
    identity = found.identity
    named = {one.query_id for one in found.findings}
    return Scene(
        asked,
        evidence.now,
        evidence.as_of,
        known=True,
        cluster_id=identity.cluster_id,
        name=label(identity),
        account_id=identity.account_id,
        customer=identity.customer,
        tier=identity.tier,
        version=identity.version,
        stale=evidence.stale,
        findings=tuple(_measured(one) for one in found.findings),
        alerts=found.alerts[:_PEERS],
        patterns=tuple(
            words
            for pattern, words in zip(evidence.shared, evidence.patterns, strict=False)
            if identity.cluster_id in pattern.clusters
        ),
        peers=tuple(_peers(evidence, found)),
        strangers=tuple(
            one.identity.cluster_id
            for one in evidence.clusters
            if one is not found and not any(_common(found, one)) and _alike(found, one)
        ),
        hours_left=min((one.hours_left for one in found.findings if one.hours_left), default=None),
        receipts={key: sql for key, sql in evidence.receipts.items() if key in named},
    )


def _measured(one: Finding) -> Measured:
    figures = (one.value, one.unit, one.reason, one.baseline, one.threshold)
    return Measured(one.dimension, one.severity, *figures, one.since, one.query_id)


def _common(one: ClusterEvidence, other: ClusterEvidence) -> tuple[bool, bool]:
    ours, theirs = one.identity, other.identity
    return (
        bool(ours.account_id) and ours.account_id == theirs.account_id,
        bool(ours.version) and ours.version == theirs.version,
    )


def _same(one: ClusterEvidence, other: ClusterEvidence) -> list[Finding]:
    """The findings of another cluster on the dimension of this one's gravest."""
    return [theirs for theirs in other.findings if one.findings and theirs.dimension == one.findings[0].dimension]


def _alike(one: ClusterEvidence, other: ClusterEvidence) -> bool:
    since = one.findings[0].since if one.findings else None
    known = [theirs.since for theirs in _same(one, other) if theirs.since is not None]
    return since is not None and any(abs(since - theirs) <= TOGETHER for theirs in known)


def _peers(evidence: Evidence, found: ClusterEvidence) -> Iterator[Peer]:
    for one in evidence.clusters:
        account, version = _common(found, one)
        if one is not found and (account or version):
            who = one.identity
            shown = (one.severity or "Info", bool(_same(found, one)))
            yield Peer(who.cluster_id, label(who), account, version, _alike(found, one), *shown)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
