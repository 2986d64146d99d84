"""Who owns which cluster and where it runs: organizations, accounts, profiles and clusters in real proportions."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from sandbox.fleet import names
from sandbox.fleet.chance import short_ids, stream, uuids
from sandbox.fleet.regions import MACHINES, REGIONS, WEIGHTS, Machine, Region

_ACTIVE_CLUSTERS_OF_THE_REAL_FLEET = 172
_STOPPED_PER_ACTIVE = 0.95
_DELETED_PER_ACTIVE = 4.0
_VERSIONS = ("3.1.15-ee", "3.2.12-ee", "3.3.9-ee", "3.3.14-ee", "3.4.5-ee", "3.4.7-ee", "3.5.2-ee")
_VERSION_SHARES = (0.06, 0.10, 0.20, 0.22, 0.18, 0.18, 0.06)


@dataclass(frozen=True, slots=True)
class Organization:
    """A row of byoc.organizations."""

    biz_id: str
    name: str
    identity: str
    state: int
    region_mode: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A row of byoc.accounts, with the profile of the few customers that have one."""

    biz_id: str
    org_id: str
    state: int
    name: str
    email: str
    tier: str | None = None
    stage: str | None = None
    use_case: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with its machines; `kind` and `version` are None where the control plane knows none."""

    biz_id: str
    account: Account
    name: str
    kind: str | None
    region: Region
    stopped: bool | None
    deleted: bool | None
    created_at: datetime
    version: str | None
    machine: Machine
    fe_count: int
    be_count: int
    volume_gb: int

    @property
    def node_count(self) -> int:
        """Return FE and BE or CN nodes together."""
        return self.fe_count + self.be_count

    @property
    def elastic(self) -> bool:
        """Return whether data live in the object store."""
        return self.kind == "ELASTIC"


@dataclass(slots=True)
class Fleet:
    """The inventory; `active` comes in a fixed order, its index is the row of a cluster in every series."""

    organizations: list[Organization]
    accounts: list[Account]
    region_ids: dict[Region, str]
    active: list[Cluster]
    retired: list[Cluster] = field(default_factory=list)

    def amend(self, row: int, **changes: str | int) -> None:
        """Give the active cluster in `row` another name, version or be_count."""
        self.active[row] = replace(self.active[row], **changes)  # type: ignore[arg-type]

    def siblings(self, row: int) -> list[int]:
        """Return the rows of the active clusters of the same account, `row` included."""
        account = self.active[row].account.biz_id
        return [i for i, cluster in enumerate(self.active) if cluster.account.biz_id == account]


def settle(seed: int, clusters: int, now: datetime) -> Fleet:
    """Return a fleet with `clusters` active clusters as of `now` (UTC)."""
    rng = stream(seed, "inventory")
    organizations, accounts = _customers(rng, clusters, now)
    owners = _owners(rng, accounts, clusters)
    region_ids = dict(zip(REGIONS, uuids(rng, len(REGIONS)), strict=True))
    fleet = Fleet(organizations, accounts, region_ids, _active(rng, owners, clusters, now))
    fleet.retired = _retired(rng, accounts, clusters, now)
    return fleet


def _customers(rng: np.random.Generator, clusters: int, now: datetime) -> tuple[list[Organization], list[Account]]:
    scale = clusters / _ACTIVE_CLUSTERS_OF_THE_REAL_FLEET
    org_count, account_count = max(4, round(1143 * scale)), max(5, round(1296 * scale))
    organizations = [
        Organization(
            biz_id=biz_id,
            name=company,
            identity=names.domain(rng, company),
            state=int(rng.random() < 0.93),
            region_mode="SINGLE" if rng.random() < 0.8 else "MULTI",
            created_at=_long_ago(rng, now),
        )
        for biz_id, company in zip(short_ids(rng, org_count, "o"), names.companies(rng, org_count), strict=True)
    ]
    accounts = [
        _account(rng, biz_id, organizations[i % org_count], second=i >= org_count)
        for i, biz_id in enumerate(short_ids(rng, account_count, "a"))
    ]
    return organizations, _profiled(rng, accounts, max(4, round(30 * scale)))


def _account(rng: np.random.Generator, biz_id: str, owner: Organization, *, second: bool) -> Account:
    state = int(rng.choice((1, 4, -2, -1), p=(0.762, 0.2, 0.03, 0.008)))
    name = f"{owner.name} (second)" if second else owner.name
    return Account(biz_id, owner.biz_id, state, name, f"admin@{owner.identity}")


def _profiled(rng: np.random.Generator, accounts: list[Account], count: int) -> list[Account]:
    """Give the first `count` living accounts a profile; the first of them are the important ones."""
    living = [account for account in accounts if account.state == 1][:count]
    tiers = {account.biz_id: _tier(i, len(living)) for i, account in enumerate(living)}
    return [
        replace(
            account,
            tier=tiers[account.biz_id],
            stage=str(rng.choice(names.STAGES)),
            use_case=str(rng.choice(names.USE_CASES)),
        )
        if account.biz_id in tiers
        else account
        for account in accounts
    ]


def _tier(place: int, count: int) -> str:
    share = (place + 1) / count
    return "S" if place == 0 or share <= 0.2 else "A" if share <= 0.55 else "B"


def _owners(rng: np.random.Generator, accounts: list[Account], clusters: int) -> list[Account]:
    """Return the account of each active cluster: every profiled one owns some, a few own many."""
    profiled = [account for account in accounts if account.tier]
    others = [account for account in accounts if not account.tier and account.state in {1, 4}]
    pool = profiled + others[: max(1, round(clusters * 0.45) - len(profiled))]
    pool = pool[: max(1, (2 * clusters) // 3)]
    weights = 1 / np.arange(2, len(pool) + 2) ** 0.7
    drawn = rng.choice(len(pool), size=max(0, clusters - len(pool)), p=weights / weights.sum())
    rows = np.concatenate([np.arange(len(pool)), drawn])[:clusters]
    return [pool[i] for i in rng.permutation(rows)]


def _active(rng: np.random.Generator, owners: list[Account], clusters: int, now: datetime) -> list[Cluster]:
    labels = names.clusters(rng, clusters)
    return [
        _cluster(
            rng,
            biz_id,
            owner,
            label,
            # The control plane leaves the flags NULL on some living clusters.
            stopped=None if rng.random() < 0.03 else False,
            deleted=None if rng.random() < 0.03 else False,
            created_at=_long_ago(rng, now - timedelta(days=120)),
        )
        for biz_id, owner, label in zip(uuids(rng, clusters), owners, labels, strict=True)
    ]


def _retired(rng: np.random.Generator, accounts: list[Account], clusters: int, now: datetime) -> list[Cluster]:
    stopped, deleted = round(clusters * _STOPPED_PER_ACTIVE), round(clusters * _DELETED_PER_ACTIVE)
    owners = rng.integers(0, len(accounts), stopped + deleted)
    return [
        _cluster(
            rng,
            biz_id,
            accounts[owner],
            f"old-{name}",
            stopped=i < stopped or bool(rng.random() < 0.3),
            deleted=i >= stopped,
            created_at=_long_ago(rng, now - timedelta(days=30)),
        )
        for i, (biz_id, owner, name) in enumerate(
            zip(uuids(rng, len(owners)), owners, names.clusters(rng, len(owners)), strict=True)
        )
    ]


def _cluster(
    rng: np.random.Generator,
    biz_id: str,
    account: Account,
    name: str,
    *,
    stopped: bool | None,
    deleted: bool | None,
    created_at: datetime,
) -> Cluster:
    region = REGIONS[int(rng.choice(len(REGIONS), p=np.array(WEIGHTS) / sum(WEIGHTS)))]
    machines = [machine for machine in MACHINES if machine.cloud == region.cloud and machine.memory_gb <= 128]
    known = rng.random() >= (0.12 if deleted or stopped else 0.03)
    return Cluster(
        biz_id=biz_id,
        account=account,
        name=name,
        kind=(None, "CLASSIC", "ELASTIC")[int(rng.choice(3, p=(0.031, 0.475, 0.494)))],
        region=region,
        stopped=stopped,
        deleted=deleted,
        created_at=created_at,
        version=str(rng.choice(_VERSIONS, p=_VERSION_SHARES)) if known else None,
        machine=machines[int(rng.integers(len(machines)))],
        fe_count=int(rng.choice((1, 3), p=(0.35, 0.65))),
        be_count=int(rng.choice((3, 3, 4, 5, 6, 8, 12))),
        volume_gb=int(rng.choice((500, 1000, 2000, 4000))),
    )


def _long_ago(rng: np.random.Generator, now: datetime) -> datetime:
    return (now - timedelta(minutes=int(rng.integers(60, 900 * 24 * 60)))).replace(microsecond=0)
