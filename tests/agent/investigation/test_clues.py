"""Clues: what the results of the calls say, and what they do not, however odd they are."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.investigation.clues import Clues, Move, clues
from agent.investigation.plan import Ask, hours, lines_sql, metrics, peers_sql, rounds, signs_of
from agent.investigation.scene import Scene, scene_of
from agent.investigation.signs import Pair, load_causes
from agent.rules_only.envelope import Failure, Outcome, read
from agent.tools import ToolResult
from tests.agent.investigation.world import (
    ALERTS,
    AS_OF,
    LOGS,
    NOW,
    ONSET,
    OPERATIONS,
    UPGRADE,
    A,
    B,
    C,
    course,
    finding,
    fleet,
    member,
    sheet,
)

STEPS = ("context", "alerts", "metrics", "operations", "logs", "memory", "siblings", "sql", "lines")
PEERS = "cluster_id cluster_name account_id sr_version before_onset since_onset"
CPU = "starrocks_be_cpu_util_percent"


def scene(*findings: Any, **more: Any) -> Scene:
    return scene_of(fleet(member(A, *(findings or (finding(A),))), member(B), member(C, account="x"), **more), A)


def found(on: Scene | None = None, **results: ToolResult) -> Clues:
    """The clues where each named step has this result and the others have none."""
    asks = [Ask(step, f"tool_{step}", {}) for step in STEPS]
    outcomes: dict[str, Outcome] = {
        ask.key: read(results[ask.step].text, results[ask.step].is_error) for ask in asks if ask.step in results
    }
    return clues(on or scene(), asks, outcomes)


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def moves(result: ToolResult, on: Scene | None = None) -> Mapping[str, Move]:
    return {one.pair.metric: one for one in found(on, metrics=result).moves}


def test_a_metric_that_doubled_since_the_onset_has_moved() -> None:
    move = moves(course(CPU, 20.0, 40.0))[CPU]
    assert (move.before, move.after, move.ratio, move.moved) == (20.0, 40.0, 2.0, True)
    assert move.query_id == "q-3333"


def test_a_metric_that_did_not_change_has_not() -> None:
    move = moves(course(CPU, 20.0, 21.0))[CPU]
    assert not move.moved


def test_a_counter_is_compared_by_its_increase() -> None:
    move = moves(course("starrocks_fe_slow_query", 10, 50, counter=True))["starrocks_fe_slow_query"]
    assert (move.ratio, move.moved) == (5.0, True)


def test_a_metric_from_nothing_has_moved_and_one_that_stays_at_nothing_has_not() -> None:
    assert moves(course(CPU, 0.0, 3.0))[CPU].ratio > 1_000
    assert moves(course(CPU, 0.0, 0.0))[CPU].ratio == 1.0


def test_a_daily_rhythm_is_no_move() -> None:
    rows = [
        (at(AS_OF - timedelta(hours=back)), 0, 100.0 if 6 <= (AS_OF - timedelta(hours=back)).hour <= 12 else 5.0)
        for back in range(40, -1, -1)
    ]
    assert moves(sheet(f"hour partial {CPU}_avg", *rows))[CPU].ratio == 1.0


def test_what_is_usual_on_this_day_of_the_week_is_no_move() -> None:
    rows = [
        (at(AS_OF - timedelta(hours=back)), 0, 80.0 if back <= 6 else 20.0, 75.0 if back <= 6 else 20.0)
        for back in range(40, -1, -1)
    ]
    move = moves(sheet(f"hour partial {CPU}_avg {CPU}_usual", *rows))[CPU]
    assert (move.before, move.moved) == (75.0, False)


def test_a_usual_that_is_lower_does_not_make_a_move() -> None:
    rows = [(at(AS_OF - timedelta(hours=back)), 0, 40.0, 10.0) for back in range(40, -1, -1)]
    assert not moves(sheet(f"hour partial {CPU}_avg {CPU}_usual", *rows))[CPU].moved


def test_an_hour_that_is_still_being_filled_is_left_out() -> None:
    rows = [
        (at(AS_OF - timedelta(hours=back)), int(back == 0), 0.0 if back == 0 else 20.0) for back in range(40, -1, -1)
    ]
    assert moves(sheet(f"hour partial {CPU}_avg", *rows))[CPU].after == 20.0


def test_without_a_day_before_the_onset_nothing_is_compared() -> None:
    assert moves(course(CPU, 20.0, 40.0, hours=5)) == {}


def test_without_an_onset_nothing_is_compared() -> None:
    on = scene(finding(A, since=None))
    assert found(on, metrics=course(CPU, 20.0, 40.0), operations=sheet(OPERATIONS, UPGRADE)).moves == ()
    assert found(on, operations=sheet(OPERATIONS, UPGRADE)).operations == ()


@pytest.mark.parametrize("cell", ["NULL", "", "NaN", "inf", "many", "1e999"])
def test_cells_that_are_no_numbers_are_left_out(cell: str) -> None:
    rows = [(at(AS_OF - timedelta(hours=back)), 0, cell if back % 2 else 20.0) for back in range(40, -1, -1)]
    move = moves(sheet(f"hour partial {CPU}_avg", *rows))[CPU]
    assert (move.before, move.after) == (20.0, 20.0)


def test_an_operation_within_a_day_before_the_onset_counts_the_nearest_first() -> None:
    far = (at(ONSET - timedelta(hours=20)), "UPDATE", "SUCCESS", "labels changed", "o-2")
    later = (at(ONSET + timedelta(minutes=50)), "NODE_UPDATE", "SUCCESS", "compute nodes 3 -> 6", "o-3")
    done = found(operations=sheet(OPERATIONS, UPGRADE, far, later)).operations
    assert [one.detail for one in done] == [UPGRADE[3], "compute nodes 3 -> 6", "labels changed"]
    assert done[0].gap == timedelta(minutes=20)
    assert [one.explains("p99_latency_ms") for one in done] == [True, True, False]


@pytest.mark.parametrize("when", [ONSET - timedelta(hours=25), ONSET + timedelta(hours=2), AS_OF])
def test_an_operation_long_before_or_after_it_does_not(when: datetime) -> None:
    assert (
        found(operations=sheet(OPERATIONS, (at(when), "UPDATE", "SUCCESS", "sr_version a -> b", "o"))).operations == ()
    )


def test_a_moment_that_is_none_is_left_out() -> None:
    odd = [(moment, "UPDATE", "SUCCESS", "x", "o") for moment in ("NULL", "soon", "2026-13-45 00:00:00")]
    assert found(operations=sheet(OPERATIONS, *odd)).operations == ()


def lines(text: str, count: int, first: datetime, level: str = "ERROR") -> list[tuple[str, ...]]:
    return [(at(first + timedelta(minutes=n)), "be-0", level, text.replace("#", str(n))) for n in range(count)]


def test_a_line_that_came_with_the_trouble_is_a_clue() -> None:
    rows = [*lines("tablet # is lost", 4, ONSET), *lines("slow rpc", 9, ONSET, "WARN")]
    (first, second) = found(logs=sheet(LOGS, *rows)).logs
    assert (first.text, first.level, first.count, first.first) == ("tablet 0 is lost", "ERROR", 4, ONSET)
    assert second.text == "slow rpc"


def test_a_line_that_was_written_before_is_ordinary() -> None:
    rows = [*lines("slow rpc", 5, ONSET - timedelta(days=1)), *lines("slow rpc", 5, ONSET)]
    assert found(logs=sheet(LOGS, *rows)).logs == ()


def test_a_line_that_came_once_or_twice_is_none() -> None:
    assert found(logs=sheet(LOGS, *lines("odd", 2, ONSET))).logs == ()


def test_a_line_cannot_end_its_quotes() -> None:
    rows = lines("a `b` \u202ec " + "x" * 300, 3, ONSET)
    (line,) = found(logs=sheet(LOGS, *rows)).logs
    assert "`" not in line.text
    assert "\u202e" not in line.text
    assert len(line.text) <= 140


def test_peers_that_went_the_same_way_are_counted_without_the_cluster_itself() -> None:
    result = sheet(
        PEERS, (A, "a", "x", "v", 100.0, 900.0), (B, "b", "x", "v", 100.0, 400.0), (C, "c", "x", "v", 90.0, 95.0)
    )
    compared = found(sql=result).compared
    assert compared is not None
    assert (compared.measured, compared.moved) == (2, 1)


def test_peers_that_went_the_other_way_are_not_alike() -> None:
    result = sheet(PEERS, (A, "a", "x", "v", 100.0, 900.0), (B, "b", "x", "v", 100.0, 10.0))
    compared = found(sql=result).compared
    assert compared is not None
    assert compared.moved == 0


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(A, "a", "x", "v", 100.0, 900.0)],
        [(A, "a", "x", "v", 100.0, 101.0), (B, "b", "x", "v", 1.0, 9.0)],
        [(A, "a", "x", "v", "NULL", 9.0), (B, "b", "x", "v", 1.0, 9.0)],
    ],
)
def test_there_is_nothing_to_compare_with_nobody_or_without_a_move(rows: list[tuple[Any, ...]]) -> None:
    assert found(sql=sheet(PEERS, *rows)).compared is None


def test_the_first_alert_that_still_fires_is_told() -> None:
    rows = [
        ("Late", "firing", "2026-11-20 08:00:00", "2026-11-20 08:00:00"),
        ("First", "firing", "2026-11-14 05:00:00", "2026-11-20 05:00:00"),
        ("Over", "resolved", "2026-11-20 01:00:00", "2026-11-20 01:00:00"),
    ]
    assert found(alerts=sheet(ALERTS, *rows)).first_alert == ("First", datetime(2026, 11, 20, 5))
    assert found(alerts=sheet(ALERTS)).first_alert is None


def test_earlier_investigations_are_told_and_flags_of_patrols_are_not() -> None:
    header = "created_at source finding"
    rows = [("2026-11-01 01:00:00", "investigation", "a leak"), ("2026-11-02 01:00:00", "patrol morning", "disk")]
    assert found(memory=sheet(header, *rows)).earlier == (("2026-11-01", "a leak"),)


def test_steps_without_a_result_are_unread() -> None:
    some = found(alerts=sheet(ALERTS), logs=ToolResult("UNAVAILABLE: no connection", is_error=True))
    assert set(some.unread) == set(STEPS) - {"alerts"}
    assert dict(some.receipts) == {"alerts": "q-aaaa"}


@given(st.dictionaries(st.sampled_from(STEPS), st.text(max_size=400), max_size=9))
def test_no_text_of_a_result_breaks_the_reader(texts: dict[str, str]) -> None:
    result = found(
        None,
        **{step: ToolResult(f"columns: a:VARCHAR\na,b\n{text}\n-- 1 rows, q-aaaa") for step, text in texts.items()},
    )
    assert isinstance(result, Clues)
    broken = found(None, **{step: ToolResult(text) for step, text in texts.items()})
    assert isinstance(broken, Clues)


def test_the_ratio_of_a_move_is_after_over_before() -> None:
    assert Move(Pair(metric="up", factor=0.9), 4.0, 2.0, "q").ratio == 0.5


# ---- what is asked


def test_the_calls_of_a_known_cluster_come_in_two_rounds() -> None:
    first, second = rounds(scene())
    assert [one.step for one in first] == ["context", "alerts", "metrics", "operations"]
    assert [one.step for one in second] == ["logs", "memory", "siblings", "sql", "lines"]
    assert all(one.arguments["cluster"] == A for one in (*first, *second) if one.tool != "read_query")


def test_an_unknown_cluster_is_asked_for_its_record_alone() -> None:
    ((ask,),) = rounds(scene_of(fleet(), "nobody"))
    assert (ask.step, ask.arguments) == ("context", {"cluster": "nobody"})


def test_a_silent_cluster_is_looked_at_live() -> None:
    _, second = rounds(scene(finding(A, "freshness", "Unknown")))
    assert second[-1].tool == "query_live_state"


def test_a_healthy_cluster_is_compared_with_nobody() -> None:
    on = scene_of(fleet(member(A), member(B)), A)
    assert [one.step for one in rounds(on)[1]] == ["logs", "memory", "siblings"]


@pytest.mark.parametrize(("back", "asked"), [(1, 50), (24, 51), (100, 127), (2_000, 336)])
def test_the_window_reaches_to_a_day_before_the_onset(back: int, asked: int) -> None:
    assert hours(scene(finding(A, since=NOW - timedelta(hours=back)))) == asked


def test_the_metrics_are_those_of_the_findings_the_gravest_first() -> None:
    names = metrics(scene(finding(A, "fe_heap_used_pct"), finding(A, "cpu_util_pct", "Warning")))
    assert names[0] == "jvm_heap_size_bytes_used"
    assert CPU in names
    assert len(names) == len(set(names)) <= 12


def test_a_storm_of_alerts_is_looked_at_by_what_else_is_wrong() -> None:
    on = scene(finding(A, "alerts"), finding(A, "cpu_util_pct", "Warning"))
    assert signs_of(on) == load_causes().of("cpu_util_pct")


@pytest.mark.parametrize("hostile", ["x' OR 1=1 --", "a\\", "é", "a b", "", "x;y"])
def test_odd_words_of_the_warehouse_never_enter_a_statement(hostile: str) -> None:
    on = scene_of(
        fleet(member(A, finding(A), account=hostile, version=hostile), member(B, account=hostile, version=hostile)), A
    )
    assert peers_sql(on, signs_of(on)) == ""


def test_the_hours_that_are_compared_are_the_same_ones_of_the_day() -> None:
    sql = peers_sql(scene(), signs_of(scene()))
    assert "s.snapshot_hour >= '2026-11-20 06:00:00' AND s.snapshot_hour <= '2026-11-20 12:00:00'" in sql
    assert "s.snapshot_hour >= '2026-11-19 06:00:00' AND s.snapshot_hour <= '2026-11-19 12:00:00'" in sql
    long = scene(finding(A, since=AS_OF - timedelta(hours=60)))
    sql = peers_sql(long, signs_of(long))
    assert "s.snapshot_hour >= '2026-11-19 13:00:00' AND s.snapshot_hour <= '2026-11-20 12:00:00'" in sql
    assert "s.snapshot_hour >= '2026-11-16 13:00:00' AND s.snapshot_hour <= '2026-11-17 12:00:00'" in sql


def test_log_lines_are_compared_without_leaving_the_warehouse() -> None:
    sql = lines_sql(scene())
    assert f"m.cluster_id = '{A}'" in sql
    assert "l.log_time >= '2026-11-20 04:00:00'" in sql
    assert lines_sql(scene(finding(A, since=None))) == ""


def test_others_count_by_the_lines_that_are_new_here() -> None:
    before, since = ONSET - timedelta(hours=9), ONSET + timedelta(hours=1)
    lines = [
        *((before, A, "WARN", text) for text in ("old", None)),
        *((since, A, level, text) for level, text in (("WARN", "new"), ("WARN", "old"), ("INFO", "ready"))),
        *((since, B, "WARN", text) for text in ("new", "new", "old")),
        *((since, C, "WARN", text) for text in ("old", "ready", "else", None)),
        (before, C, "WARN", "new"),
    ]
    with duckdb.connect() as base:
        base.execute("CREATE SCHEMA byoc")
        base.execute("CREATE TABLE byoc.cluster_log (log_time TIMESTAMP, cluster_id TEXT, level TEXT, message TEXT)")
        base.executemany("INSERT INTO byoc.cluster_log VALUES (?, ?, ?, ?)", lines)
        assert base.execute(lines_sql(scene())).fetchall() == [(B, 2)]


def test_a_failure_is_no_sheet() -> None:
    assert isinstance(read("UNAVAILABLE: gone", is_error=True), Failure)
