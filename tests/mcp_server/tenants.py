"""Two customers side by side in one warehouse: rows for every table that has an owner, and the same with one customer
alone, against which what a scope shows can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.mcp_server.fleet import write_table

ACME, BOLT = "acct0acme", "acct0bolt"
NOON = datetime(2026, 1, 10, 12)

Rows = dict[str, list[Mapping[str, Any]]]


def cluster_ids(account: str) -> list[str]:
    """The UUIDs of an account's three clusters."""
    letter = "a" if account == ACME else "b"
    return [f"{letter * 8}-0000-4000-8000-00000000000{number}" for number in range(3)]


def write(folder: Path, accounts: Sequence[str]) -> Path:
    """The warehouse of these accounts as CSV files; with both of them, rows that belong to nobody lie in it as well."""
    tables: Rows = {}
    for account in accounts:
        for table, rows in _owned(account).items():
            tables.setdefault(table, []).extend(rows)
    if len(accounts) > 1:
        for table, rows in _nobodys().items():
            tables[table].extend(rows)
    tables |= _shared()
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        write_table(folder / f"{table}.csv", rows)
    return folder


def _owned(account: str) -> Rows:
    name = account.removeprefix("acct0")
    size = 2 if account == ACME else 5
    clusters = cluster_ids(account)
    return {
        "byoc.organizations": [{"biz_id": f"org0{name}", "state": 1, "name": f"{name} group"}],
        "byoc.accounts": [{"biz_id": account, "org_id": f"org0{name}", "state": 1, "name": f"{name} account"}],
        "byoc.clusters": [
            {
                "biz_id": identity,
                "account_id": account,
                "cluster_name": "twin" if place == 0 else f"{name}-{place}",
                "cluster_type": "CLASSIC",
                "region_id": "region-1",
                "created_at": NOON - timedelta(days=place + size),
            }
            for place, identity in enumerate(clusters)
        ],
        "metrics.dim_customer_profile": [{"account_id": account, "customer_name": f"{name} Inc", "tier": "S"}],
        "metrics.v_customer_daily_360_v2": [
            {"report_day": NOON.date(), "account_id": account, "customer_name": name, "queries": size * 100}
        ],
        **_of_clusters(account, clusters, size),
        **_machines(clusters, size),
    }


def _of_clusters(account: str, clusters: Iterable[str], size: int) -> Rows:
    tables: Rows = {}
    for place, identity in enumerate(clusters):
        both = {"cluster_id": identity, "account_id": account}
        one = {"cluster_id": identity}
        number, at = place * 10 + size, NOON - timedelta(hours=place)
        sample = both | {"metric_name": "up", "value": number}
        hour = both | {"metric_name": "up", "avg_value": number, "max_value": number, "last_value": number}
        alert = {"message_id": f"m-{identity}", "created_at": at, "created_at_utc": at, "alert_name": "Disk"}
        rows: Rows = {
            "byoc.cluster_info": [one | {"sr_version": f"3.{size}.{place}-ee"}],
            "byoc.cluster_log": [
                one | {"log_time": at, "node": "fe-0", "level": "WARN", "message": f"line of {identity}"}
            ],
            "byoc.scaling_policy": [one | {"policy_id": f"p-{identity}", "max_nodes": number}],
            "byoc.bill_detail": [both | {"bill_day": at.date(), "item_type": "FE", "ccu": number, "amount": number}],
            "byoc.billing_order": [both | {"order_id": f"o-{identity}", "type": "UPDATE", "created_at": at}],
            "byoc.ccu_weekly": [both | {"week_start": at.date(), "ccu": number}],
            "metrics.metrics_table": [sample | {"event_time": at}],
            "metrics.amv_hourly_snapshots_v1": [hour | {"snapshot_hour": at}],
            "alerts.lark_alerts": [one | alert | {"alert_status": "Firing", "alert_detail": f"detail of {identity}"}],
            "alerts.issues": [one | {"issue_id": f"i-{identity}", "status": "Ongoing", "severity": "Critical"}],
            "alerts.cluster_health_scores": [both | {"computed_at": at, "overall_score": number}],
            "alerts.cluster_risk_snapshots": [
                both | {"computed_at": at, "risk_level": "Critical", "risk_reasons": f'["reason {size}"]'}
            ],
            "alerts.agent_investigations": [one | {"investigation_id": f"v-{identity}", "root_cause": f"cause {size}"}],
        }
        for table, more in rows.items():
            tables.setdefault(table, []).extend(more)
    return tables


def _machines(clusters: Iterable[str], size: int) -> Rows:
    tables: Rows = {}
    for identity in clusters:
        resource, node, usage = f"r-{identity}", f"n-{identity}", f"u-{identity}"
        conf = {"conf_id": f"c-{identity}", "resource_node_id": node, "vm_count": size, "in_use": "true"}
        item = {"resource_item_id": f"t-{identity}", "resource_usage_id": usage, "type": "FE", "vm_count": size}
        rows: Rows = {
            "byoc.resource": [{"resource_id": resource, "cluster_id": identity, "state": "RUNNING"}],
            "byoc.resource_node": [{"resource_node_id": node, "resource_id": resource, "type": "FE"}],
            "byoc.resource_node_conf": [conf | {"vm_category_id": "small"}],
            "byoc.resource_usage": [
                {"resource_usage_id": usage, "resource_id": resource, "start_time": 1, "in_use": "true"}
            ],
            "byoc.resource_item": [item],
        }
        for table, more in rows.items():
            tables.setdefault(table, []).extend(more)
    return tables


def _nobodys() -> Rows:
    return {
        "byoc.resource": [{"resource_id": "r-nobody", "cluster_id": "", "state": "nobody"}],
        "alerts.lark_alerts": [{"message_id": "m-nobody", "created_at": NOON, "alert_name": "nobody"}],
        "alerts.issues": [{"issue_id": "i-nobody", "cluster_id": "gone", "severity": "nobody"}],
    }


def _shared() -> Rows:
    return {
        "byoc.region_details": [{"region_id": "region-1", "display_name": "US East us-east-1", "cloud": "AWS"}],
        "byoc.vm_category": [{"vm_category_id": "small", "instance_type": "m5.xlarge", "memory_gb": 16}],
        "metrics.metrics_dict_v2": [{"metric_name": "up", "unit": "ratio", "metric_type": "gauge"}],
        "alerts.patrol_reports": [{"report_id": "R", "fleet_narrative": "acme and bolt"}],
        "alerts.alert_recommendations": [{"report_date": NOON.date(), "alert_name": "Disk", "cluster_names": "twin"}],
    }
