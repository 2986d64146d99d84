"""Whose rows a table holds: for each table the condition under which a row belongs to given accounts."""

import re
from collections.abc import Mapping

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")

_CLUSTERS = "SELECT biz_id FROM byoc.clusters WHERE account_id IN ({accounts})"
_RESOURCES = f"SELECT resource_id FROM byoc.resource WHERE cluster_id IN ({_CLUSTERS})"
_NODES = f"SELECT resource_node_id FROM byoc.resource_node WHERE resource_id IN ({_RESOURCES})"
_USAGES = f"SELECT resource_usage_id FROM byoc.resource_usage WHERE resource_id IN ({_RESOURCES})"
_ORGANIZATIONS = "SELECT org_id FROM byoc.accounts WHERE biz_id IN ({accounts})"

_OF_ACCOUNT = "account_id IN ({accounts})"
_OF_CLUSTER = f"cluster_id IN ({_CLUSTERS})"

OWNERSHIP: Mapping[str, str] = {
    "byoc.accounts": "biz_id IN ({accounts})",
    "byoc.organizations": f"biz_id IN ({_ORGANIZATIONS})",
    "byoc.clusters": _OF_ACCOUNT,
    "byoc.cluster_info": _OF_CLUSTER,
    "byoc.cluster_log": _OF_CLUSTER,
    "byoc.scaling_policy": _OF_CLUSTER,
    "byoc.resource": _OF_CLUSTER,
    "byoc.resource_node": f"resource_id IN ({_RESOURCES})",
    "byoc.resource_node_conf": f"resource_node_id IN ({_NODES})",
    "byoc.resource_usage": f"resource_id IN ({_RESOURCES})",
    "byoc.resource_item": f"resource_usage_id IN ({_USAGES})",
    "byoc.bill_detail": _OF_CLUSTER,
    "byoc.billing_order": _OF_CLUSTER,
    "byoc.ccu_weekly": _OF_CLUSTER,
    "metrics.metrics_table": _OF_ACCOUNT,
    "metrics.amv_hourly_snapshots_v1": _OF_ACCOUNT,
    "metrics.metrics_hourly_view_v6": _OF_ACCOUNT,
    "metrics.dim_customer_profile": _OF_ACCOUNT,
    "metrics.v_customer_daily_360_v2": _OF_ACCOUNT,
    "metrics.v_customer_key_v2": "biz_id IN ({accounts})",
    "alerts.lark_alerts": _OF_CLUSTER,
    "alerts.issues": _OF_CLUSTER,
    "alerts.cluster_health_scores": _OF_CLUSTER,
    "alerts.cluster_risk_snapshots": _OF_CLUSTER,
    "alerts.agent_investigations": _OF_CLUSTER,
}
"""Table → condition on its rows, with the list of quoted accounts for `{accounts}`. Columns that may be NULL are not
relied on: a row of unknown owner is nobody's."""

SHARED: frozenset[str] = frozenset({"byoc.region_details", "byoc.vm_category", "metrics.metrics_dict_v2"})
"""Tables that tell nothing of any customer. One that is in neither list tells of several: it is closed to a scope of
accounts (patrol reports, fleet-wide alert counts)."""


def condition(table: str, accounts: frozenset[str]) -> str:
    """The condition that keeps only rows of these accounts. Raises KeyError for tables whose rows have no one owner,
    ValueError for an account that is no plain id."""
    if not all(_ACCOUNT.fullmatch(account) for account in accounts):
        raise ValueError("an account is no plain id")
    listed = ", ".join(f"'{account}'" for account in sorted(accounts)) or "NULL"
    return OWNERSHIP[table].replace("{accounts}", listed)
