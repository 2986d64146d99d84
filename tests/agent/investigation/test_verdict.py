"""Verdicts by rules: what is called likely and what is not, how sure, and in which words."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from agent.catalogue import Language
from agent.investigation.clues import Clues, Compared, Done, LogLine, Move
from agent.investigation.conclusion import Conclusion, parse, write
from agent.investigation.scene import Scene, scene_of
from agent.investigation.signs import Pair, load_causes
from agent.investigation.verdict import LIKELY, MOST, conclude
from agent.patrol.finding import ClusterEvidence
from agent.patrol.rules import load_rules
from tests.agent.investigation.world import LOOK, ONSET, A, B, C, D, finding, fleet, member

RULES = load_rules()


def scene(*others: ClusterEvidence, dimension: str = "p99_latency_ms", **more: Any) -> Scene:
    ill = member(A, finding(A, dimension, more.pop("severity", "Critical"), more.pop("since", ONSET)), **more)
    return scene_of(fleet(ill, *others), A)


def done(detail: str = "sr_version 3.4.7-ee -> 3.5.3-ee", hours: float = 0.5, kind: str = "UPDATE") -> Done:
    gap = timedelta(hours=hours)
    return Done(ONSET - gap, kind, detail, gap, load_causes().deed(kind, detail), "q-0003")


def move(metric: str, before: float, after: float, dimension: str) -> Move:
    pair = next(one for one in load_causes().of(dimension).pairs if one.metric == metric)
    return Move(pair, before, after, "q-0002")


LINE = LogLine("plan changed after upgrade", "WARN", 25, ONSET, "q-0006")


def verdict(on: Scene | None = None, language: Language = "en", **known: Any) -> Conclusion:
    return conclude(on or scene(), Clues(**known), RULES, language)


def test_without_any_clue_no_cause_is_named() -> None:
    said = verdict()
    assert not said.established
    assert said.confidence == 0.1
    assert said.root_cause == (
        "Cause not established. p99_latency_ms 950, usually 273 at this hour since 2026-11-20 06:00 UTC; "
        "nothing was found that moved with it."
    )
    assert "an operation: none within 24 h before the onset" in said.ruled_out


def test_an_upgrade_just_before_is_likely() -> None:
    said = verdict(operations=(done(),))
    assert said.established
    assert said.confidence == 0.5
    assert said.root_cause == (
        "Likely set off by the version change `sr_version 3.4.7-ee -> 3.5.3-ee` at 2026-11-20 05:30 UTC: "
        "the trouble began within the same hours."
    )
    assert said.evidence[1].query_id == "q-0003"


def test_an_upgrade_half_a_day_before_is_not_enough() -> None:
    said = verdict(operations=(done(hours=12),))
    assert not said.established
    assert said.confidence == 0.3
    assert "set off by the version change" in said.root_cause


@pytest.mark.parametrize(("alike", "confidence"), [(0, 0.5), (1, 0.65), (2, 0.7)])
def test_others_that_got_the_version_and_suffer_make_it_surer(alike: int, confidence: float) -> None:
    ids = (B, C)
    ill = [member(one, finding(one), account=one[:3]) for one in ids[:alike]]
    said = verdict(scene(*ill), operations=(done(),))
    assert said.confidence == confidence
    assert said.established


def test_others_that_got_the_version_and_are_well_do_not() -> None:
    well = [member(one, account=one[:3]) for one in (B, C, D)]
    said = verdict(scene(*well), operations=(done(),))
    assert said.confidence == 0.5
    assert "a fault of the version: none of 3 other clusters on it shows it" in said.ruled_out


@pytest.mark.parametrize("detail", ["labels changed", "start by schedule"])
def test_an_operation_that_explains_nothing_is_ruled_out(detail: str) -> None:
    said = verdict(operations=(done(detail),))
    assert not said.established
    assert any(detail in one and "does not explain" in one for one in said.ruled_out)
    assert not any("none within 24 h" in one for one in said.ruled_out)


def test_an_operation_that_nobody_described_is_named_as_it_is() -> None:
    said = verdict(operations=(done("moved to other machines", kind="MIGRATE"),))
    assert "the operation MIGRATE at 2026-11-20 05:30 UTC (`moved to other machines`)" in said.root_cause


def test_the_nearest_operation_that_can_explain_it_is_the_one() -> None:
    said = verdict(operations=(done("labels changed", 0.1), done(hours=1), done("setting x changed", 2)))
    assert "version change" in said.root_cause
    assert "setting" not in said.root_cause


def test_an_account_whose_clusters_fall_ill_together_shares_a_cause() -> None:
    said = verdict(scene(member(B, finding(B), version="3.1.1-ee"), member(C, account="x", version="3.2.2-ee")))
    assert said.established
    assert "1 of 1 other clusters of the same account share" in said.root_cause
    assert "no other clusters did" in said.root_cause
    assert any("ask the customer" in one.text for one in said.actions)


def test_strangers_who_fell_ill_as_well_speak_against_it() -> None:
    said = verdict(
        scene(member(B, finding(B), version="3.1.1-ee"), member(C, finding(C), account="x", version="3.2.2-ee"))
    )
    assert not said.established


def test_logs_that_agree_tell_peers_from_strangers() -> None:
    on = scene(member(B, finding(B), version="3.1.1-ee"), member(C, finding(C), account="x", version="3.2.2-ee"))
    said = verdict(on, same_lines=frozenset({B}), logs=(LINE,))
    assert said.established
    assert "the nodes of 1 of them write the same new log lines" in said.root_cause
    assert "the nodes write `plan changed after upgrade`" in said.root_cause
    both = verdict(on, same_lines=frozenset({B, C}), logs=(LINE,))
    assert not both.established


def test_the_same_trouble_with_the_same_new_lines_need_not_begin_at_once() -> None:
    later = member(B, finding(B, since=ONSET + timedelta(hours=5)), version="3.1.1-ee")
    assert not verdict(scene(later)).established
    said = verdict(scene(later), same_lines=frozenset({B}), logs=(LINE,))
    assert said.established
    assert "they began together" not in said.root_cause
    assert "the nodes of 1 of them write the same new log lines" in said.root_cause
    other = member(B, finding(B, "cpu_util_pct", since=ONSET + timedelta(hours=5)), version="3.1.1-ee")
    assert not verdict(scene(other), same_lines=frozenset({B}), logs=(LINE,)).established


def test_trouble_of_another_kind_or_another_time_is_not_alike() -> None:
    other = member(B, finding(B, "cpu_util_pct"), version="3.1.1-ee")
    late = member(C, finding(C, since=ONSET + timedelta(hours=3)), version="3.2.2-ee")
    assert not verdict(scene(other, late)).established


def test_a_few_ill_clusters_of_a_common_version_are_no_pattern() -> None:
    many = [member(f"{n}{B[1:]}", account=f"acc{n}") for n in "56789"]
    said = verdict(scene(member(B, finding(B), account="x"), *many))
    assert not said.established


PAUSED = move("starrocks_fe_routine_load_paused", 0.0, 1.0, "routine_load_lag")
BAD_ROWS = move("starrocks_fe_routine_load_error_rows", 10.0, 400.0, "routine_load_lag")


def test_a_mechanism_with_a_witness_is_likely() -> None:
    said = verdict(scene(dimension="routine_load_lag"), moves=(PAUSED, BAD_ROWS), logs=(LINE,))
    assert said.established
    assert said.confidence == 0.55
    assert "routine load jobs are paused and the topic brings more rows that cannot be loaded" in said.root_cause
    assert "paused routine load jobs from none before" in said.root_cause
    assert "bad rows of routine load 40× the same hours before" in said.root_cause


def test_a_mechanism_without_a_witness_is_told_as_seen() -> None:
    said = verdict(scene(dimension="routine_load_lag"), moves=(PAUSED,))
    assert not said.established
    assert "with it routine load jobs are paused" in said.root_cause


def test_a_symptom_in_other_words_proves_nothing() -> None:
    slow = move("starrocks_fe_slow_query", 10.0, 900.0, "p99_latency_ms")
    said = verdict(moves=(slow,), logs=(LINE,))
    assert not said.established
    assert said.confidence == 0.2
    assert any("slow queries: 90× the level" in one.text for one in said.evidence)


def test_what_is_flagged_itself_is_a_symptom() -> None:
    cpu = move("starrocks_be_cpu_util_percent", 20.0, 90.0, "p99_latency_ms")
    alone = verdict(moves=(cpu,), logs=(LINE,))
    assert alone.established
    both = member(A, finding(A), finding(A, "cpu_util_pct", "Warning"))
    said = verdict(scene_of(fleet(both), A), moves=(cpu,), logs=(LINE,))
    assert not said.established


def test_a_metric_that_stayed_is_ruled_out() -> None:
    still = move("starrocks_fe_qps", 100.0, 104.0, "p99_latency_ms")
    said = verdict(moves=(still,))
    assert "more queries come in than before: no, queries per second 1.04× the same hours before" in said.ruled_out


def test_a_pair_of_another_finding_is_not_taken_for_a_cause_of_this_one() -> None:
    other = Move(Pair(metric="starrocks_fe_tablet_num", factor=1.2, cause="more_tablets"), 10, 100, "q-1")
    assert not verdict(moves=(other,), logs=(LINE,)).established


def test_rules_are_never_surer_than_their_most() -> None:
    ill = [member(one, finding(one)) for one in (B, C, D)]
    said = verdict(
        scene(*ill),
        operations=(done(),),
        logs=(LINE,),
        same_lines=frozenset({B, C, D}),
        moves=(
            move("starrocks_fe_qps", 1, 9, "p99_latency_ms"),
            move("starrocks_be_cpu_util_percent", 1, 9, "p99_latency_ms"),
        ),
    )
    assert LIKELY < said.confidence <= MOST
    assert said.root_cause.count("Likely") == 3


def test_a_silent_cluster_is_not_explained() -> None:
    said = verdict(scene(dimension="freshness", severity="Unknown"))
    assert said.severity == "Unknown"
    assert any("down or only its exporter" in one for one in said.unknown)
    assert any("no data comes" in one.text for one in said.actions)


def test_a_cluster_stopped_by_somebody_is_explained_by_that() -> None:
    said = verdict(scene(dimension="freshness", severity="Unknown"), operations=(done("stop", 0.2, "STOP"),))
    assert "set off by the stop of the cluster" in said.root_cause


def test_an_unknown_time_is_said() -> None:
    said = verdict(scene(since=None))
    assert "since an unknown time" in said.root_cause
    assert "when it began" in said.unknown
    assert said.ruled_out == []


def test_what_could_not_be_read_is_unknown_and_rules_nothing_out() -> None:
    said = verdict(unread=("operations", "logs"))
    assert {"the operations could not be read", "the logs could not be read"} <= set(said.unknown)
    assert not any("operation" in one for one in said.ruled_out)


def test_what_others_show_and_what_was_found_before_is_evidence() -> None:
    said = verdict(
        compared=Compared(9, 2, "q-0008"),
        earlier=(("2026-11-01", "a leak"),),
        first_alert=("QueryLatency", ONSET),
        receipts={"memory": "q-0004", "alerts": "q-0001"},
    )
    told = {one.text: one.query_id for one in said.evidence}
    assert (
        told["query p99 of 9 other clusters of the same account or version: 2 went the same way since the onset"]
        == "q-0008"
    )
    assert told["investigated on 2026-11-01: `a leak`"] == "q-0004"
    assert told["first alert: QueryLatency at 2026-11-20 06:00 UTC"] == "q-0001"
    assert said.evidence[0].query_id == LOOK


@pytest.mark.parametrize(
    ("severity", "tier", "urgency"),
    [
        ("Critical", "B", "Immediate"),
        ("Warning", "S", "Today"),
        ("Warning", "B", "This Week"),
        ("Unknown", "B", "Today"),
    ],
)
def test_the_urgency_follows_severity_and_tier(severity: Any, tier: Any, urgency: str) -> None:
    assert verdict(scene(severity=severity, tier=tier)).actions[0].urgency == urgency


def test_advice_is_that_of_the_rules_of_health() -> None:
    said = verdict()
    assert said.actions[0].text == RULES.dimensions["p99_latency_ms"].advice
    assert said.actions[1].text.startswith("find what changed at 2026-11-20 06:00")


@pytest.mark.parametrize("hostile", ["a`b", "x\ny", "# big\n- list", "\u202edetsrever", "z" * 900])
def test_hostile_details_stay_on_their_line(hostile: str) -> None:
    named = scene(member(B, finding(B), version=hostile), version=hostile)
    said = verdict(named, operations=(done(f"sr_version {hostile}"[:100].replace("`", "'")),), logs=(LINE,))
    told = [*(one.text for one in said.evidence), *(one.text for one in said.actions)]
    for text in (said.root_cause, *said.ruled_out, *told):
        assert "\n" not in text
        assert "\u202e" not in text
        assert text.count("`") % 2 == 0


KINDS = [*load_causes().dimensions, "slow_query_pct", "alerts"]


@pytest.mark.parametrize(("dimension", "language"), list(itertools.product(KINDS, ("en", "zh"))))
def test_any_finding_with_any_clues_makes_a_sound_conclusion(dimension: str, language: Language) -> None:
    pairs = load_causes().of(dimension).pairs
    rich = {
        "moves": tuple(
            Move(pair, 10.0, 10.0 * pair.factor * (1 if at % 2 else 3), "q-2") for at, pair in enumerate(pairs)
        ),
        "operations": tuple(done(one, 1.0) for one in ("sr_version a -> b", "labels changed", "setting x", "odd")),
        "logs": (LINE,) * 3,
        "unread": ("sql", "live", "memory"),
        "compared": Compared(3, 1, "q-8"),
        "earlier": (("2026-11-01", "a leak"),),
        "first_alert": ("X", ONSET),
        "same_lines": frozenset({B}),
    }
    on = scene(member(B, finding(B, dimension)), member(C, account="x"), dimension=dimension)
    for known in ({}, rich):
        said = verdict(on, language, **known)
        assert parse(write(said)) == said
        assert not any(mark in text for text in said.model_dump_json().split() for mark in ("{detail}", "{at}", "None"))
        assert ("可能原因" in said.root_cause or "原因尚未确定" in said.root_cause) is (language == "zh")
