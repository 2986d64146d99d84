"""Alert rows with the traps of the real ones: doubled ids, joined and missing states, a Pacific clock."""

import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from sandbox.fleet.alarms import pacific
from tests.sandbox.fleet.conftest import NOW, Built

CARDS = "SELECT {} FROM alerts.lark_alerts WHERE "


@pytest.mark.parametrize(
    ("utc", "wall"),
    [
        ("2026-01-15 12:00:00", "2026-01-15 04:00:00"),
        ("2026-03-08 09:59:59", "2026-03-08 01:59:59"),
        ("2026-03-08 10:00:00", "2026-03-08 03:00:00"),
        ("2026-07-01 00:30:00", "2026-06-30 17:30:00"),
        ("2026-11-01 08:30:00", "2026-11-01 01:30:00"),
        ("2026-11-01 09:30:00", "2026-11-01 01:30:00"),
    ],
)
def test_pacific_time_follows_the_change_of_clocks(utc: str, wall: str) -> None:
    assert pacific(datetime.fromisoformat(utc)) == datetime.fromisoformat(wall)


def test_both_pacific_offsets_occur_in_one_fleet(troubled: Built) -> None:
    offsets = troubled.rows(
        "SELECT DISTINCT date_diff('minute', created_at, created_at_utc), "
        "created_at_utc >= TIMESTAMP '2026-03-08 10:00:00' FROM alerts.lark_alerts ORDER BY 1"
    )

    assert offsets == [(420, True), (480, False)]


def test_no_alert_lies_in_the_future(troubled: Built) -> None:
    assert troubled.one("SELECT max(created_at_utc) FROM alerts.lark_alerts") <= NOW


def test_a_lasting_condition_fired_within_the_last_quarter_of_an_hour(troubled: Built) -> None:
    lasting = troubled.rows(
        "SELECT i.cluster_id, max(l.created_at_utc) FROM alerts.issues AS i JOIN alerts.lark_alerts AS l "
        "ON l.cluster_id = i.cluster_id AND starts_with(l.alert_name, i.alert_name) "
        "AND l.alert_status LIKE 'Firing%' WHERE i.status = 'Ongoing' AND i.last_seen = $1 GROUP BY 1, i.alert_name",
        NOW,
    )

    assert len(lasting) > 20
    assert all(NOW - timedelta(minutes=15) < newest <= NOW for _, newest in lasting)


def test_ids_tell_the_three_ways_in(troubled: Built) -> None:
    shapes = (r"om_[0-9a-f]{24}", r"om_[0-9a-f]{24}-[fr]", r"wh_[0-9a-f]{16}")
    counts = [0, 0, 0]
    for (message,) in troubled.rows("SELECT message_id FROM alerts.lark_alerts"):
        counts[next(i for i, shape in enumerate(shapes) if re.fullmatch(shape, message))] += 1

    assert all(count > 20 for count in counts)


def test_the_daily_copy_repeats_a_card_of_an_earlier_day_under_the_same_id(troubled: Built) -> None:
    copies = troubled.rows(
        "SELECT c.message_id, c.alert_status, c.created_at = o.created_at, c.cluster_id = o.cluster_id, "
        "c.created_at::DATE "
        "FROM alerts.lark_alerts AS c LEFT JOIN alerts.lark_alerts AS o ON o.message_id = c.message_id[:-3] "
        "WHERE c.message_id LIKE 'om_%-_'"
    )

    assert copies
    for message, status, same_time, same_cluster, day in copies:
        assert same_time and same_cluster
        assert message[-1] == status[0].lower()
        assert day < pacific(datetime(2026, 3, 10, 14)).date()


def test_a_lasting_condition_sends_one_webhook_id_again_and_again(troubled: Built) -> None:
    repeats = troubled.one(
        "SELECT max(n) FROM "
        "(SELECT count(*) AS n FROM alerts.lark_alerts WHERE message_id LIKE 'wh_%' GROUP BY message_id)"
    )

    assert repeats >= 5


def test_a_lasting_condition_repeats_every_quarter_hour(troubled: Built) -> None:
    fault = troubled.fault("compaction_backlog")
    moments = [
        row[0]
        for row in troubled.rows(
            "SELECT DISTINCT created_at_utc FROM alerts.lark_alerts WHERE cluster_id = $1 "
            "AND starts_with(alert_name, 'CompactionScore') AND alert_status LIKE 'Firing%' "
            "AND created_at_utc > $2 ORDER BY 1",
            fault.cluster_id, fault.onset,
        )
    ]  # fmt: skip
    gaps = {later - earlier for earlier, later in pairwise(moments)}

    assert len(moments) > 20
    assert gaps == {timedelta(minutes=15)}


def test_some_states_are_missing_or_joined(troubled: Built) -> None:
    shares = dict(
        troubled.rows("SELECT alert_status, count(*) / sum(count(*)) OVER () FROM alerts.lark_alerts GROUP BY 1")
    )

    assert 0.02 < shares[None] < 0.06
    assert 0.005 < shares["Firing|Resolved"] < 0.06
    assert shares["Firing"] > shares["Resolved"] > 0.02


def test_joined_rows_join_the_names_too_and_footers_have_none(troubled: Built) -> None:
    joined = troubled.rows(CARDS.format("alert_name") + "alert_status = 'Firing|Resolved'")
    footers = troubled.rows(CARDS.format("DISTINCT alert_name, alert_detail") + "alert_status IS NULL")

    assert all(len(name.split("|")) == 2 for (name,) in joined)
    assert footers == [(None, "Create Silence")]


def test_every_alert_names_a_cluster_and_an_advice(troubled: Built) -> None:
    strangers = troubled.one(
        CARDS.format("count(*)") + "cluster_id NOT IN (SELECT biz_id FROM byoc.clusters) "
        "OR cluster_name NOT IN (SELECT cluster_name FROM byoc.clusters)"
    )
    unadvised = troubled.one(
        CARDS.format("count(*)") + "alert_status IN ('Firing', 'Resolved') AND alert_name NOT IN "
        "(SELECT alert_name FROM alerts.alert_recommendations WHERE recommendation <> '')"
    )

    assert strangers == 0
    assert unadvised == 0


def test_recommendations_count_the_rows_of_the_pacific_day(troubled: Built) -> None:
    wrong = troubled.one(
        "SELECT count(*) FROM alerts.alert_recommendations AS r WHERE r.fired_count <> (SELECT count(*) "
        "FROM alerts.lark_alerts AS l WHERE l.alert_name = r.alert_name AND l.alert_status = 'Firing' "
        "AND CAST(l.created_at AS DATE) = r.report_date)"
    )

    assert wrong == 0


def test_issues_are_open_exactly_while_their_condition_lasts(troubled: Built) -> None:
    wrong = troubled.one(
        "SELECT count(*) FROM alerts.issues WHERE (status = 'Ongoing') <> (resolved_at IS NULL) "
        "OR last_seen < first_seen OR alert_count < 1 OR (status = 'Resolved') <> starts_with(triage_status, 'Closed')"
    )
    states = {row[0] for row in troubled.rows("SELECT DISTINCT status FROM alerts.issues")}

    assert wrong == 0
    assert states == {"Ongoing", "Resolved"}


def test_a_flapping_condition_is_one_issue(troubled: Built) -> None:
    fault = troubled.fault("flapping_alert")
    count = troubled.one(
        "SELECT count(*) FROM alerts.issues "
        "WHERE cluster_id = $1 AND alert_name = 'OperationAbnormal' AND last_seen >= $2",
        fault.cluster_id, fault.onset,
    )  # fmt: skip

    assert count == 1
