"""A report as text: what is written is read back, loose forms are understood, wrong ones are refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.errors import ReportMalformed
from agent.patrol.report import (
    CONFIDENCES,
    SEVERITIES,
    URGENCIES,
    CustomerSummary,
    Prediction,
    RecommendedAction,
)
from agent.patrol.sections import NAMES, Flag, Sections, parse, write

FULL = Sections(
    "The fleet is mostly well.\n\nOne disk fills.",
    (Flag("0a1b2c3d", "Critical", "disk 93%", {"disk_used_pct": 93.0, "node": "be-2"}),),
    (Prediction("the disk of prod is full in 8 h", "High"),),
    (CustomerSummary("Acme | Sons", "S", "disk nearly full"),),
    (RecommendedAction("Immediate", "grow the disk"), RecommendedAction("This Week", "clean up: partitions")),
)


def text(**bodies: str) -> str:
    plain = {
        "FLEET_NARRATIVE": "All is well.",
        "FLAGGED_CLUSTERS": "[]",
        "PREDICTIONS": "None",
        "CUSTOMER_SUMMARIES": "None",
        "RECOMMENDED_ACTIONS": "None",
    }
    return "\n".join(f"## {name}\n{body}" for name, body in (plain | bodies).items())


def problems(report: str) -> str:
    with pytest.raises(ReportMalformed) as caught:
        parse(report)
    return " / ".join(caught.value.problems)


def test_what_is_written_is_read_back() -> None:
    plain = Sections(
        FULL.narrative, FULL.flags, FULL.predictions, (CustomerSummary("Acme", "S", "x | y"),), FULL.actions
    )
    assert parse(write(plain)) == plain


def test_an_empty_report_is_a_report() -> None:
    assert parse(text()) == Sections("All is well.")


words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)


@given(
    st.lists(
        st.builds(Flag, words, st.sampled_from(SEVERITIES), words, st.dictionaries(words, st.integers())), max_size=4
    ),
    st.lists(st.builds(Prediction, words, st.sampled_from(CONFIDENCES)), max_size=4),
    st.lists(st.builds(RecommendedAction, st.sampled_from(URGENCIES), words), max_size=4),
)
def test_flags_predictions_and_actions_survive_the_round_trip(flags, predictions, actions) -> None:
    made = Sections("Well.", tuple(flags), tuple(predictions), (), tuple(actions))
    assert parse(write(made)) == made


@pytest.mark.parametrize(
    "heading", ["## {}", "# {}", "**{}**", "{}:", "### 1. {}", "**2) {}:**", "{}", "__{}__"], ids=lambda one: one
)
def test_headings_may_be_marked_in_any_usual_way(heading: str) -> None:
    bodies = dict(zip(NAMES, ("Fine.", "[]", "- [Low] x", "None", "- [Today] y"), strict=True))
    report = "\n".join(f"{heading.format(name)}\n{body}" for name, body in bodies.items())
    assert parse(report).predictions == (Prediction("x", "Low"),)


def test_headings_may_be_written_in_words() -> None:
    assert parse(text().replace("_", " ").lower()).narrative == "all is well."


@pytest.mark.parametrize(
    "line",
    [
        "- [High] disk",
        "* High: disk",
        "1. **High** - disk",
        "• (High) disk",
        "- High confidence: disk",
        "- **[High]** disk",
    ],
)
def test_labels_may_be_marked_in_any_usual_way(line: str) -> None:
    assert parse(text(PREDICTIONS=line)).predictions == (Prediction("disk", "High"),)


def test_a_label_may_stand_above_its_bullets() -> None:
    body = "**Immediate:**\n- grow the disk\n- call Acme\n**This Week**\n- clean up"
    found = [(one.urgency, one.text) for one in parse(text(RECOMMENDED_ACTIONS=body)).actions]
    assert found == [("Immediate", "grow the disk"), ("Immediate", "call Acme"), ("This Week", "clean up")]


def test_a_bullet_may_run_over_lines() -> None:
    assert parse(text(PREDICTIONS="- [Low] one\n  two")).predictions == (Prediction("one two", "Low"),)


@pytest.mark.parametrize(
    "body",
    [
        '```json\n[{"cluster_id": "a1b2c3", "severity": "critical", "reason": "r"}]\n```',
        '{"flagged_clusters": [{"cluster_id": "a1b2c3", "severity": "CRITICAL", "reason": "r"}]}',
        'Here they are: [{"cluster_id": " a1b2c3 ", "severity": "Critical", "reason": "r", "key_metrics": null}] Done.',
    ],
)
def test_flags_may_be_wrapped(body: str) -> None:
    assert parse(text(FLAGGED_CLUSTERS=body)).flags == (Flag("a1b2c3", "Critical", "r"),)


def test_customers_may_be_written_with_a_colon() -> None:
    body = "- **Acme (Tier S)**: disk full\n- Beta, tier A: slow\n- nobody: nothing"
    found = parse(text(CUSTOMER_SUMMARIES=body)).customers
    assert found == (CustomerSummary("Acme", "S", "disk full"), CustomerSummary("Beta", "A", "slow"))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_section_is_named(name: str) -> None:
    others = [part for part in text().split("## ") if not part.startswith(name)]
    assert f"section {name} is missing" in problems("## ".join(others))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{not json", "not a JSON list"),
        ('"text"', "must be a JSON list"),
        ("[3]", "entry 1 is not an object"),
        ('[{"severity": "Critical"}]', "entry 1 has no cluster_id"),
        ('[{"cluster_id": "a", "severity": "Catastrophic"}]', "severity must be one of Critical, Warning, Unknown"),
        ('[{"cluster_id": "a"}]', "severity must be one of"),
        (json.dumps([{"cluster_id": "a", "severity": "Warning"}] * 201), "more than 200"),
    ],
)
def test_wrong_flags_are_refused_by_name(body: str, said: str) -> None:
    assert said in problems(text(FLAGGED_CLUSTERS=body))


def test_a_prediction_without_confidence_is_refused() -> None:
    assert "begin each bullet with one of [High], [Medium], [Low]" in problems(text(PREDICTIONS="- it will rain"))


def test_all_problems_are_named_at_once() -> None:
    said = problems(text(FLAGGED_CLUSTERS="[3]", RECOMMENDED_ACTIONS="- do it", FLEET_NARRATIVE=""))
    assert all(part in said for part in ("entry 1", "RECOMMENDED_ACTIONS", "FLEET_NARRATIVE is empty"))


def test_an_endless_report_is_refused() -> None:
    assert "longer than" in problems(text(FLEET_NARRATIVE="x" * 60_000))


def test_figures_of_a_flag_must_be_figures_or_words() -> None:
    metrics = {"a": 1, "b": [2], "c": True, "d": "x"}
    body = json.dumps([{"cluster_id": "a", "severity": "Warning", "reason": 3, "key_metrics": metrics}])
    (flag,) = parse(text(FLAGGED_CLUSTERS=body)).flags
    assert (flag.reason, flag.key_metrics) == ("", {"a": 1, "d": "x"})


def test_control_and_direction_marks_are_taken_out() -> None:
    assert parse(text(FLEET_NARRATIVE="all\u202e well\u200b\x1b[31m")).narrative == "all well[31m"


@given(st.text(max_size=400))
def test_any_text_is_a_report_or_is_refused(report: str) -> None:
    try:
        made = parse(report)
    except ReportMalformed as error:
        assert error.problems
    else:
        assert made.narrative


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_any_bodies_are_read_or_refused(flags: str, predictions: str, customers: str) -> None:
    try:
        parse(text(FLAGGED_CLUSTERS=flags, PREDICTIONS=predictions, CUSTOMER_SUMMARIES=customers))
    except ReportMalformed as error:
        assert all(isinstance(problem, str) and problem for problem in error.problems)


def test_why_a_severity_was_lowered_is_read_back_as_written() -> None:
    sections = Sections(
        "n", (Flag("c1", "Warning", "r", {"a": 1.0}, "planned  until\nnoon"), Flag("c2", "Critical", "r"))
    )
    text = write(sections)
    assert text.count("lowered_because") == 1
    assert [flag.because for flag in parse(text).flags] == ["planned until noon", ""]


@pytest.mark.parametrize("odd", ["null", "7", '["x"]', "{}"])
def test_a_reason_of_an_odd_kind_is_none(odd: str) -> None:
    body = f'[{{"cluster_id": "c1", "severity": "Warning", "reason": "r", "lowered_because": {odd}}}]'
    text = write(Sections("n")).replace("[]", body)
    assert parse(text).flags[0].because == ""
