"""Customers, clusters and machines: real proportions, ids that join, the traps that the real control plane has."""

import re

import pytest

from tests.sandbox.fleet.conftest import Builder, Built

ACTIVE = "NOT coalesce(stopped, false) AND NOT coalesce(deleted, false)"


@pytest.fixture(scope="module")
def large(fleet: Builder) -> Built:
    """As many clusters as the real fleet, with little history."""
    return fleet("none", clusters=170, days=2)


def test_the_active_clusters_are_as_many_as_asked_and_all_send_data(large: Built) -> None:
    sending = large.one("SELECT count(DISTINCT cluster_id) FROM metrics.amv_hourly_snapshots_v1")

    assert large.one(f"SELECT count(*) FROM byoc.clusters WHERE {ACTIVE}") == sending == 170


def test_most_clusters_are_deleted_or_stopped(large: Built) -> None:
    every, stopped, deleted = large.rows(
        "SELECT count(*), count(*) FILTER (WHERE stopped AND NOT coalesce(deleted, false)), "
        "count(*) FILTER (WHERE deleted) FROM byoc.clusters"
    )[0]

    assert every > 5 * 170
    assert 0.7 * 170 < stopped < 1.3 * 170
    assert deleted > 3 * 170


def test_some_flags_of_living_clusters_are_null(large: Built) -> None:
    assert large.one("SELECT count(*) FROM byoc.clusters WHERE stopped IS NULL OR deleted IS NULL") > 0


def test_both_architectures_are_common_and_a_few_clusters_name_neither(large: Built) -> None:
    kinds = dict(large.rows("SELECT cluster_type, count(*) / sum(count(*)) OVER () FROM byoc.clusters GROUP BY 1"))

    assert 0.4 < kinds["CLASSIC"] < 0.55
    assert 0.4 < kinds["ELASTIC"] < 0.6
    assert 0.005 < kinds[None] < 0.07


def test_customers_come_in_the_real_numbers(large: Built) -> None:
    states = dict(large.rows("SELECT state, count(*) FROM byoc.accounts GROUP BY 1"))

    assert large.one("SELECT count(*) FROM byoc.organizations") == 1130
    assert sum(states.values()) == 1281
    assert states[1] > states[4] > states[-2] > states[-1] > 0
    assert states[1] / 1281 == pytest.approx(0.76, abs=0.05)


def test_a_few_dozen_profiles_name_the_important_customers(large: Built) -> None:
    tiers = dict(large.rows("SELECT tier, count(*) FROM metrics.dim_customer_profile GROUP BY 1"))

    assert sum(tiers.values()) == 30
    assert 0 < tiers["S"] < tiers["A"] < tiers["B"]


def test_every_profiled_customer_runs_a_cluster(large: Built) -> None:
    idle = large.rows(
        f"SELECT account_id FROM metrics.dim_customer_profile WHERE account_id NOT IN "
        f"(SELECT account_id FROM byoc.clusters WHERE {ACTIVE})"
    )

    assert idle == []


def test_clusters_run_in_25_regions_of_three_clouds(large: Built) -> None:
    clouds = dict(large.rows("SELECT cloud, count(*) FROM byoc.region_details GROUP BY 1"))
    used = large.one("SELECT count(DISTINCT cloud) FROM byoc.clusters JOIN byoc.region_details USING (region_id)")

    assert sum(clouds.values()) == 25
    assert set(clouds) == {"AWS", "GCP", "Azure"}
    assert used == 3


