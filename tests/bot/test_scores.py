"""Scores and risk levels as they are stored: what they say of a cluster, and that they arrive whole, once."""

import json
from datetime import datetime

import aiomysql
import pytest

from agent.patrol.evidence import Evidence
from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import Severity
from agent.patrol.rules import load_rules
from bot.scores import classification, risk_rows, score_rows
from bot.writer import NoWriter, WarehouseWriter
from sandbox.launch import Endpoint
from tests.bot.test_writer import address

NOW = datetime(2001, 1, 1, 8, 0, 0, 123)
RULES = load_rules()


def cluster(name: str, score: float | None, severity: Severity | None = None, **values: float) -> ClusterEvidence:
    bad = Finding(name, "disk_used_pct", severity, 95.0, "%", 'disk\'s "used" 95%') if severity else None
    identity = Identity(name, f"name-{name}", "acc-1", "Acme")
    return ClusterEvidence(identity, values, score, (bad,) if bad else (), alerts=("HeapUsageTooHigh",))


FLEET = Evidence(
    NOW,
    NOW,
    clusters=(
        cluster("scored-1", 38.123456789, "Critical", disk_used_pct=95.0, compaction_score=10.0),
        cluster("scored-2", None),
        cluster("scored-3", 99.5, None, disk_used_pct=30.0),
    ),
)


@pytest.mark.parametrize(
    ("score", "severity", "said"),
    [
        (99.0, None, "Healthy"),
        (99.0, "Critical", "Critical"),
        (99.0, "Unknown", "Unknown"),
        (None, None, "Unknown"),
        (79.9, None, "Warning"),
        (49.9, None, "Critical"),
    ],
)
def test_what_is_wrong_decides_before_the_mean_and_missing_data_is_never_healthy(
    score: float | None, severity: Severity | None, said: str
) -> None:
    assert classification(cluster("c", score, severity)) == said


def test_a_score_comes_with_its_dimensions() -> None:
    first, second, _ = score_rows(FLEET, RULES)
    dimensions = {one["name"]: one for one in json.loads(first[-1])}
    assert dimensions["disk_used_pct"]["score"] == 0.0 and dimensions["compaction_score"]["score"] == 100.0
    assert dimensions["disk_used_pct"]["weight"] == RULES.dimensions["disk_used_pct"].weight
    assert first[3:5] == (38.1235, "Critical") and first[6] == 80.0
    assert 0 < first[5] < 100
    assert second[3:6] == (None, "Unknown", None) and json.loads(second[-1]) == []


def test_a_risk_names_reasons_and_advice() -> None:
    first, second, third = risk_rows(FLEET, RULES)
    assert first[4] == "Critical"
    assert json.loads(first[5]) == ['disk\'s "used" 95%']
    assert json.loads(first[6]) == [RULES.dimensions["disk_used_pct"].advice]
    assert (second[4], third[4]) == ("Unknown", "Healthy")
    assert third[8] == 30.0 and third[7] is None


async def test_scores_arrive_in_the_warehouse_once_however_often_they_are_written(warehouse: Endpoint) -> None:
    await NoWriter().write_scores(FLEET)
    writer = WarehouseWriter(address(warehouse))
    for _ in range(2):
        await writer.write_scores(FLEET)
    user, password = warehouse.reader
    login = {"host": warehouse.host, "port": warehouse.port, "user": user, "password": password}
    async with aiomysql.connect(**login) as connection, connection.cursor(aiomysql.DictCursor) as cursor:
        where = "WHERE cluster_id LIKE 'scored-%' ORDER BY cluster_id"
        await cursor.execute(f"SELECT * FROM alerts.cluster_health_scores {where}")
        scores = list(await cursor.fetchall())
        await cursor.execute(f"SELECT * FROM alerts.cluster_risk_snapshots {where}")
        risks = list(await cursor.fetchall())
    assert [(one["cluster_id"], one["classification"]) for one in scores] == [
        ("scored-1", "Critical"),
        ("scored-2", "Unknown"),
        ("scored-3", "Healthy"),
    ]
    assert scores[0]["computed_at"] == NOW.replace(microsecond=0)
    assert [one["risk_level"] for one in risks] == ["Critical", "Unknown", "Healthy"]
    assert risks[0]["disk_used_pct"] == 95.0
