"""The five sections of a report as text: written by the rules-only analyst, read back from any model.

Reading is tolerant where nothing can be misunderstood (marks, case, order, bullets) and strict where it could be."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agent.patrol.errors import ReportMalformed
from agent.patrol.report import (
    CONFIDENCES,
    SEVERITIES,
    URGENCIES,
    CustomerSummary,
    Metric,
    Prediction,
    RecommendedAction,
    Severity,
    Tier,
)
from agent.untrusted import visible

NAMES = ("FLEET_NARRATIVE", "FLAGGED_CLUSTERS", "PREDICTIONS", "CUSTOMER_SUMMARIES", "RECOMMENDED_ACTIONS")

MAX_CHARS = 60_000
_NARRATIVE_CHARS = 6_000
_LINE_CHARS = 600
_MAX_LINES = 20
_MAX_FLAGS = 200

_HEADING = re.compile(
    r"^[#*_\s\d.()-]{0,12}("
    + "|".join(name.replace("_", "[ _]") for name in NAMES)
    + r")[*_\s]{0,4}(?::[*_\s]{0,4}(.*))?$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s{0,8}(?:[-*•–]|\d{1,2}[.)])\s+(.*)$")
_LABEL = re.compile(
    r"^[*\[(\s_]{0,4}([A-Za-z ]{1,20}?)\s{0,2}(?:confidence)?[*\])_\s]{0,4}[:\])–—|-]\s{0,3}(.*)$", re.IGNORECASE
)
_TIER = re.compile(r"\(?\btier\s*:?\s*([SAB])\b\)?|\(([SAB])\)", re.IGNORECASE)
_BECAUSE = "lowered_because"
_NOTHING = {"none", "none.", "n/a", "nothing", "-", "no issues", "no predictions"}


@dataclass(frozen=True, slots=True)
class Flag:
    """A flagged cluster as a model wrote it: `cluster` is an id, a prefix of one or a name; nothing is checked yet.
    `because` says why the severity is milder than the evidence has it, empty where it is not."""

    cluster: str
    severity: Severity
    reason: str
    key_metrics: Mapping[str, Metric] = field(default_factory=dict)
    because: str = ""


@dataclass(frozen=True, slots=True)
class Sections:
    """The five sections."""

    narrative: str
    flags: tuple[Flag, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    customers: tuple[CustomerSummary, ...] = ()
    actions: tuple[RecommendedAction, ...] = ()


def write(sections: Sections) -> str:
    """The sections in the form that `parse` reads back unchanged."""
    flags = [_written(flag) for flag in sections.flags]
    bodies = (
        sections.narrative,
        "```json\n" + json.dumps(flags, ensure_ascii=False, indent=1) + "\n```",
        _bullets(f"[{one.confidence}] {one.text}" for one in sections.predictions),
        _bullets(f"{one.customer.replace('|', '/')} | {one.tier} | {one.text}" for one in sections.customers),
        _bullets(f"[{one.urgency}] {one.text}" for one in sections.actions),
    )
    return "\n\n".join(f"## {name}\n{body}" for name, body in zip(NAMES, bodies, strict=True))


def parse(text: str) -> Sections:
    """The sections of a model's text. Raises ReportMalformed that names everything that is wrong."""
    if len(text) > MAX_CHARS:
        raise ReportMalformed((f"the report is longer than {MAX_CHARS} characters",))
    bodies = _split(visible(text))
    problems = [f"section {name} is missing" for name in NAMES if name not in bodies]
    narrative = bodies.get("FLEET_NARRATIVE", "").strip()
    if "FLEET_NARRATIVE" in bodies and not narrative:
        problems.append("FLEET_NARRATIVE is empty")
    flags = _flags(bodies.get("FLAGGED_CLUSTERS", "[]"), problems)
    predictions = _labelled(bodies.get("PREDICTIONS", ""), CONFIDENCES, "PREDICTIONS", problems)
    actions = _labelled(bodies.get("RECOMMENDED_ACTIONS", ""), URGENCIES, "RECOMMENDED_ACTIONS", problems)
    customers = tuple(_customers(bodies.get("CUSTOMER_SUMMARIES", "")))
    if problems:
        raise ReportMalformed(tuple(problems))
    return Sections(
        narrative[:_NARRATIVE_CHARS],
        flags,
        tuple(Prediction(words, confidence) for confidence, words in predictions),
        customers,
        tuple(RecommendedAction(urgency, words) for urgency, words in actions),
    )


def _written(flag: Flag) -> dict[str, Any]:
    told = {"cluster_id": flag.cluster, "severity": flag.severity, "reason": flag.reason}
    lowered = {_BECAUSE: flag.because} if flag.because else {}
    return {**told, "key_metrics": flag.key_metrics, **lowered}


def _bullets(lines: Iterator[str]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines) or "None"


def _split(text: str) -> dict[str, str]:
    """Body by section name; a section that comes twice counts once, as first written."""
    bodies: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        heading = _HEADING.match(line) if len(line) < _LINE_CHARS else None
        if heading:
            name = heading[1].upper().replace(" ", "_")
            current = bodies.setdefault(name, []) if name not in bodies else []
            current.append(heading[2] or "")
        elif current is not None:
            current.append(line)
    return {name: "\n".join(lines) for name, lines in bodies.items()}