def test_versions_have_the_enterprise_shape_and_some_are_unknown(large: Built) -> None:
    versions = [row[0] for row in large.rows("SELECT DISTINCT sr_version FROM byoc.cluster_info")]
    unknown = large.one(
        "SELECT count(*) FROM byoc.clusters WHERE biz_id NOT IN (SELECT cluster_id FROM byoc.cluster_info)"
    )
    every = large.one("SELECT count(*) FROM byoc.clusters")

    assert len(versions) >= 5
    assert all(re.fullmatch(r"\d\.\d\.\d+-ee", version) for version in versions)
    assert 0.05 < unknown / every < 0.16


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("byoc.accounts.org_id", "byoc.organizations.biz_id"),
        ("byoc.clusters.account_id", "byoc.accounts.biz_id"),
        ("byoc.clusters.region_id", "byoc.region_details.region_id"),
        ("byoc.cluster_info.cluster_id", "byoc.clusters.biz_id"),
        ("byoc.resource.cluster_id", "byoc.clusters.biz_id"),
        ("byoc.resource_node.resource_id", "byoc.resource.resource_id"),
        ("byoc.resource_node_conf.resource_node_id", "byoc.resource_node.resource_node_id"),
        ("byoc.resource_node_conf.vm_category_id", "byoc.vm_category.vm_category_id"),
        ("byoc.resource_usage.resource_id", "byoc.resource.resource_id"),
        ("byoc.resource_item.resource_usage_id", "byoc.resource_usage.resource_usage_id"),
        ("byoc.resource_item.vm_category_id", "byoc.vm_category.vm_category_id"),
        ("byoc.bill_detail.cluster_id", "byoc.clusters.biz_id"),
        ("byoc.billing_order.cluster_id", "byoc.clusters.biz_id"),
        ("byoc.ccu_weekly.cluster_id", "byoc.clusters.biz_id"),
        ("byoc.scaling_policy.cluster_id", "byoc.clusters.biz_id"),
        ("metrics.dim_customer_profile.account_id", "byoc.accounts.biz_id"),
    ],
)
def test_every_reference_finds_its_row(large: Built, child: str, parent: str) -> None:
    (table, column), (target, key) = child.rsplit(".", 1), parent.rsplit(".", 1)
    lost = large.one(f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {target})")

    assert large.one(f"SELECT count(*) FROM {table}") > 0
    assert lost == 0


def test_ids_have_the_shapes_of_the_control_plane(large: Built) -> None:
    short = [
        row[0] for row in large.rows("SELECT biz_id FROM byoc.accounts UNION ALL SELECT biz_id FROM byoc.organizations")
    ]
    long = [row[0] for row in large.rows("SELECT biz_id FROM byoc.clusters")]

    assert all(re.fullmatch(r"[a-z0-9]{9}", biz_id) for biz_id in short)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", biz_id) for biz_id in long)
    assert len(set(short)) == len(short)
    assert len(set(long)) == len(long)


def test_names_of_clusters_can_be_looked_up(large: Built) -> None:
    twice = large.rows("SELECT cluster_name FROM byoc.clusters GROUP BY 1 HAVING count(*) > 1")

    assert twice == []


def test_each_cluster_has_one_resource_and_one_configuration_in_use_per_node_group(large: Built) -> None:
    clusters, resources = large.rows("SELECT count(*), count(DISTINCT cluster_id) FROM byoc.resource")[0]
    in_use = large.rows(
        "SELECT DISTINCT count(*) FILTER (WHERE in_use) FROM byoc.resource_node_conf GROUP BY resource_node_id"
    )
    history = large.one("SELECT count(*) FROM byoc.resource_node_conf WHERE NOT in_use")

    assert clusters == resources
    assert in_use == [(1,)]
    assert history > 0


def test_each_usage_period_has_one_fe_item_and_one_other(large: Built) -> None:
    kinds = large.rows(
        "SELECT DISTINCT count(*) FILTER (WHERE type = 'FE'), "
        "count(*) FILTER (WHERE type IN ('BE', 'WAREHOUSE')), count(*) "
        "FROM byoc.resource_item GROUP BY resource_usage_id"
    )

    assert kinds == [(1, 1, 2)]


def test_usage_periods_are_epoch_seconds_and_only_running_ones_are_open(large: Built) -> None:
    wrong = large.one(
        "SELECT count(*) FROM byoc.resource_usage WHERE in_use <> (end_time IS NULL) OR end_time <= start_time "
        "OR start_time NOT BETWEEN 1500000000 AND 1800000000"
    )
    states = {row[0] for row in large.rows("SELECT DISTINCT state FROM byoc.resource")}

    assert wrong == 0
    assert states == {"RUNNING", "CREATING", "STOP", "RELEASE", "ERROR"}


def test_a_week_of_consumption_is_the_sum_of_its_bills(large: Built) -> None:
    differing = large.one(
        "SELECT count(*) FROM byoc.ccu_weekly AS w JOIN (SELECT cluster_id, date_trunc('week', bill_day) AS week, "
        "sum(ccu) AS ccu FROM byoc.bill_detail GROUP BY 1, 2) AS b ON b.cluster_id = w.cluster_id "
        "AND b.week = w.week_start WHERE abs(b.ccu - w.ccu) > 0.01"
    )

    assert differing == 0


def test_customer_names_come_from_the_profile_or_the_account(large: Built) -> None:
    keys, named = large.rows("SELECT count(*), count(customer_name) FROM metrics.v_customer_key_v2")[0]

    assert keys == named == large.one("SELECT count(*) FROM byoc.accounts")
