"""One patrol's output as value types, and its JSON form: what surfaces render and the writer stores."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

from agent.catalogue import Language
from agent.model import Analyst
from agent.patrol.coverage import Coverage
from agent.patrol.siblings import Siblings
from agent.patrol.week import Week

ReportType = Literal["morning", "evening", "weekly", "on_demand"]
Severity = Literal["Critical", "Warning", "Unknown"]
Confidence = Literal["High", "Medium", "Low"]
Urgency = Literal["Immediate", "Today", "This Week"]
Tier = Literal["S", "A", "B"]

REPORT_TYPES: tuple[ReportType, ...] = get_args(ReportType)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
URGENCIES: tuple[Urgency, ...] = get_args(Urgency)

Metric = float | int | str


@dataclass(frozen=True, slots=True)
class FlaggedFinding:
    """One flagged condition of a cluster, as `agent.patrol.finding.Finding` measured it. Figures are in `unit`; `since`
    is ISO UTC text to the minute, or empty; `rule` is the rule that fired, in words. `course` holds the newest hours,
    oldest first, None where nothing was sent. `hours_left` is when `breaking` is reached if it goes on like this."""

    dimension: str
    severity: Severity
    value: float
    unit: str
    reason: str
    baseline: float | None = None
    threshold: float | None = None
    since: str = ""
    query_id: str = ""
    down: bool = False
    """Whether lower is worse."""
    course: tuple[float | None, ...] = ()
    hours_left: float | None = None
    breaking: float | None = None
    rule: str = ""
    siblings: Siblings | None = None
    """How the cluster's siblings do on the same dimension; None where it has none, and in older reports."""


Moved = Literal["", "new", "worse", "same", "better"]
"""How a cluster fares against the report before; empty where there is none to compare with."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Why a cluster comes before others of its severity: each is above 0, 1 is neutral, and the greater product goes
    first. `share` is its part of the fleet's queries and loads (0..1, None when unknown), `busy` how many times that of
    the mean cluster it is, `hours` how long ago the newest of its findings began."""

    health: float = 1.0
    tier: float = 1.0
    impact: float = 1.0
    change: float = 1.0
    moved: Moved = ""
    share: float | None = None
    busy: float | None = None
    hours: float | None = None
    tiered: bool = True
    """Whether the customer's tier is known."""

    @property
    def product(self) -> float:
        """What clusters of one severity are ordered by."""
        return self.health * self.tier * self.impact * self.change


@dataclass(frozen=True, slots=True)
class FlaggedCluster:
    """A cluster that needs somebody's eyes. `key_metrics` maps a dimension to its value, mostly numbers in the unit of
    the dimension. `Unknown` means that it sends too little data to be judged. `since` is the estimated onset, ISO UTC
    text to the minute, or empty. `cluster_name`, `customer` and `reason` come from data and are untrusted."""

    cluster_id: str
    cluster_name: str
    severity: Severity
    reason: str
    key_metrics: Mapping[str, Metric] = field(default_factory=dict)
    customer: str = ""
    tier: Tier = "B"
    since: str = ""
    findings: tuple[FlaggedFinding, ...] = ()
    factors: Factors | None = None
    """Why it stands where it stands among those of its severity."""
    lowered_because: str = ""
    """Why a model holds it for milder than the worst of its findings; empty where the severity is as measured."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected within the next 24 to 48 hours, and how sure that is. One that can be tested also says that
    `dimension` of a cluster is beyond `threshold` by `due` (ISO UTC text to the minute) with `probability` 0..1; one
    without a probability is a model's own opinion."""

    text: str
    confidence: Confidence
    cluster_id: str = ""
    dimension: str = ""
    threshold: float | None = None
    horizon_hours: int = 0
    probability: float | None = None
    due: str = ""


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """How the predictions of one confidence came out: `hits` of `graded` were right; `brier` is the mean squared error
    of the stated probabilities (0 best, 0.25 is a coin)."""

    confidence: Confidence
    graded: int
    hits: int
    brier: float


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """How one tier S or A customer with issues fares."""

    customer: str
    tier: Tier
    text: str


@dataclass(frozen=True, slots=True)
class RecommendedAction:
    """What to do, and how soon."""

    urgency: Urgency
    text: str


@dataclass(frozen=True, slots=True)
class PatrolUsage:
    """What one patrol took; `seconds` is wall time, `rounds` counts model calls, `queries` the statements of code."""

    rounds: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    queries: int = 0


@dataclass(frozen=True, slots=True)
class PatrolReport:
    """One patrol's report, worst clusters first. All texts are untrusted Markdown. `created_at` and `as_of` (newest
    hour of the warehouse's data) are ISO UTC texts; `notice` tells of a degraded patrol in words for the channel."""

    report_id: str
    report_type: ReportType
    fleet_narrative: str
    flagged_clusters: tuple[FlaggedCluster, ...]
    predictions: tuple[Prediction, ...]
    customer_summaries: tuple[CustomerSummary, ...]
    recommended_actions: tuple[RecommendedAction, ...]
    analyst: Analyst
    model: str
    usage: PatrolUsage = field(default_factory=PatrolUsage)
    created_at: str = ""
    as_of: str = ""
    active_clusters: int = 0
    triggered_by: str = ""
    notice: str = ""
    judged: tuple[str, ...] = ()
    """Ids of the clusters that could be judged; of any other nothing can be said, least of all that it recovered."""
    receipts: Mapping[str, str] = field(default_factory=dict)
    """The SQL of each query id that a finding names, as it was run."""
    record: tuple[LabelRecord, ...] = ()
    """How earlier predictions came out, by confidence."""
    figures: int = 0
    """Figures, times and names that a model wrote; of these `unbound` are in no query result and carry a sign."""
    unbound: int = 0
    coverage: Coverage | None = None
    """What there was to see."""
    week: Week | None = None
    """The look back of a weekly report, made by code."""
    words: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)
    """What code wrote of the texts, in other languages: by language, then by the text as it stands here."""

    def told_in(self, language: Language) -> "PatrolReport":
        """The report with every text that code wrote in that language; what a model wrote stays as it is."""
        if not (known := self.words.get(language)):
            return self

        def told(text: str) -> str:
            return known.get(text, text)

        return dataclasses.replace(
            self,
            fleet_narrative=told(self.fleet_narrative),
            predictions=tuple(dataclasses.replace(one, text=told(one.text)) for one in self.predictions),
            customer_summaries=tuple(dataclasses.replace(one, text=told(one.text)) for one in self.customer_summaries),
            recommended_actions=tuple(
                dataclasses.replace(one, text=told(one.text)) for one in self.recommended_actions
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values, keys named as the fields are."""
        return dataclasses.asdict(self)


_READER: TypeAdapter[PatrolReport] = TypeAdapter(PatrolReport)


def report_of(body: Mapping[str, Any]) -> PatrolReport:
    """The report that `PatrolReport.to_json` was made of; one from before a field existed has that field's default.

    Raises ValueError for anything else."""
    return _READER.validate_python(body)
