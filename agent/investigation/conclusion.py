"""What an investigation comes to: its form as value types, read strictly from a model's text and written for one."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from agent.investigation.errors import ConclusionMalformed
from agent.patrol.report import Confidence, Urgency
from agent.untrusted import visible

Level = Literal["Critical", "Warning", "Unknown", "Info"]
"""Severity of an investigated cluster, worst first; Info = within its limits and its own past."""

LEVELS: tuple[Level, ...] = get_args(Level)
LABELS: tuple[tuple[float, Confidence], ...] = ((0.75, "High"), (0.45, "Medium"), (0.0, "Low"))
"""From which confidence on which label holds."""
MAX_CHARS = 40_000
_CAUSE, _LINE, _SHORT = 1_500, 600, 64
_PROBLEMS = 10


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _said(text: str) -> str:
    text = _one_line(text)
    if not text:
        raise ValueError("must not be empty")
    return text


_Cause = Annotated[str, Field(max_length=_CAUSE), AfterValidator(_said)]
_Line = Annotated[str, Field(max_length=_LINE), AfterValidator(_said)]


class _Part(BaseModel):
    # strict and closed: what can be misunderstood is asked for again instead of guessed
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EvidenceItem(_Part):
    """One thing that was seen, in words with figures; `query_id` is the receipt, empty where there is none."""

    text: _Line
    query_id: Annotated[str, Field(max_length=_SHORT), AfterValidator(_one_line)] = ""


class Action(_Part):
    """What to do, and how soon."""

    urgency: Urgency
    text: _Line


class Conclusion(_Part):
    """The structured result. All texts are untrusted Markdown. `root_cause` says in words that the cause is not
    established where `established` is false; `confidence` 0..1 is about the root cause."""

    severity: Level
    root_cause: _Cause
    established: bool
    evidence: Annotated[list[EvidenceItem], Field(max_length=12)]
    ruled_out: Annotated[list[_Line], Field(max_length=10)]
    unknown: Annotated[list[_Line], Field(max_length=10)]
    actions: Annotated[list[Action], Field(max_length=8)]
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

    @property
    def label(self) -> Confidence:
        """The confidence in a word."""
        return next(label for least, label in LABELS if self.confidence >= least)


def parse(text: str) -> Conclusion:
    """The conclusion in a model's text: one JSON object, a fence around it or not. Raises ConclusionMalformed that
    names everything that is wrong."""
    if len(text) > MAX_CHARS:
        raise ConclusionMalformed((f"the conclusion is longer than {MAX_CHARS} characters",))
    start = text.find("{")
    if start < 0:
        raise ConclusionMalformed(("there is no JSON object",))
    try:
        raw, _ = json.JSONDecoder(parse_constant=_no_number).raw_decode(text[start:])
    except (ValueError, RecursionError) as error:
        raise ConclusionMalformed((f"this is not JSON: {str(error)[:80]}",)) from None
    try:
        return Conclusion.model_validate(raw)
    except ValidationError as error:
        raise ConclusionMalformed(tuple(_problems(error))) from None


def write(conclusion: Conclusion) -> str:
    """The conclusion in the form that `parse` reads back unchanged."""
    return json.dumps(conclusion.model_dump(), ensure_ascii=False, indent=1)


def told(conclusion: Conclusion, name: str) -> str:
    """The conclusion in plain words, for the history of its thread."""
    parts = [
        f"Investigation of {name}: {conclusion.severity}, confidence {conclusion.label} ({conclusion.confidence:.2f}).",
        f"Root cause: {conclusion.root_cause}",
        *(f"Evidence: {one.text} {one.query_id}".rstrip() for one in conclusion.evidence),
        *(f"Ruled out: {one}" for one in conclusion.ruled_out),
        *(f"Unknown: {one}" for one in conclusion.unknown),
        *(f"To do [{one.urgency}]: {one.text}" for one in conclusion.actions),
    ]
    return "\n".join(parts)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _problems(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False)[:_PROBLEMS]:
        where = ".".join(map(str, one["loc"])) or "the object"
        yield f"{where}: {one['msg']}"
