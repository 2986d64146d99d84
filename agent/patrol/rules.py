"""The rules of health as value types, loaded from rules.yaml: scorer, patrol, prompts and docs read nothing else."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from agent.patrol.errors import RulesInvalid

Column = Literal["avg", "max", "min", "increase"]
Direction = Literal["up", "down"]
"""Which way is bad."""
ClusterType = Literal["CLASSIC", "ELASTIC"]

WEIGHT_SUM = 1.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Part):
    """Spans the patrol works with, in hours unless the name says days; see rules.yaml."""

    recent_hours: int = Field(ge=1, le=12)
    sustained_hours: int = Field(ge=1, le=12)
    returning_hours: int = Field(ge=4, le=24)
    baseline_days: int = Field(ge=2, le=31)
    exclude_hours: int = Field(ge=0, le=96)
    horizon_hours: int = Field(ge=1, le=168)
    silent_hours: int = Field(ge=1, le=48)
    young_hours: int = Field(ge=0, le=168)
    alert_hours: int = Field(ge=1, le=72)
    storm_names: int = Field(ge=2)


class Series(_Part):
    """One column of measurements: the first of `names` that a cluster sends, read from `column` of the hour."""

    names: tuple[str, ...] = Field(min_length=1)
    column: Column


class Limits(_Part):
    """Where a value stops being good, becomes a worry, becomes an emergency; in the dimension's unit."""

    green: float
    yellow: float
    red: float


class Reference(Limits):
    """The reference platform's name and limits for the same thing as a seven-day count or absolute size."""

    name: str


class Variant(_Part):
    """What is different about a dimension in clusters of one type; what is not given is as in all others."""

    limits: Limits | None = None
    weight: float | None = None
    alone: Literal["yellow", "red", "never"] | None = None
    step: float | None = None
    floor: float | None = None
    chronic: float | None = None
    acute: float | None = None
    trend: bool | None = None
    advice: str | None = None


class Dimension(_Part):
    """One thing a cluster is judged by; the fields are explained at the top of rules.yaml."""

    label: str
    category: str
    unit: str = ""
    value: str | None = None
    part: str | None = None
    whole: str | None = None
    fallback: str | None = None
    invert: bool = False
    growth: bool = False
    scale: float = 1.0
    per: Literal["frontends"] | None = None
    nodes: bool = False
    direction: Direction = "up"
    limits: Limits
    weight: float = Field(ge=0, le=1)
    alone: Literal["yellow", "red", "never"] = "red"
    change: float = Field(default=2.0, gt=1)
    step: float = Field(default=0.0, ge=0)
    floor: float = Field(default=0.0, ge=0)
    strong: float | None = Field(default=None, gt=1)
    urgent: float | None = Field(default=None, gt=1)
    chronic: float | None = None
    acute: float | None = None
    sustained: bool = True
    drop: float | None = Field(default=None, gt=0)
    trend: bool = False
    volume: float = 0.0
    events: float = 0.0
    reference: Reference | None = None
    alerts: tuple[str, ...] = ()
    advice: str
    types: Mapping[ClusterType, Variant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.value is None) == (self.part is None or self.whole is None):
            raise ValueError("give either `value`, or `part` and `whole`")
        if self.acute is not None and not self.worse(self.acute, self.limits.red):
            raise ValueError("acute lies beyond red, or is not given")
        ordered = (self.limits.green, self.limits.yellow, self.limits.red)
        if list(ordered) != sorted(ordered, reverse=self.direction == "down"):
            raise ValueError(f"limits must run green, yellow, red in the bad direction ({self.direction})")
        return self

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the series this dimension is made from."""
        return tuple(name for name in (self.value, self.part, self.whole, self.fallback) if name)

    def of(self, kind: ClusterType) -> "Dimension":
        """The dimension as it is for clusters of this type. Raises ValueError when that contradicts itself."""
        given = self.types.get(kind, Variant()).model_dump(exclude_unset=True)
        return Dimension.model_validate(self.model_dump() | given | {"types": {}})

    def worse(self, value: float, limit: float) -> bool:
        """Whether `value` is at or beyond `limit` in the bad direction."""
        return value >= limit if self.direction == "up" else value <= limit


class Change(_Part):
    """Factors by what became of a cluster since the last report, and for a fresh onset: `fresh` at once, and half as
    much above 1 with every `halves_hours`."""

    new: float = Field(default=1.0, gt=0, le=10)
    worse: float = Field(default=1.0, gt=0, le=10)
    same: float = Field(default=1.0, gt=0, le=10)
    better: float = Field(default=1.0, gt=0, le=10)
    fresh: float = Field(default=1.0, ge=1, le=10)
    halves_hours: float = Field(default=12.0, ge=1)


class Impact(_Part):
    """The factor of traffic: how many times that of the mean cluster it is, to the `power`, within bounds."""

    least: float = Field(default=1.0, gt=0, le=1)
    most: float = Field(default=1.0, ge=1, le=10)
    power: float = Field(default=0.0, ge=0, le=1)


class Ranking(_Part):
    """What brings a cluster before others of its severity; see rules.yaml. A file without it ranks by health alone."""

    least_health: float = Field(default=0.05, gt=0, le=1)
    tiers: Mapping[Literal["S", "A", "B", "none"], float] = Field(default_factory=dict)
    impact: Impact = Field(default_factory=Impact)
    change: Change = Field(default_factory=Change)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(not 0 < factor <= 10 for factor in self.tiers.values()):
            raise ValueError("the factors of tiers lie above 0 and are 10 at most")
        named = [self.tiers.get("S", 1.0), self.tiers.get("A", 1.0), self.tiers.get("B", 1.0)]
        if named != sorted(named, reverse=True):
            raise ValueError("tier S weighs at least as much as A, and A as B")
        change = self.change
        if not min(change.new, change.worse) >= change.same >= change.better:
            raise ValueError(
                "what is new or worse weighs at least as much as what is the same, and that as what is better"
            )
        return self


_BESIDE = {
    "freshness": "freshness: no data for {silent_hours} h while others send is Unknown, never healthy",
    "alerts": (
        "alerts: {storm_names} or more different alert names at once are a storm;"
        " repeats of one alert measure duration, not severity"
    ),
}
"""What is judged by no metric."""


class Rules(_Part):
    """The whole file."""

    version: Literal[1]
    window: Window
    series: Mapping[str, Series]
    dimensions: Mapping[str, Dimension]
    ranking: Ranking = Field(default_factory=Ranking)
    _typed: dict[str, "Rules"] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, dimension in self.dimensions.items():
            unknown = [series for series in dimension.series if series not in self.series]
            if unknown:
                raise ValueError(f"dimensions.{name} uses unknown series {', '.join(unknown)}")
        total = sum(dimension.weight for dimension in self.dimensions.values())
        if abs(total - WEIGHT_SUM) > 1e-6:
            raise ValueError(f"dimensions: the weights sum to {total:.3f}, not {WEIGHT_SUM:.2f}")
        for kind in sorted({kind for dimension in self.dimensions.values() for kind in dimension.types}):
            try:
                self._typed[kind] = self._for(kind)
            except ValueError as error:
                raise ValueError(f"types.{kind}: {error}") from error
        return self

    def _for(self, kind: ClusterType) -> "Rules":
        dimensions = {name: dimension.of(kind) for name, dimension in self.dimensions.items()}
        return Rules.model_validate({**dict(self), "dimensions": dimensions})

    def of(self, cluster_type: str) -> "Rules":
        """The rules for clusters of this type; those of all clusters where it is unknown or has none of its own."""
        return self._typed.get(cluster_type.strip().upper(), self)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric name the rules read, sorted."""
        return tuple(sorted({name for series in self.series.values() for name in series.names}))

    def label(self, dimension: str) -> str:
        """Words for a dimension; also for those that are no metric (freshness, alerts)."""
        rule = self.dimensions.get(dimension)
        return rule.label if rule else dimension.replace("_", " ")

    def describe(self) -> str:
        """The rules as a short list for prompts: one line per dimension, in the file's order."""
        names = (*self.dimensions, *_BESIDE)
        return "\n".join(f"- {self.explain(name)}" for name in names)

    def explain(self, dimension: str) -> str:
        """The rule of one dimension in one line; empty for an unknown one."""
        if (rule := self.dimensions.get(dimension)) is not None:
            return _line(dimension, rule)
        window = self.window
        beside = _BESIDE.get(dimension, "")
        return beside.format(silent_hours=window.silent_hours, storm_names=window.storm_names)


