"""Counts and timings, and that a snapshot is a value."""

import asyncio
from collections.abc import Callable

import pytest

from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.errors import DoorError, Refusal
from mcp_server.metrics import BOUNDS, Count, Metrics, Timer


def test_a_snapshot_names_every_count_and_timing_and_does_not_change_later() -> None:
    metrics = Metrics()
    before = metrics.snapshot()
    assert set(before.counts) == set(Count)
    assert set(before.timings) == set(Timer)
    assert not any(before.counts.values())
    metrics.add(Count.ROWS, 12)
    metrics.took(Timer.CONNECT, 0.2)
    metrics.call("ok", 0.1)
    assert (before.counts[Count.ROWS], before.timings[Timer.CONNECT].count, before.calls) == (0, 0, {})
    after = metrics.snapshot()
    assert (after.counts[Count.ROWS], after.calls) == (12, {"ok": 1})


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0, 0), (0.005, 0), (0.006, 1), (0.4, 3), (30.0, 6), (31.0, 7)])
def test_a_timing_falls_into_the_first_bucket_that_holds_it(seconds: float, bucket: int) -> None:
    metrics = Metrics()
    metrics.took(Timer.STATEMENT, seconds)
    timing = metrics.snapshot().timings[Timer.STATEMENT]
    assert len(timing.buckets) == len(BOUNDS) + 1
    assert [count for count in timing.buckets if count] == [1]
    assert timing.buckets[bucket] == 1
    assert (timing.count, timing.total, timing.longest) == (1, seconds, seconds)


def test_a_block_that_fails_is_timed_too() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="x"), metrics.timed(Timer.WAIT):
        raise ValueError("x")
    assert metrics.snapshot().timings[Timer.WAIT].count == 1


async def test_a_door_counts_what_it_refuses_by_the_rule_that_was_broken(
    config: Callable[..., WarehouseConfig],
) -> None:
    async with Door(config()) as door:
        for sql in ("DROP TABLE byoc.clusters", "DELETE FROM byoc.clusters", "SELECT sleep(9)"):
            with pytest.raises(Refusal) as refused:
                await door.read(sql)
        with pytest.raises(DoorError):
            await door.read("SELECT nothing FROM byoc.clusters")
        seen = door.metrics.snapshot().refusals
    # what the warehouse itself did not know breaks no rule of ours
    assert sum(seen.values()) == 3
    assert refused.value.rule in seen


async def test_a_door_counts_its_statements_by_verdict(config: Callable[..., WarehouseConfig]) -> None:
    async with Door(config()) as door:
        await asyncio.gather(*(door.read("SELECT biz_id FROM byoc.clusters") for _ in range(3)))
        for sql in ("DROP TABLE byoc.clusters", "SELECT nothing FROM byoc.clusters", "SELECT FROM WHERE"):
            with pytest.raises(DoorError):
                await door.read(sql)
        seen = door.metrics.snapshot()
        assert seen.statements == {"ok": 3, "read_only": 1, "unknown_column": 1, "syntax": 1}
        assert seen.counts[Count.ROWS] >= 21
        assert 1 <= seen.counts[Count.CONNECTED] <= 4
        assert seen.timings[Timer.CONNECT].count == seen.counts[Count.CONNECTED]
