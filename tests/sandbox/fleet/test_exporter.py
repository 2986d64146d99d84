"""From state to metrics: counters that survive any pattern of restarts, gauges that keep their order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.fleet.ambience import calm
from sandbox.fleet.dictionary import metrics
from sandbox.fleet.exporter import DESCRIPTOR_LIMIT, Block, Export
from sandbox.fleet.inventory import settle
from sandbox.fleet.planting import hours_before
from sandbox.fleet.state import State
from tests.sandbox.fleet.conftest import NOW

FLEET = settle(4, 3, NOW)
CALM = calm(4, FLEET.active, hours_before(NOW, 3))


def exported(state: State, seed: int = 4) -> dict[str, Block]:
    return {block.metric: block for block in Export(state, seed).blocks()}


def with_restarts(hours: list[int]) -> State:
    restarts = np.zeros(CALM.shape, dtype=bool)
    restarts[0, hours] = True
    return replace(CALM, restarts=restarts)


def test_every_metric_of_the_dictionary_is_exported_once() -> None:
    names = [block.metric for block in Export(CALM, 4).blocks()]

    assert sorted(names) == sorted(metric.name for metric in metrics())


@settings(max_examples=25, deadline=None)
@given(hours=st.lists(st.integers(1, 71), max_size=6, unique=True))
def test_a_counter_starts_again_at_every_restart_and_loses_half_an_hour_at_most(hours: list[int]) -> None:
    state = with_restarts(hours)
    export = Export(state, 4)
    rises = export.rises["starrocks_fe_query_total"]
    block = {b.metric: b for b in export.blocks()}["starrocks_fe_query_total"]
    seen = np.where(state.restarts[0], block.last[0], block.last[0] - block.low[0])

    assert (block.last >= 0).all()
    assert (block.low <= block.mean).all() and (block.mean <= block.high).all()
    assert seen.sum() == pytest.approx(rises[0].sum() - sum(rises[0, h] - np.round(rises[0, h] / 2) for h in hours))
    assert [h for h in range(1, 72) if block.last[0, h] < block.last[0, h - 1]] == sorted(
        h for h in hours if block.last[0, h] < block.last[0, h - 1]
    )


def test_without_restarts_a_counter_never_falls() -> None:
    for metric in metrics():
        if metric.kind == "counter":
            last = exported(with_restarts([]))[metric.name].last
            assert (np.diff(last, axis=1) >= 0).all()


def test_a_cluster_without_routine_load_exports_no_lag() -> None:
    lag = CALM.lag.copy()
    lag[0], lag[1] = np.nan, 10.0
    blocks = exported(replace(CALM, lag=lag))

    assert np.isnan(blocks["starrocks_fe_routine_load_max_lag_of_partition"].mean[0]).all()
    assert not np.isnan(blocks["starrocks_fe_routine_load_max_lag_of_partition"].mean[1]).any()


def test_free_and_used_disk_fit_into_the_capacity() -> None:
    blocks = exported(CALM)
    total = blocks["starrocks_be_disks_total_capacity"].mean
    free, used = (blocks[f"starrocks_be_disks_{part}_capacity"].mean for part in ("avail", "data_used"))

    assert (free + used <= total).all()
    assert np.allclose(100 * (1 - free / total), CALM.disk_used, atol=0.01)


def test_a_dead_node_takes_its_memory_out_of_the_sum_but_not_out_of_the_share() -> None:
    up = CALM.up.copy()
    up[0] = 0.75
    whole, broken = exported(CALM), exported(replace(CALM, up=up))
    total, free = "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"

    assert np.allclose(broken[total].mean[0], 0.75 * whole[total].mean[0])
    assert np.allclose(broken[free].mean[0] / broken[total].mean[0], whole[free].mean[0] / whole[total].mean[0])
    assert (broken["starrocks_fe_scheduled_pending_tablet_num"].mean[0] > 0).all()


def test_limits_do_not_move() -> None:
    limit = exported(CALM)["starrocks_be_process_fd_num_limit_soft"]

    assert set(np.unique(limit.mean)) == set(np.unique(limit.last)) == {DESCRIPTOR_LIMIT}


def test_the_largest_process_fits_into_its_node() -> None:
    process = exported(CALM)["starrocks_be_process_mem_bytes"].mean

    assert (process < CALM.node_memory).all()
    assert (process > 0.1 * CALM.node_memory).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), hours=st.lists(st.integers(1, 71), max_size=4, unique=True))
def test_the_spread_of_an_hour_holds_its_mean_and_its_last_sample(seed: int, hours: list[int]) -> None:
    for name, block in exported(with_restarts(hours), seed).items():
        known = ~np.isnan(block.mean)
        assert (block.low[known] >= 0).all(), name
        assert (block.low[known] <= block.mean[known] + 1e-3).all(), name
        assert (block.mean[known] <= block.high[known] + 1e-3).all(), name
        assert (block.low[known] <= block.last[known] + 1e-3).all(), name
        assert (block.last[known] <= block.high[known] + 1e-3).all(), name


def test_a_percentage_never_exceeds_a_hundred() -> None:
    full = replace(CALM, cpu=np.full(CALM.shape, 100.0), disk_io=np.full(CALM.shape, 100.0))
    for name, block in exported(full).items():
        if name.endswith(("_percent", "_pct")):
            assert block.high.max() <= 100, name


def test_parts_of_a_counter_never_exceed_the_whole() -> None:
    rises = Export(replace(CALM, error_share=np.full(CALM.shape, 1.0)), 4).rises
    total, errors = rises["starrocks_fe_query_total"], rises["starrocks_fe_query_err"]
    assert (errors <= total).all()
    assert (rises["starrocks_fe_query_success"] + errors == total).all()
    for part in ("timeout", "internal_err"):
        assert (rises[f"starrocks_fe_query_{part}"] <= errors).all()
    begun = rises["starrocks_fe_txn_begin"]
    assert (rises["starrocks_fe_txn_success"] + rises["starrocks_fe_txn_failed"] == begun).all()


def test_the_same_seed_exports_the_same_fleet_and_another_does_not() -> None:
    name = "starrocks_fe_qps"
    assert np.array_equal(exported(CALM, 1)[name].last, exported(CALM, 1)[name].last)
    assert not np.array_equal(exported(CALM, 1)[name].last, exported(CALM, 2)[name].last)


def test_two_restarts_in_a_row_begin_at_nothing_twice() -> None:
    last = exported(with_restarts([40, 41]))["starrocks_fe_query_total"]
    assert last.low[0, 40] == last.low[0, 41] == 0.0
    assert last.last[0, 41] < last.last[0, 39]
    assert (np.diff(last.last[0, 41:]) >= 0).all()
    assert (np.diff(last.last[1:], axis=1) >= 0).all()
