"""The build as a whole: repeatable, any size, scenarios by name, and silent about what it planted."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import schema
from sandbox.engine import open_engine
from sandbox.fleet import FORMS, build
from sandbox.fleet.decoys import DECOYS
from sandbox.fleet.faults import KINDS
from sandbox.fleet.inventory import settle
from sandbox.fleet.scenario import plan
from tests.sandbox.fleet.conftest import NOW, Builder, Built

SMALL = {"clusters": 6, "days": 3}
HAMLET, TOWN = settle(1, 2, NOW), settle(1, 40, NOW)
TABLES = [table for table in schema.tables() if table not in schema.views()]
ALERTED = {
    "alerts.lark_alerts",
    "alerts.alert_recommendations",
    "alerts.issues",
    "metrics.v_customer_daily_360_v2",
}


def fingerprint(built: Built) -> dict[str, tuple[int, object]]:
    """Return rows and an order-free hash of every table."""
    return {
        t: built.rows(f"SELECT count(*), sum(hash(x)) FROM (SELECT COLUMNS(*)::VARCHAR FROM {t}) AS x")[0]
        for t in TABLES
    }


def test_the_same_seed_and_minute_give_the_same_fleet(fleet: Builder) -> None:
    first = fleet("default", **SMALL)
    again = fleet("default", **SMALL, now=NOW + timedelta(seconds=30), copy=1)

    assert fingerprint(first) == fingerprint(again)
    assert first.truth == again.truth


def test_within_an_hour_only_alerts_and_what_is_counted_from_them_go_on(fleet: Builder) -> None:
    first = fleet("default", **SMALL)
    later = fleet("default", **SMALL, now=NOW + timedelta(minutes=30), copy=1)
    before, after = fingerprint(first), fingerprint(later)
    settled = "SELECT * FROM alerts.lark_alerts WHERE created_at_utc <= $1 ORDER BY ALL"
    hour = NOW.replace(minute=0)

    assert {table for table in TABLES if before[table] != after[table]} <= ALERTED
    assert before["alerts.lark_alerts"] != after["alerts.lark_alerts"]
    assert first.rows(settled, hour) == later.rows(settled, hour)
    assert first.truth == later.truth


def test_another_seed_gives_another_fleet(fleet: Builder) -> None:
    first, other = fingerprint(fleet("default", **SMALL)), fingerprint(fleet("default", **SMALL, seed=8))

    assert first["byoc.clusters"] != other["byoc.clusters"]
    assert first["metrics.amv_hourly_snapshots_v1"] != other["metrics.amv_hourly_snapshots_v1"]


def test_only_the_instant_of_now_counts_in_whatever_zone_it_is_given(fleet: Builder) -> None:
    tokyo = NOW.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))

    assert fingerprint(fleet("none", **SMALL)) == fingerprint(fleet("none", **SMALL, now=tokyo, copy=2))


def test_all_tables_are_filled_but_the_reports(troubled: Built) -> None:
    empty = [table for table in schema.tables() if troubled.one(f"SELECT count(*) FROM {table}") == 0]

    assert empty == ["alerts.patrol_reports"]


def test_the_truth_is_nowhere_in_the_warehouse(troubled: Built) -> None:
    names = [item.name for item in (*KINDS, *DECOYS)]
    pattern = re.compile("|".join(rf"\b{name}\b" for name in (*names, "must_flag", "must_not_flag", "decoy")))
    for table in TABLES:
        if table not in {"metrics.amv_hourly_snapshots_v1", "metrics.metrics_table"}:
            told = [row for row in troubled.rows(f"SELECT * FROM {table}") if pattern.search(repr(row))]
            assert told == [], table
    metric_names = troubled.rows("SELECT DISTINCT metric_name FROM metrics.amv_hourly_snapshots_v1")
    assert not pattern.search(repr(metric_names))


def test_the_truth_file_has_the_agreed_form(troubled: Built) -> None:
    content = json.loads(json.dumps(troubled.truth.to_json()))

    assert set(content) == {"faults", "must_flag", "must_not_flag", "may_flag"}
    for fault in content["faults"]:
        assert set(fault) == {"cluster_id", "kind", "onset", "dimensions", "severity", "border"}
        assert datetime.fromisoformat(fault["onset"]) < NOW
        assert fault["dimensions"]
    assert {fault["kind"] for fault in content["faults"]} == {kind.name for kind in KINDS}


def test_an_unknown_scenario_is_refused_with_the_names(fleet: Builder) -> None:
    with pytest.raises(ValueError, match="unknown scenario 'meltdown'") as refused:
        fleet("meltdown", **SMALL)
    assert all(name in str(refused.value) for name in FORMS)


@pytest.mark.parametrize(("clusters", "days"), [(0, 3), (3, 1), (100_000, 3), (3, 10_000)])
def test_a_size_out_of_bounds_is_refused(fleet: Builder, clusters: int, days: int) -> None:
    with pytest.raises(ValueError, match=r"must be \d"):
        fleet("none", clusters=clusters, days=days)


@pytest.mark.parametrize("clusters", [1, 2, 5])
def test_a_fleet_too_small_for_its_scenario_takes_a_part_of_it(fleet: Builder, clusters: int) -> None:
    truth = fleet("default", clusters=clusters, days=2).truth

    assert 1 <= len(truth.must_flag) <= clusters


def test_a_small_default_fleet_still_has_healthy_clusters(fleet: Builder) -> None:
    built = fleet("default", clusters=24)
    planted = {fault.cluster_id for fault in built.truth.faults}

    assert len(planted) >= 14
    assert len(built.truth.must_not_flag) >= 5


def test_a_random_scenario_stays_the_same(fleet: Builder) -> None:
    first, again = (fleet("random:1", **SMALL, copy=copy) for copy in (0, 1))

    assert first.truth == again.truth
    assert fingerprint(first) == fingerprint(again)


@settings(deadline=None)
@given(number=st.integers(min_value=0, max_value=10**9 - 1))
def test_any_number_gives_three_to_eight_fault_kinds_and_four_to_eight_decoys(number: int) -> None:
    laid = plan(f"random:{number}", TOWN, 1)
    struck = [fault.row for fault in laid.faults]

    assert 3 <= len({fault.kind.name for fault in laid.faults}) <= 8
    assert 4 <= len(laid.decoys) <= 8
    assert len({*struck, *(decoy.row for decoy in laid.decoys)}) == len(struck) + len(laid.decoys)


@pytest.mark.parametrize("number", [4, 5])
def test_faint_faults_may_be_flagged_and_need_not(fleet: Builder, number: int) -> None:
    truth = fleet(f"random:{number}", clusters=20, days=3).truth
    faint = [fault.cluster_id for fault in truth.faults if fault.severity == "Info"]

    assert faint
    assert not {*faint} & {*truth.must_flag, *truth.must_not_flag}
    assert {*faint} <= {*truth.may_flag}


def test_progress_is_told_in_plain_lines() -> None:
    engine, lines = open_engine(), []
    for statement in schema.statements():
        engine.define(statement)
    build(engine.connection, seed=1, clusters=2, days=2, scenario="none", now=NOW, on_progress=lines.append)
    engine.close()

    assert lines[0] == "simulating 2 clusters over 2 days"
    assert len(lines) >= 3


@settings(deadline=None)
@given(name=st.text(max_size=20))
def test_any_other_name_is_refused_and_never_guessed(name: str) -> None:
    assume(name not in FORMS and not re.fullmatch(r"(random|rough):[0-9]{1,9}", name))

    with pytest.raises(ValueError, match="unknown scenario"):
        plan(name, HAMLET, 1)
