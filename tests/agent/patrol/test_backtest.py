"""The past judged again: flags that appear and vanish between two sets of rules, and what it cost."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from agent.patrol.backtest import Difference, Flag, Look, differences, moments, replay, restless, summary
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.profiles import own
from agent.patrol.rules import Rules, load_rules
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import FULL, HOT, cid, healthy
from tests.agent.patrol.warehouse import Cluster, FleetTools

HOT_FLAG = Flag(cid(1), "hot", "cpu_util_pct", "Critical")
FULL_FLAG = Flag(cid(2), "full", "disk_used_pct", "Critical")


def look(*flags: Flag, at: datetime = AS_OF) -> Look:
    return Look(at, flags, 19, 0.5, 1_000)


def milder() -> Rules:
    """Our rules with a disk that may be fuller."""
    rules = load_rules()
    disk = rules.dimensions["disk_used_pct"]
    limits = disk.limits.model_copy(update={"yellow": 92.0, "red": 98.0})
    return rules.model_copy(
        update={"dimensions": dict(rules.dimensions) | {"disk_used_pct": disk.model_copy(update={"limits": limits})}}
    )


async def nothing(at: datetime) -> None:
    """Tells nobody."""


async def test_changed_rules_are_held_against_those_of_today() -> None:
    tools = FleetTools([Cluster(cid(1), "hot", HOT), Cluster(cid(2), "full", FULL), *healthy(3)])
    ticks = count()

    def timer() -> float:
        return float(next(ticks))

    before = await replay(tools, own(load_rules()), [AS_OF], nothing, timer)
    after = await replay(tools, own(milder()), [AS_OF], nothing, timer)
    assert set(before[0].flags) == {HOT_FLAG, FULL_FLAG}
    assert (before[0].seconds, before[0].statements) == (1.0, 16)
    (found,) = differences(before, after)
    assert found == Difference(AS_OF, (), (), ((FULL_FLAG, replace(FULL_FLAG, severity="Warning")),))


async def test_a_moment_without_data_ends_the_replay() -> None:
    with pytest.raises(WarehouseUnreadable):
        await replay(FleetTools([Cluster(cid(1))], down=True), own(load_rules()), [AS_OF], nothing)


def test_flags_appear_and_vanish_by_condition_and_not_by_severity() -> None:
    (found,) = differences([look(HOT_FLAG)], [look(FULL_FLAG, replace(HOT_FLAG, severity="Warning"))])
    assert (found.appeared, found.vanished) == ((FULL_FLAG,), ())
    assert [(old.severity, new.severity) for old, new in found.graded] == [("Critical", "Warning")]
    assert found
    assert not next(differences([look(HOT_FLAG)], [look(HOT_FLAG)]))


def test_replays_of_other_moments_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same moments"):
        list(differences([look()], [look(at=AS_OF - timedelta(hours=1))]))
    with pytest.raises(ValueError, match="shorter"):
        list(differences([look(), look()], [look()]))


def test_the_moments_lead_up_to_the_newest_hour() -> None:
    assert moments(AS_OF, 1, 12) == (AS_OF - timedelta(hours=12), AS_OF)
    assert moments(AS_OF, 7, 12)[0] == AS_OF - timedelta(hours=156)
    assert moments(AS_OF, 1, 48) == (AS_OF,)


def test_what_comes_and_goes_is_counted() -> None:
    assert restless([look(HOT_FLAG), look(HOT_FLAG, FULL_FLAG), look(FULL_FLAG)]) == 2
    assert restless([look()]) == 0
    assert summary("ours", [look(HOT_FLAG), look()]) == (
        "ours: 1 flags on 1 clusters in 2 looks, 1 came or went; 38 statements, 1.0 s, at most 400 tokens of evidence"
    )
