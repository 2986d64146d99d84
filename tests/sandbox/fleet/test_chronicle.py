"""Operations, log lines, issues and standing advice: what a person would look up next."""

from datetime import datetime, timedelta

import pytest

from sandbox.fleet import issues
from sandbox.fleet.advice import book
from sandbox.fleet.decoys import DECOYS
from sandbox.fleet.dictionary import metrics
from sandbox.fleet.episodes import Episode, episodes
from sandbox.fleet.faults import KINDS
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import Planted
from sandbox.fleet.scenario import Plan
from sandbox.fleet.truth import Truth
from tests.sandbox.fleet.conftest import NOW, Built

HOUR = NOW.replace(minute=0)
FLEET = settle(5, 3, NOW)
CALM = Planted(Truth((), (), ()), (), (), ())


def spell(start: int, minutes: int | None, row: int = 0, alert: str = "CompactionScore") -> Episode:
    begun = HOUR - timedelta(minutes=start)
    return Episode(row, alert, begun, None if minutes is None else begun + timedelta(minutes=minutes), "Warning", True)


def test_operations_have_the_four_types_and_lie_in_the_past(troubled: Built) -> None:
    types = {row[0] for row in troubled.rows("SELECT DISTINCT type FROM byoc.billing_order")}
    newest = troubled.one("SELECT max(created_at) FROM byoc.billing_order")

    assert types == {"START", "STOP", "UPDATE", "NODE_UPDATE"}
    assert newest < HOUR


def test_operations_belong_to_the_account_of_their_cluster(troubled: Built) -> None:
    wrong = troubled.one(
        "SELECT count(*) FROM byoc.billing_order AS o JOIN byoc.clusters AS c ON c.biz_id = o.cluster_id "
        "WHERE o.account_id <> c.account_id"
    )

    assert wrong == 0


def test_stopping_is_only_done_to_clusters_that_are_stopped(troubled: Built) -> None:
    running = troubled.one(
        "SELECT count(*) FROM byoc.billing_order AS o JOIN byoc.clusters AS c ON c.biz_id = o.cluster_id "
        "WHERE o.type = 'STOP' AND c.stopped IS DISTINCT FROM true"
    )

    assert running == 0


def test_log_lines_are_recent_and_name_a_node_and_a_level(troubled: Built) -> None:
    wrong = troubled.one(
        "SELECT count(*) FROM byoc.cluster_log WHERE log_time > $1 OR log_time < $2 "
        "OR level NOT IN ('INFO', 'WARN', 'ERROR') "
        "OR NOT regexp_full_match(node, '(fe|be)-[0-9]+') OR message = ''",
        HOUR, HOUR - timedelta(days=9),
    )  # fmt: skip
    talking = troubled.one("SELECT count(DISTINCT cluster_id) FROM byoc.cluster_log")

    assert wrong == 0
    assert talking == 48


def test_old_investigations_are_closed_cases_of_the_first_half_of_the_history(troubled: Built) -> None:
    rows = troubled.rows("SELECT created_at, confidence, root_cause, cluster_id FROM alerts.agent_investigations")

    assert len(rows) == 4
    for at, confidence, cause, cluster in rows:
        assert at <= HOUR - timedelta(days=4)
        assert 0 < confidence < 1
        assert cause
        assert troubled.one("SELECT count(*) FROM byoc.clusters WHERE biz_id = $1", cluster) == 1


def test_everyday_noise_has_ended_some_hours_ago() -> None:
    noise = episodes(Plan(), CALM, seed=5, clusters=40, days=20, now=HOUR)

    assert len(noise) > 50
    assert all(e.end is not None and e.end <= HOUR - timedelta(hours=3) for e in noise)
    assert all(e.start >= HOUR - timedelta(days=20, hours=4) for e in noise)
    assert noise == sorted(noise, key=lambda e: e.start)


def test_noise_is_uneven_some_clusters_make_most_of_it() -> None:
    rows = [e.row for e in episodes(Plan(), CALM, seed=5, clusters=40, days=30, now=HOUR)]
    counts = sorted((rows.count(row) for row in range(40)), reverse=True)

    assert sum(counts[:10]) > 0.4 * sum(counts)


@pytest.mark.parametrize(("gap", "expected"), [(60, 1), (230, 1), (250, 2), (600, 2)])
def test_spells_within_four_hours_are_one_issue(gap: int, expected: int) -> None:
    first = spell(2000, 60)
    second = spell(2000 - 60 - gap, 60)

    assert len(issues.rows([first, second], FLEET.active, 1, HOUR)) == expected


def test_spells_of_other_clusters_or_alerts_are_issues_of_their_own() -> None:
    spells = [spell(300, 60), spell(300, 60, row=1), spell(300, 60, alert="HeapUsageTooHigh")]

    assert len(issues.rows(spells, FLEET.active, 1, HOUR)) == 3


def test_a_lasting_spell_is_an_open_issue_seen_until_now() -> None:
    (issue,) = issues.rows([spell(95, None)], FLEET.active, 1, HOUR)

    assert (issue["status"], issue["last_seen"], issue["resolved_at"]) == ("Ongoing", HOUR, None)
    assert issue["alert_count"] == 7
    assert issue["category"] == "anomaly"


def test_short_noise_makes_no_issue() -> None:
    noise = Episode(0, "CompactionScore", HOUR - timedelta(hours=5), HOUR - timedelta(hours=4.5), "Warning", False)

    assert issues.rows([noise], FLEET.active, 1, datetime(2026, 3, 10, 14)) == []


def test_every_alert_that_can_fire_has_advice() -> None:
    names = {symptom.alert for kind in KINDS for symptom in kind.symptoms}
    names |= {symptom.alert for decoy in DECOYS for symptom in decoy.alerts}

    assert names <= set(book())
    for advice in book().values():
        assert advice.category in {"anomaly", "failure"}
        assert advice.severity in {"Critical", "Warning", "Info"}
        assert advice.text and advice.recommendation


def test_the_dictionary_is_complete_and_in_known_words() -> None:
    for metric in metrics():
        assert metric.kind in {"gauge", "counter", "histogram"}
        assert metric.aggregation in {"sum", "max", "min", "avg"}
        assert metric.unit in {"bytes", "percent", "ms", "count", "ratio", "bytes/s", "queries/s"}
        assert len(metric.description) > 10
    assert len({metric.category for metric in metrics()}) >= 20
