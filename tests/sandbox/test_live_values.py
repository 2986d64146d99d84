"""The front end of a simulated cluster from any metrics: every node has its row, and nothing contradicts itself."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import StatementError
from sandbox.listing import Listing
from sandbox.live import Live

NOW = dt.datetime(2026, 11, 20, 8)
CLUSTER = "0f3a91c2-7b1e-4c55-9d20-aa10be77c001"
METRICS = (
    "up",
    "starrocks_be_disks_total_capacity",
    "starrocks_be_disks_data_used_pct",
    "starrocks_be_process_mem_bytes",
    "starrocks_be_pip_query_ctx_cnt",
    "starrocks_fe_tablet_num",
    "starrocks_fe_query_latency_ms_p99",
    "starrocks_fe_meta_log_count",
    "starrocks_be_cpu_util_percent",
)
NEWEST = st.dictionaries(st.sampled_from(METRICS), st.floats(0, 1e12))
LIVES = st.builds(
    Live,
    st.uuids().map(str),
    st.booleans(),
    st.sampled_from(["", "3.3.2"]),
    st.integers(1, 7),
    st.integers(0, 60),
    st.none() | st.integers(1, 512),
    st.none() | st.integers(1, 128),
    NEWEST,
    st.just(NOW),
)


def live(elastic: bool = False, workers: int = 4, frontends: int = 3, **metrics: float) -> Live:
    return Live(CLUSTER, elastic, "3.3.2", frontends, workers, 64, 16, metrics, NOW)


def by_name(listing: Listing) -> list[dict[str, object]]:
    return [dict(zip(listing.columns, row, strict=True)) for row in listing.rows]


def workers(one: Live) -> list[dict[str, object]]:
    return by_name(one.compute_nodes() if one.elastic else one.backends())


@given(LIVES)
def test_every_node_has_a_row_with_an_address_of_its_own(one: Live) -> None:
    frontends, found = by_name(one.frontends()), workers(one)
    assert (len(frontends), len(found)) == (one.frontend_count, one.worker_count)
    addresses = [node["IP"] for node in (*frontends, *found)]
    assert len(set(addresses)) == len(addresses)
    assert [node["Role"] for node in frontends].count("LEADER") == 1


@given(LIVES)
def test_a_cluster_has_workers_of_one_kind(one: Live) -> None:
    other = one.backends() if one.elastic else one.compute_nodes()
    assert other.rows == ()


@given(LIVES)
def test_what_does_not_answer_runs_nothing_and_says_why(one: Live) -> None:
    dead = [node for node in workers(one) if node["Alive"] == "false"]
    assert len(dead) == one.lost <= one.worker_count
    for node in dead:
        assert (node["NumRunningQueries"], node["StatusCode"]) == ("0", "DISCONNECTED")
        assert "refused" in str(node["ErrMsg"])


@given(LIVES)
def test_no_disk_is_fuller_than_full_and_the_first_is_the_fullest(one: Live) -> None:
    if one.elastic:
        return
    shares = [float(str(node["UsedPct"]).removesuffix(" %")) for node in workers(one)]
    assert all(0 <= share <= 100 for share in shares)
    assert not shares or shares[0] == max(shares)


@given(LIVES)
def test_the_same_look_shows_the_same_and_proc_shows_what_show_does(one: Live) -> None:
    for path, listing in (
        ("/frontends", one.frontends()),
        ("/backends/", one.backends()),
        ("/compute_nodes", one.compute_nodes()),
    ):
        assert one.proc(path) == listing
    queries = one.proc("/current_queries")
    assert queries == one.proc("/current_queries")
    assert len(queries.rows) <= 20


LOST = [(1.0, 0), (6 / 7, 1), (0.5, 4), (0.0, 4), (1.2, 0)]


@pytest.mark.parametrize(("up", "lost"), LOST)
def test_the_share_that_answers_says_how_many_are_lost_and_frontends_are_never_among_them(up: float, lost: int) -> None:
    one = live(up=up)
    assert one.lost == lost
    assert all(node["Alive"] == "true" for node in by_name(one.frontends()))


def test_a_cluster_without_metrics_shows_nodes_that_do_nothing() -> None:
    (first, *_) = workers(live())
    assert (first["UsedPct"], first["NumRunningQueries"], first["TotalCapacity"]) == ("0.00 %", "0", "0.000 GB")
    assert by_name(live().proc("/current_queries")) == []


@pytest.mark.parametrize("path", ["", "/", "/dbs", "/backends/10001", "../frontends", "x" * 500])
def test_a_path_that_is_not_offered_is_refused_and_not_repeated_at_length(path: str) -> None:
    with pytest.raises(StatementError, match="doesn't exist") as refused:
        live().proc(path)
    assert len(refused.value.message) < 200
