"""The form of a conclusion: read strictly, written so that it is read back unchanged, hostile or not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.investigation.conclusion import LABELS, MAX_CHARS, Conclusion, parse, told, write
from agent.investigation.errors import ConclusionMalformed
from agent.patrol.report import URGENCIES
from tests.agent.investigation.world import conclusion

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda text: any(letter.isprintable() and not letter.isspace() for letter in text)
)
LINES = st.lists(WORDS, max_size=4)


def problems(text: str) -> str:
    with pytest.raises(ConclusionMalformed) as caught:
        parse(text)
    return " | ".join(caught.value.problems)


def test_a_sound_conclusion_is_read_whole() -> None:
    said = parse(conclusion())
    assert said.severity == "Critical"
    assert said.established
    assert [one.query_id for one in said.evidence] == ["q-10cc", "q-0003", "q-0001"]
    assert [(one.urgency, one.text) for one in said.actions] == [("Immediate", "compare the plans")]
    assert said.confidence == 0.8


@pytest.mark.parametrize(
    "around", ["{}", "```json\n{}\n```", "## CONCLUSION\n{}", "{}\n\nThat is all.", "\n\n  {}", "```\n{}```"]
)
def test_a_fence_or_a_heading_around_it_does_no_harm(around: str) -> None:
    assert parse(around.replace("{}", conclusion())) == parse(conclusion())


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"severity": "critical"}, "severity"),
        ({"severity": None}, "severity"),
        ({"root_cause": ""}, "root_cause"),
        ({"root_cause": " \u200b "}, "root_cause"),
        ({"root_cause": "x" * 1_501}, "root_cause"),
        ({"established": "yes"}, "established"),
        ({"established": 1}, "established"),
        ({"confidence": 1.01}, "confidence"),
        ({"confidence": -0.1}, "confidence"),
        ({"confidence": "0.5"}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"confidence": None}, "confidence"),
        ({"evidence": {}}, "evidence"),
        ({"evidence": ["seen"]}, "evidence.0"),
        ({"evidence": [{"query_id": "q-1"}]}, "evidence.0.text"),
        ({"evidence": [{"text": "a", "query_id": 7}]}, "evidence.0.query_id"),
        ({"evidence": [{"text": "a", "proof": "b"}]}, "evidence.0.proof"),
        ({"evidence": [{"text": "a"}] * 13}, "evidence"),
        ({"ruled_out": "nothing"}, "ruled_out"),
        ({"ruled_out": [3]}, "ruled_out.0"),
        ({"unknown": [""]}, "unknown.0"),
        ({"actions": [{"urgency": "Now", "text": "x"}]}, "actions.0.urgency"),
        ({"actions": [{"urgency": "Today"}]}, "actions.0.text"),
        ({"blame": "the network"}, "blame"),
    ],
)
def test_what_could_be_misunderstood_is_named(changed: dict[str, Any], named: str) -> None:
    assert problems(conclusion(**changed)).startswith(named)


@pytest.mark.parametrize("missing", json.loads(conclusion()))
def test_every_field_is_needed(missing: str) -> None:
    said = json.loads(conclusion())
    del said[missing]
    assert problems(json.dumps(said)).startswith(missing)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON object"),
        ("The disk, I think.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        (conclusion()[:-3], "not JSON"),
        ("{" * 50_000, "longer than"),
        ("{" * 30_000, "not JSON"),
        ('{"a":' * 7_000, "not JSON"),
        (conclusion().replace("0.8", "NaN"), "NaN is no number"),
        (conclusion().replace("0.8", "Infinity"), "Infinity is no number"),
        ('{"a": 1, "a": 2}', "severity"),
    ],
)
def test_what_is_no_conclusion_is_told_so(text: str, why: str) -> None:
    assert why in problems(text)


def test_too_long_a_text_is_not_even_read() -> None:
    assert "longer than" in problems(conclusion() + " " * MAX_CHARS)


def test_the_problems_are_few_and_do_not_repeat_the_text() -> None:
    with pytest.raises(ConclusionMalformed) as caught:
        parse(conclusion(evidence=[{"text": "secret", "wrong": 1}] * 12, unknown=[7] * 9))
    assert len(caught.value.problems) == 10
    assert "secret" not in str(caught.value)


def test_an_item_may_come_without_a_receipt() -> None:
    assert parse(conclusion(evidence=[{"text": "seen"}])).evidence[0].query_id == ""


def test_texts_become_one_line_without_what_cannot_be_seen() -> None:
    said = parse(conclusion(root_cause="a\n\u202e b\x1b[31m", ruled_out=["x\n\ny"]))
    assert said.root_cause == "a b[31m"
    assert said.ruled_out == ["x y"]


@given(
    severity=st.sampled_from(["Critical", "Warning", "Unknown", "Info"]),
    cause=WORDS,
    lists=st.tuples(LINES, LINES, LINES, LINES),
    urgency=st.sampled_from(URGENCIES),
    confidence=st.floats(0, 1),
)
def test_what_is_written_is_read_back_unchanged(
    severity: str, cause: str, lists: tuple[list[str], ...], urgency: str, confidence: float
) -> None:
    evidence, out, unknown, actions = lists
    try:
        said = parse(
            conclusion(
                severity=severity,
                root_cause=cause,
                evidence=[{"text": one, "query_id": one[:9]} for one in evidence],
                ruled_out=out,
                unknown=unknown,
                actions=[{"urgency": urgency, "text": one} for one in actions],
                confidence=confidence,
            )
        )
    except ConclusionMalformed as error:
        # only of characters that cannot be seen
        assert "must not be empty" in str(error)
        return
    assert parse(write(said)) == said
    assert "\n" not in said.root_cause


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for tried in (text, "{" + text, conclusion(root_cause=text or "x") + text):
        try:
            parse(tried)
        except ConclusionMalformed as error:
            assert error.problems


@pytest.mark.parametrize(
    ("confidence", "label"),
    [(1.0, "High"), (0.75, "High"), (0.74, "Medium"), (0.45, "Medium"), (0.44, "Low"), (0, "Low")],
)
def test_a_confidence_has_a_word(confidence: float, label: str) -> None:
    assert parse(conclusion(confidence=confidence)).label == label
    assert [least for least, _ in LABELS] == sorted((least for least, _ in LABELS), reverse=True)


def test_a_conclusion_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        parse(conclusion()).severity = "Info"


def test_the_plain_words_hold_every_section() -> None:
    words = told(parse(conclusion()), "prod-1").splitlines()
    assert [line.split(":")[0].split(" [")[0] for line in words] == [
        "Investigation of prod-1",
        "Root cause",
        "Evidence",
        "Evidence",
        "Evidence",
        "Ruled out",
        "Unknown",
        "To do",
    ]
    bare = Conclusion.model_validate(
        json.loads(conclusion(evidence=[], ruled_out=[], unknown=[], actions=[], established=False))
    )
    assert len(told(bare, "x").splitlines()) == 2
