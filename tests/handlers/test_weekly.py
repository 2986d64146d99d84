"""A weekly report after days of reports that were posted and remembered: what stayed or came back is told."""

from datetime import UTC, timedelta

from agent.patrol.run import Patrol
from handlers.reporting import deliver
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_run import FULL_CLUSTER, HOT_CLUSTER, Clock, Store, by_rules, fleet
from tests.agent.patrol.warehouse import Cluster
from tests.handlers.conftest import Desk, words
from tests.handlers.test_report_languages import CHINESE


def patrol(desk: Desk, number: int, *clusters: Cluster) -> Patrol:
    return Patrol(
        by_rules(),
        fleet(*clusters),
        writer=Store(),
        clock=Clock(),
        new_id=lambda: f"r-{number}",
        reports=desk.store.findings,
    )


async def days(desk: Desk, *flagged: tuple[Cluster, ...]) -> None:
    """A morning report on each day up to yesterday, with these clusters in trouble."""
    desk.clock.moment = desk.clock.moment.replace(
        year=AS_OF.year, month=AS_OF.month, day=AS_OF.day - len(flagged), hour=8
    )
    for number, clusters in enumerate(flagged):
        _, report = await patrol(desk, number, *clusters).run_patrol("morning", "clock")
        await deliver("report", "x:C", "clock", report, desk.deps)
        desk.clock.forward(days=1)


async def test_what_stood_in_the_reports_of_three_days_is_told_as_recurring(desk: Desk) -> None:
    await days(desk, (FULL_CLUSTER,), (FULL_CLUSTER, HOT_CLUSTER), (FULL_CLUSTER,))
    _, report = await patrol(desk, 9, FULL_CLUSTER, HOT_CLUSTER).run_patrol("weekly", "clock")
    assert report.week is not None
    assert [(one.cluster_name, one.dimension, one.days, one.lasting) for one in report.week.recurring] == [
        ("full", "disk_used_pct", 4, True)
    ]
    assert report.week.reports == ("r-0", "r-1", "r-2")
    assert report.week.missing == ()


async def test_what_recovered_in_between_was_opened_twice(desk: Desk) -> None:
    well = Cluster(FULL_CLUSTER.cluster_id, FULL_CLUSTER.name)
    await days(desk, (FULL_CLUSTER,), (well,), (FULL_CLUSTER,), (FULL_CLUSTER,))
    _, report = await patrol(desk, 9, well).run_patrol("weekly", "clock")
    assert report.week is not None
    (one,) = report.week.recurring
    assert (one.days, one.times, one.lasting) == (3, 2, False)


async def test_reports_of_more_than_a_week_ago_are_of_no_account(desk: Desk) -> None:
    await days(desk, *[(FULL_CLUSTER,)] * 3)
    later = AS_OF + timedelta(days=8)
    made = Patrol(
        by_rules(),
        fleet(as_of=later),
        writer=Store(),
        clock=lambda: later.replace(tzinfo=UTC),
        reports=desk.store.findings,
    )
    _, report = await made.run_patrol("weekly", "clock")
    assert report.week is not None
    assert (report.week.recurring, report.week.reports) == ((), ())


async def test_the_posted_week_says_it_in_the_language_of_the_channel(desk: Desk) -> None:
    await days(desk, *[(FULL_CLUSTER,)] * 3)
    _, report = await patrol(desk, 9, FULL_CLUSTER).run_patrol("weekly", "clock")
    await deliver("report", "x:C", "clock", report, desk.deps)
    english = words(desk.surface.posts[-1][1])
    assert "**full**: disk used, 4 days, opened 1×, there now" in english
    assert "full: disk used on 4 days" in report.fleet_narrative
    told = report.told_in(CHINESE.language)
    assert "full:磁盘使用率,4 天" in told.fleet_narrative