def _flags(body: str, problems: list[str]) -> tuple[Flag, ...]:
    try:
        items = _json_list(body)
    except (json.JSONDecodeError, RecursionError) as error:
        problems.append(f"FLAGGED_CLUSTERS is not a JSON list: {str(error)[:80]}")
        return ()
    if items is None:
        problems.append("FLAGGED_CLUSTERS must be a JSON list of objects")
        return ()
    if len(items) > _MAX_FLAGS:
        problems.append(f"FLAGGED_CLUSTERS has more than {_MAX_FLAGS} entries")
        return ()
    made = [_flag(item, at, problems) for at, item in enumerate(items, 1)]
    return tuple(flag for flag in made if flag is not None)


def _json_list(body: str) -> list[Any] | None:
    plain = re.sub(r"^\s*```[a-z]*\s*$", "", body, flags=re.MULTILINE | re.IGNORECASE).strip()
    if plain.lower() in _NOTHING | {""}:
        return []
    start = min((at for at in (plain.find("["), plain.find("{")) if at >= 0), default=0)
    parsed, _ = json.JSONDecoder().raw_decode(plain[start:])
    if isinstance(parsed, dict):
        parsed = next((value for value in parsed.values() if isinstance(value, list)), None)
    return parsed if isinstance(parsed, list) else None


def _flag(item: object, at: int, problems: list[str]) -> Flag | None:
    if not isinstance(item, dict):
        problems.append(f"FLAGGED_CLUSTERS entry {at} is not an object")
        return None
    cluster = item.get("cluster_id")
    severity = _choice(str(item.get("severity", "")), SEVERITIES)
    if not isinstance(cluster, str) or not cluster.strip():
        problems.append(f"FLAGGED_CLUSTERS entry {at} has no cluster_id")
        return None
    if severity is None:
        problems.append(f"FLAGGED_CLUSTERS entry {at}: severity must be one of {', '.join(SEVERITIES)}")
        return None
    metrics = item.get("key_metrics")
    listed = metrics.items() if isinstance(metrics, dict) else ()
    kept = {str(key)[:64]: value for key, value in listed if _is_metric(value)}
    return Flag(cluster.strip(), severity, _words(item.get("reason")), kept, _words(item.get(_BECAUSE)))


def _words(value: object) -> str:
    return _line(value) if isinstance(value, str) else ""


def _is_metric(value: object) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


_Name = TypeVar("_Name", bound=str)


def _choice(text: str, allowed: Sequence[_Name]) -> _Name | None:
    wanted = " ".join(text.lower().replace("_", " ").split())
    return next((name for name in allowed if name.lower() == wanted), None)


def _line(text: str) -> str:
    return " ".join(text.split())[:_LINE_CHARS]


def _items(body: str) -> list[str]:
    """The bullets of a section; a line without a mark continues the bullet before it."""
    found: list[str] = []
    for line in body.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            found.append(bullet[1])
        elif line.strip() and found and not line.lstrip().startswith(("**", "#")):
            found[-1] += " " + line.strip()
        elif line.strip():
            found.append(line.strip())
    kept = [_line(item) for item in found if item.strip().strip("*_").lower() not in _NOTHING]
    return kept[:_MAX_LINES]


def _labelled(body: str, allowed: Sequence[_Name], section: str, problems: list[str]) -> tuple[tuple[_Name, str], ...]:
    """Bullets that begin with one of the allowed labels, as `[High] …`, `High: …` or `**High** - …`. A line of its
    own (`High:`) labels the bullets below it."""
    made: list[tuple[_Name, str]] = []
    standing: _Name | None = None
    for item in _items(body):
        match = _LABEL.match(item)
        label = _choice(match[1], allowed) if match else _choice(item.strip("*:# "), allowed)
        rest = match[2].strip().strip("*").strip() if match and label else item
        if label and (not match or not rest):
            standing = label
        elif (chosen := label or standing) is not None:
            made.append((chosen, rest))
        else:
            problems.append(f"{section}: begin each bullet with one of [{'], ['.join(allowed)}]: {item[:60]!r}")
    return tuple(made)


def _customers(body: str) -> Iterator[CustomerSummary]:
    for item in _items(body):
        parts = [part.strip(" *") for part in item.split("|")]
        if len(parts) >= 3 and parts[1].upper().removeprefix("TIER").strip() in {"S", "A", "B"}:
            yield _summary(parts[0], parts[1].upper().removeprefix("TIER").strip(), " | ".join(parts[2:]))
            continue
        head, colon, rest = item.partition(":")
        tier = _TIER.search(head)
        if colon and tier:
            yield _summary(_TIER.sub("", head).strip(" *,()"), (tier[1] or tier[2]).upper(), rest.strip(" *"))


def _summary(customer: str, tier: str, text: str) -> CustomerSummary:
    known: Mapping[str, Tier] = {"S": "S", "A": "A", "B": "B"}
    return CustomerSummary(customer[:120], known[tier], text)
