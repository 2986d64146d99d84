"""What a patrol could see: the age of every source, who could be judged, what could not be read."""

from datetime import timedelta
from typing import Any

import pytest

from agent.catalogue import LANGUAGES
from agent.patrol.courses import Courses
from agent.patrol.coverage import Coverage, Source
from agent.patrol.evidence import Evidence
from agent.patrol.narrative import sections
from agent.patrol.query import Rows, stamp
from agent.patrol.rules import load_rules
from agent.patrol.sources import coverage
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import HOT, cid, healthy, look
from tests.agent.patrol.test_incidents import row as alert
from tests.agent.patrol.warehouse import NOW, Cluster


def seen(evidence: Evidence) -> Coverage:
    assert evidence.coverage is not None
    return evidence.coverage


async def test_a_fleet_that_sends_everything_is_seen_whole_and_each_source_has_its_age() -> None:
    operation = {"cluster_id": cid(101), "type": "UPGRADE", "state": "SUCCESS", "detail": ""}
    began = {**operation, "created_at": stamp(AS_OF - timedelta(hours=5))}
    found = seen(await look(healthy(4), operations=[began], alerts=[alert("Disk", 9), alert("Disk", 2)]))
    assert (found.at, found.clusters, found.judged, found.silent, found.waiting) == ("2026-11-20 12:20", 4, 4, 0, 0)
    assert {one.name: one.newest for one in found.sources} == {
        "metrics": "2026-11-20 12:00",
        "operations": "2026-11-20 07:00",
        "alerts": "2026-11-20 10:45",
        "risks": "2026-11-20 10:00",
        "scores": "2026-11-20 10:00",
        "issues": "2026-11-20 12:00",
    }
    assert found.whole and not found.stale


async def test_a_source_without_rows_has_no_age_and_that_is_no_fault() -> None:
    found = seen(await look(healthy(3)))
    assert {one.newest for one in found.sources if one.name in {"operations", "alerts"}} == {""}
    assert not any(one.failed or one.cut for one in found.sources)
    assert found.whole


@pytest.mark.parametrize(
    ("table", "check", "source"),
    [
        ("byoc.billing_order", "operations", "operations"),
        ("alerts.lark_alerts", "alerts", "alerts"),
        ("alerts.cluster_risk_snapshots", "risk levels", "risks"),
        ("alerts.cluster_health_scores", "health classes", "scores"),
        ("alerts.issues", "open issues", "issues"),
    ],
)
async def test_a_source_that_cannot_be_read_is_named_and_the_fleet_is_not_seen_whole(
    table: str, check: str, source: str
) -> None:
    evidence = await look(healthy(3), broken=(table,))
    found = seen(evidence)
    assert [one.name for one in found.sources if one.failed] == [source]
    assert found.failed == (check,)
    assert not found.whole
    assert f"could not be read: {check}" in evidence.notes


async def test_silent_clusters_and_those_that_cannot_be_judged_are_counted_apart() -> None:
    starting = Cluster(cid(3), "starting", silent=400, created=AS_OF - timedelta(hours=2))
    found = seen(await look([*healthy(2), Cluster(cid(1), "silent", silent=9), starting, Cluster(cid(4), "hot", HOT)]))
    assert (found.clusters, found.judged, found.silent, found.waiting) == (5, 3, 1, 1)
    assert not found.whole


async def test_clusters_that_lack_some_metrics_are_counted() -> None:
    gone = [{"cluster_id": cid(101), "metric_name": "starrocks_fe_qps", "last_hour": stamp(AS_OF - timedelta(hours=9))}]
    evidence = await look(healthy(3), gone=gone)
    assert seen(evidence).partial == sum(bool(one.gone) for one in evidence.clusters)


async def test_old_measurements_are_no_sight_of_now() -> None:
    found = seen(await look(healthy(3), as_of=AS_OF - timedelta(hours=9)))
    assert found.stale and not found.whole
    assert found.sources[0].newest == "2026-11-20 03:00"


def test_a_clock_that_goes_ahead_makes_no_source_fresher_than_now_and_odd_times_are_none() -> None:
    rows = ({"last_at": stamp(NOW + timedelta(days=3))}, {"last_at": None}, {"last_at": "soon"}, {})
    found = coverage(NOW, AS_OF, {"alerts": Rows(rows)}, (), Courses())
    assert found.sources[1] == Source("alerts", "2026-11-20 12:20")


def test_what_was_cut_is_told_for_source_and_check() -> None:
    courses = Courses(failed=("the usual day (timeout)",), cut=("the daily values",))
    checks = {
        "alerts": Rows(({"last_at": stamp(AS_OF)},), cut=True),
        "vanished metrics": Rows(error="x", code="timeout"),
    }
    found = coverage(NOW, AS_OF, checks, (), courses)
    assert found.sources[1:] == (Source("alerts", "2026-11-20 12:00", cut=True),)
    assert (found.failed, found.cut) == (
        ("vanished metrics", "the usual day (timeout)"),
        ("alerts", "the daily values"),
    )


def test_a_fleet_without_clusters_is_no_healthy_fleet() -> None:
    assert not coverage(NOW, AS_OF, {}, (), Courses()).whole


@pytest.mark.parametrize("options", [{"broken": ("alerts.lark_alerts",)}, {"as_of": AS_OF - timedelta(hours=9)}])
async def test_a_fleet_that_was_not_seen_whole_is_not_called_healthy_in_words_either(options: dict[str, Any]) -> None:
    told = {
        language: sections(await look(healthy(3), **options), load_rules(), (), language).narrative
        for language in LANGUAGES
    }
    assert "as far as could be seen" in told["en"] and "healthy" not in told["en"]
    assert "在可见范围内" in told["zh"] and "健康" not in told["zh"]
    assert sections(await look(healthy(3)), load_rules()).narrative.startswith("The fleet is healthy")
