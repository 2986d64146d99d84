"""The control plane's paper trail: accounts, clusters, machines in use and before, usage periods, bills, policies."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sandbox.fleet.chance import stream, uuids
from sandbox.fleet.inventory import Cluster, Fleet
from sandbox.fleet.regions import MACHINES, REGIONS, Machine

Row = dict[str, Any]
Tables = dict[str, list[Row]]

_CCU_PER_VCPU_DAY = 24 / 4
_USD_PER_CCU = 0.35
_MOST_BILL_DAYS = 60


def tables(fleet: Fleet, seed: int, days: int, now: datetime) -> Tables:
    """Return the rows of the byoc tables that describe customers, clusters, machines and money."""
    return {**_customers(fleet), **_clusters(fleet), **Paperwork(fleet, seed, now).tables(), **_bills(fleet, days, now)}


def _customers(fleet: Fleet) -> Tables:
    return {
        "byoc.organizations": [
            {
                "biz_id": o.biz_id,
                "state": o.state,
                "region_mode": o.region_mode,
                "identity": o.identity,
                "name": o.name,
                "created_at": o.created_at,
            }
            for o in fleet.organizations
        ],
        "byoc.accounts": [
            {"biz_id": a.biz_id, "org_id": a.org_id, "state": a.state, "name": a.name, "email": a.email}
            for a in fleet.accounts
        ],
        "metrics.dim_customer_profile": [
            {
                "account_id": a.biz_id,
                "customer_name": a.name,
                "tier": a.tier,
                "stage": a.stage,
                "use_case": a.use_case,
            }
            for a in fleet.accounts
            if a.tier
        ],
    }


def _clusters(fleet: Fleet) -> Tables:
    every = [*fleet.active, *fleet.retired]
    return {
        "byoc.clusters": [
            {
                "biz_id": c.biz_id,
                "account_id": c.account.biz_id,
                "cluster_name": c.name,
                "cluster_type": c.kind,
                "region_id": fleet.region_ids[c.region],
                "stopped": c.stopped,
                "deleted": c.deleted,
                "created_at": c.created_at,
            }
            for c in every
        ],
        "byoc.cluster_info": [
            {
                "cluster_id": c.biz_id,
                "sr_version": c.version,
                "is_cn_deployment": False,
                "cluster_type": c.kind,
                "deleted": c.deleted,
            }
            for c in every
            if c.version is not None
        ],
        "byoc.region_details": [
            {"region_id": fleet.region_ids[r], "display_name": r.display_name, "cloud": r.cloud} for r in REGIONS
        ],
    }


class Paperwork:
    """Writes the resource family of every cluster, keys consistent from catalogue to usage item."""

    def __init__(self, fleet: Fleet, seed: int, now: datetime) -> None:
        self._fleet, self._now = fleet, now
        self._rng = stream(seed, "resources")
        self._tables: Tables = {
            f"byoc.{name}": []
            for name in (
                "vm_category",
                "resource",
                "resource_node",
                "resource_node_conf",
                "resource_usage",
                "resource_item",
                "scaling_policy",
            )
        }
        self._catalogue = dict(self._machines())

    def tables(self) -> Tables:
        """Return the rows of the seven tables."""
        for cluster in self._fleet.active:
            self._write(cluster, "RUNNING" if self._rng.random() < 0.97 else "CREATING")
        for cluster in self._fleet.retired:
            state = "STOP" if not cluster.deleted else str(self._rng.choice(("RELEASE", "ERROR"), p=(0.79, 0.21)))
            self._write(cluster, state)
        return self._tables

    def _machines(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Fill the catalogue; yield (region code, instance type) → id."""
        for region in REGIONS:
            for machine in (m for m in MACHINES if m.cloud == region.cloud):
                key = self._id()
                self._add(
                    "vm_category",
                    vm_category_id=key,
                    instance_type=machine.name,
                    vcpu=machine.vcpu,
                    memory_gb=machine.memory_gb,
                    cloud=machine.cloud,
                    region_code=region.code,
                    price_per_hour=round(machine.price * (1 + abs(region.offset) / 50), 4),
                )
                yield (region.code, machine.name), key

    def _write(self, cluster: Cluster, state: str) -> None:
        resource = self._id()
        self._add(
            "resource",
            resource_id=resource,
            cluster_id=cluster.biz_id,
            account_id=cluster.account.biz_id,
            resource_struct=cluster.kind or "CLASSIC",
            pay_type="POST_PAY",
            state=state,
            created_at=cluster.created_at,
        )
        self._nodes(cluster, resource)
        self._usages(cluster, resource, running=state == "RUNNING")
        if cluster.elastic and state == "RUNNING" and self._rng.random() < 0.4:
            self._policy(cluster)

    def _nodes(self, cluster: Cluster, resource: str) -> None:
        for kind, name, count in (("FE", "fe", cluster.fe_count), ("WAREHOUSE", "default_warehouse", cluster.be_count)):
            node = self._id()
            self._add("resource_node", resource_node_id=node, resource_id=resource, type=kind, name=name)
            for age in range(int(self._rng.integers(1, 4))):
                self._add(
                    "resource_node_conf",
                    conf_id=self._id(),
                    resource_node_id=node,
                    vm_category_id=self._vm(cluster, cluster.machine),
                    vm_count=count if age == 0 else max(1, count - age),
                    volume_gb=cluster.volume_gb if kind == "WAREHOUSE" else 100,
                    in_use=age == 0,
                    created_at=cluster.created_at + timedelta(days=7 * (3 - age)),
                )

    def _usages(self, cluster: Cluster, resource: str, *, running: bool) -> None:
        start = cluster.created_at
        for period in range(int(self._rng.integers(1, 5))):
            newest = period == 0
            usage = self._id()
            begin = int((start - timedelta(days=9 * period)).timestamp())
            open_end = newest and running
            self._add(
                "resource_usage",
                resource_usage_id=usage,
                resource_id=resource,
                start_time=begin,
                end_time=None if open_end else begin + int(self._rng.integers(3600, 8 * 86_400)),
                in_use=open_end,
            )
            for kind, count in (("FE", cluster.fe_count), ("WAREHOUSE" if cluster.elastic else "BE", cluster.be_count)):
                self._add(
                    "resource_item",
                    resource_item_id=self._id(),
                    resource_usage_id=usage,
                    type=kind,
                    vm_category_id=self._vm(cluster, cluster.machine),
                    vm_count=count,
                )

    def _policy(self, cluster: Cluster) -> None:
        self._add(
            "scaling_policy",
            policy_id=self._id(),
            cluster_id=cluster.biz_id,
            warehouse_name="default_warehouse",
            policy_type=str(self._rng.choice(("AUTO", "SCHEDULE"))),
            min_nodes=max(1, cluster.be_count // 2),
            max_nodes=cluster.be_count * 2,
            enabled=bool(self._rng.random() < 0.8),
            updated_at=cluster.created_at + timedelta(days=20),
        )

    def _add(self, table: str, **row: Any) -> None:
        self._tables[f"byoc.{table}"].append(row)

    def _id(self) -> str:
        return uuids(self._rng, 1)[0]

    def _vm(self, cluster: Cluster, machine: Machine) -> str:
        return self._catalogue[cluster.region.code, machine.name]


def _bills(fleet: Fleet, days: int, now: datetime) -> Tables:
    """Return bills per day of the active clusters, and their weekly roll-up over complete days."""
    today = datetime(now.year, now.month, now.day)  # noqa: DTZ001 - all stored times are UTC without zone
    dates = [today - timedelta(days=back) for back in range(min(days, _MOST_BILL_DAYS), 0, -1)]
    daily = [row for cluster in fleet.active for row in _bill(cluster, dates)]
    return {"byoc.bill_detail": daily, "byoc.ccu_weekly": [r for c in fleet.active for r in _weeks(c, dates)]}


def _bill(cluster: Cluster, dates: list[datetime]) -> Iterator[Row]:
    items = (("FE", cluster.fe_count), ("WAREHOUSE" if cluster.elastic else "BE", cluster.be_count))
    for day in dates:
        for kind, count in items:
            ccu = count * cluster.machine.vcpu * _CCU_PER_VCPU_DAY
            yield {
                "bill_day": day,
                "cluster_id": cluster.biz_id,
                "account_id": cluster.account.biz_id,
                "item_type": kind,
                "ccu": ccu,
                "amount": round(ccu * _USD_PER_CCU, 4),
            }


def _weeks(cluster: Cluster, dates: list[datetime]) -> Iterator[Row]:
    per_day = cluster.node_count * cluster.machine.vcpu * _CCU_PER_VCPU_DAY
    mondays = np.array([day - timedelta(days=day.weekday()) for day in dates], dtype="datetime64[D]")
    before = None
    for monday, count in zip(*np.unique(mondays, return_counts=True), strict=True):
        ccu = float(per_day * count)
        yield {
            "week_start": monday.astype("datetime64[us]").astype(datetime),
            "cluster_id": cluster.biz_id,
            "account_id": cluster.account.biz_id,
            "ccu": ccu,
            "change_pct": None if before is None else round(100 * (ccu / before - 1), 1),
        }
        before = ccu
