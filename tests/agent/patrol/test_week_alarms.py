"""What came back in a week: findings of three days, and alerts that fire without consequence."""

from dataclasses import replace
from datetime import timedelta

from agent.patrol.finding import Finding, Identity
from agent.patrol.incidents import Incident
from agent.patrol.report import Severity
from agent.patrol.week import Noisy, Past, Recurring, Sighting
from agent.patrol.week_alarms import LEAST_INCIDENTS, noise, of_the_week, recurring
from tests.agent.patrol.courses import AS_OF

WHO = [Identity("c-1", "one"), Identity("c-2", "two")]
DISK = Finding("c-1", "disk_used_pct", "Critical", 93.0, "%", "disk used 93%", since=AS_OF - timedelta(hours=3))


def seen(hours_ago: int, cluster: str = "c-1", *, opened: bool = False, severity: Severity = "Warning") -> Sighting:
    return Sighting(cluster, "disk_used_pct", AS_OF - timedelta(hours=hours_ago), severity, opened)


def past(*sightings: Sighting) -> Past:
    return Past(sightings, ("R-1", "R-2"))


def fired(hours_ago: float, lasted: float = 0.5, cluster: str = "c-1", name: str = "SlowQuery") -> Incident:
    first = AS_OF - timedelta(hours=hours_ago)
    return Incident(cluster, name, first, first + timedelta(hours=lasted), 3, open=False)


def told(
    *incidents: Incident, known: Past | None = None, unwell: dict[str, frozenset[int]] | None = None
) -> list[Noisy]:
    return list(noise(incidents, known or Past(), (), unwell or {}, AS_OF))


def test_a_finding_of_three_days_recurs_and_two_reports_of_a_day_are_one_day() -> None:
    (one,) = recurring(past(seen(72, opened=True), seen(60), seen(36), seen(48)), (), WHO, AS_OF)
    assert one == Recurring("c-1", "one", "disk_used_pct", "Warning", 3, 1, lasting=False)
    assert recurring(past(seen(36), seen(30), seen(60)), (), WHO, AS_OF) == ()


def test_what_is_flagged_now_counts_as_today_and_with_the_severity_of_now() -> None:
    (one,) = recurring(past(seen(48), seen(24)), [DISK], WHO, AS_OF)
    assert (one.days, one.lasting, one.severity) == (3, True, "Critical")


def test_a_finding_that_went_and_came_again_is_counted_each_time() -> None:
    found = past(seen(96, opened=True), seen(72), seen(48, opened=True), seen(24, opened=True))
    assert [one.times for one in recurring(found, (), WHO, AS_OF)] == [3]


def test_a_finding_that_began_before_the_week_was_opened_once() -> None:
    assert [one.times for one in recurring(past(seen(72), seen(48), seen(24)), (), WHO, AS_OF)] == [1]


def test_a_cluster_that_is_gone_recurs_no_more() -> None:
    gone = [seen(hours, "c-9") for hours in (24, 48, 72)]
    assert recurring(past(*gone), (), WHO, AS_OF) == ()


def test_what_lasts_comes_before_what_is_over_and_the_worse_first() -> None:
    lasting = replace(DISK, cluster_id="c-2", severity="Warning")
    over = [seen(hours, "c-1", severity="Critical") for hours in (24, 48, 72, 96)]
    now = [seen(hours, "c-2") for hours in (24, 48)]
    assert [one.cluster_id for one in recurring(past(*over, *now), [lasting], WHO, AS_OF)] == ["c-2", "c-1"]


def test_only_what_began_within_the_week_is_of_the_week() -> None:
    assert of_the_week([fired(24 * 7 + 1, lasted=40), fired(24)], AS_OF) == [fired(24)]


def test_an_alert_that_fires_often_and_beside_every_trouble_is_noise() -> None:
    incidents = [fired(10 * number, cluster=f"c-{number % 2}") for number in range(1, 8)]
    assert told(*incidents) == [Noisy("SlowQuery", 7, 2, 7, 7, 2)]


def test_an_alert_that_fires_seldom_is_no_noise() -> None:
    assert told(*(fired(10 * number) for number in range(1, LEAST_INCIDENTS))) == []


def test_an_alert_that_meets_trouble_more_often_than_not_is_no_noise() -> None:
    incidents = [fired(10 * number) for number in range(1, 7)]
    unwell = frozenset(range(0, 7))
    assert told(*incidents, unwell={"c-1": unwell}) == []
    assert told(*incidents, unwell={"c-2": unwell})[0].share == 100


def test_an_incident_near_a_report_that_flagged_its_cluster_had_a_consequence() -> None:
    incidents = [fired(20 * number) for number in range(1, 8)]
    (one,) = told(*incidents, known=past(seen(58)))
    assert (one.incidents, one.idle) == (7, 6)
    assert told(*incidents, known=past(seen(58, "c-2")))[0].idle == 7


def test_a_finding_of_now_gives_meaning_to_the_alerts_since_it_began() -> None:
    incidents = [fired(30 * number) for number in range(1, 6)] + [fired(2)]
    (one,) = noise(incidents, Past(), [DISK], {}, AS_OF)
    assert (one.incidents, one.idle) == (6, 5)


def test_a_storm_of_alerts_does_not_prove_the_alerts() -> None:
    storm = replace(DISK, dimension="alerts", since=AS_OF - timedelta(days=7))
    stormy = replace(seen(3), dimension="alerts")
    incidents = [fired(10 * number) for number in range(1, 7)]
    assert noise(incidents, past(stormy), [storm], {}, AS_OF)[0].idle == 6


def test_an_alert_that_still_fires_or_lasted_is_not_called_brief() -> None:
    lasting = [fired(20 * number, lasted=3) for number in range(1, 5)]
    firing = replace(fired(1, lasted=0.2), open=True)
    (one,) = told(*lasting, firing, fired(90))
    assert (one.incidents, one.brief, one.restless) == (6, 1, 1)


def test_the_noisiest_come_first() -> None:
    loud = [fired(10 * number, name="Loud") for number in range(1, 10)]
    low = [fired(10 * number, name="Low") for number in range(1, 7)]
    assert [one.name for one in told(*low, *loud)] == ["Loud", "Low"]
