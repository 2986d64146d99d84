"""The reference platform's classification as a profile of its own: kept exact, with its weaknesses, to compare with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.patrol.errors import RulesInvalid
from agent.patrol.report import Severity, Tier
from agent.patrol.rules import Direction, Limits, quantity
from agent.patrol.scorer import points

Class = Literal["Healthy", "Warning", "Critical"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shares(_Part):
    """What the parts of the overall score weigh."""

    metrics: float
    alerts: float
    tier: float


class Bands(_Part):
    """From which overall score a cluster is called so."""

    healthy: float
    warning: float


class Measure(_Part):
    """One dimension; see the top of reference.yaml."""

    weight: float = Field(gt=0, le=1)
    green: float
    yellow: float
    red: float
    unit: str = ""
    direction: Direction = "up"
    kind: Literal["max", "min", "rise", "growth"]
    series: str | None = None
    part: str | None = None
    whole: str | None = None
    invert: bool = False
    scale: float = 1.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.series is None) == (self.part is None or self.whole is None):
            raise ValueError("give either `series`, or `part` and `whole`")
        return self

    @property
    def limits(self) -> Limits:
        """Green, yellow and red as the scorer reads them."""
        return Limits(green=self.green, yellow=self.yellow, red=self.red)

    def beyond(self, value: float, limit: float) -> bool:
        """Whether `value` is at or beyond `limit` in the bad direction."""
        return value >= limit if self.direction == "up" else value <= limit


class Reference(_Part):
    """The whole file."""

    version: Literal[1]
    shares: Shares
    tiers: Mapping[Tier, float]
    bands: Bands
    problem_below: float
    alerts: tuple[tuple[int, float], ...]
    dimensions: Mapping[str, Measure]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        total = sum(one.weight for one in self.dimensions.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"dimensions: the weights sum to {total:.3f}, not 1.00")
        return self

    def describe(self) -> str:
        """The rules as a short list for prompts and people."""
        lines = [f"- {name}: {self.explain(name)}" for name in self.dimensions]
        return "\n".join([*lines, f"- overall_score: a problem below {self.problem_below:g}"])

    def explain(self, dimension: str) -> str:
        """The limits of one dimension in one line; empty for an unknown one."""
        one = self.dimensions.get(dimension)
        if one is None:
            return ""
        sign = "≥" if one.direction == "up" else "≤"
        return f"Warning {sign} {quantity(one.yellow, one.unit)}, Critical {sign} {quantity(one.red, one.unit)}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A cluster's scores, 0..100. `base` is what the tier is applied to."""

    metrics: float
    alerts: float
    base: float
    tier: float
    overall: float
    classification: Class


@dataclass(frozen=True, slots=True)
class Risk:
    """One dimension beyond a limit."""

    dimension: str
    severity: Severity
    value: float
    limit: float
    unit: str

    @property
    def reason(self) -> str:
        """The excess in words."""
        name = self.dimension.replace("_", " ")
        return f"{name} {quantity(self.value, self.unit)}; limit {quantity(self.limit, self.unit)}"


def standing(rules: Reference, values: Mapping[str, float], firing_rows: int, tier: Tier) -> Standing | None:
    """The unified score; dimensions without a value are left out of the mean. None when no dimension has one."""
    weighted = [(one.weight, points(one, values[name])) for name, one in rules.dimensions.items() if name in values]
    known = sum(weight for weight, _ in weighted)
    if known == 0:
        return None
    shares = rules.shares
    metrics = sum(weight * score for weight, score in weighted) / known
    alerts = next((score for most, score in rules.alerts if firing_rows <= most), 0.0)
    base = (shares.metrics * metrics + shares.alerts * alerts) / (shares.metrics + shares.alerts)
    adjusted = max(0.0, 100 - (100 - base) * rules.tiers[tier])
    overall = shares.metrics * metrics + shares.alerts * alerts + shares.tier * adjusted
    return Standing(metrics, alerts, base, adjusted, overall, _class(rules, overall))


def _class(rules: Reference, overall: float) -> Class:
    if overall >= rules.bands.healthy:
        return "Healthy"
    return "Warning" if overall >= rules.bands.warning else "Critical"


def risks(rules: Reference, values: Mapping[str, float]) -> tuple[Risk, ...]:
    """The dimensions beyond a limit, in the order of the rules; the worst of them is the risk level."""
    return tuple(
        risk for name, one in rules.dimensions.items() if name in values and (risk := _risk(name, one, values[name]))
    )


def _risk(name: str, one: Measure, value: float) -> Risk | None:
    if one.beyond(value, one.red):
        return Risk(name, "Critical", value, one.red, one.unit)
    if one.beyond(value, one.yellow):
        return Risk(name, "Warning", value, one.yellow, one.unit)
    return None


def parse(text: str) -> Reference:
    """The profile from YAML. Raises RulesInvalid naming the key that is wrong."""
    try:
        raw: Any = yaml.safe_load(text)
        return Reference.model_validate(raw)
    except yaml.YAMLError as error:
        raise RulesInvalid(f"reference.yaml is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RulesInvalid(f"reference.yaml, {key}: {first['msg']}") from error


@cache
def load_reference() -> Reference:
    """The profile shipped with Starwatch, read once."""
    return parse(resources.files("agent.patrol").joinpath("reference.yaml").read_text(encoding="utf-8"))