def parse(text: str) -> Rules:
    """Rules from YAML. Raises RulesInvalid naming the key that is wrong."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RulesInvalid(f"rules.yaml is not YAML: {error}") from error
    try:
        return Rules.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RulesInvalid(f"rules.yaml, {key}: {first['msg']}") from error


@cache
def load_rules() -> Rules:
    """The rules shipped with Starwatch, read once."""
    return parse(resources.files("agent.patrol").joinpath("rules.yaml").read_text(encoding="utf-8"))


def number(value: float) -> str:
    """A figure as people write it: three significant digits below 1,000, whole and grouped from there."""
    # From 999.5 on three digits would round up to `1e+03`.
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def rough(value: float) -> float:
    """An estimate in the two significant digits that it supports; infinity stays."""
    return float(f"{value:.2g}")


_ONE = {"jobs": "job", "messages": "message", "alerts": "alert", "metrics": "metric"}
"""Units that are words for many → for one."""


def quantity(value: float, unit: str) -> str:
    """A figure with its unit: `81.2%`, `340 ms`, `1,204`, `1 job`."""
    told = number(value)
    if unit == "%":
        return f"{told}%"
    return f"{told} {_ONE.get(unit, unit) if told == '1' else unit}".rstrip()


_NEED = {"yellow": "alone", "red": "Warning needs a change vs own past", "never": "needs a change vs own past"}


def _line(name: str, rule: Dimension) -> str:
    line = f"{name} ({rule.label}): {_limits(rule)}"
    others = ((kind, _limits(rule.of(kind))) for kind in rule.types)
    return "; ".join([line, *(f"{kind}: {limits}" for kind, limits in others if limits != _limits(rule))])


def _limits(rule: Dimension) -> str:
    sign = "≥" if rule.direction == "up" else "≤"
    limits, trend = rule.limits, "; trend" if rule.trend else ""
    trend += "; per FE" if rule.per else ""
    return (
        f"Warning {sign} {quantity(limits.yellow, rule.unit)},"
        f" Critical {sign} {quantity(limits.red, rule.unit)} ({_NEED[rule.alone]}{trend})"
    )
