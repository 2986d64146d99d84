"""What can be measured of a cluster: the dimensions of the rules of health, and a few measures that nobody judges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.patrol.rules import Dimension, Rules, Series, load_rules
from agent.rules_only.vocabulary import WORDS, first_of

RECENT_HOURS = load_rules().window.recent_hours
"""How many of the newest hours make the level of now, in the patrol and here."""
# Short names read like words of any sentence (`up`).
_SHORTEST_METRIC = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """One measurable thing: a series, or 100 * part / whole of two; the fields are those of a dimension of the rules.
    `low_is_bad` tells that its worst end is the lowest."""

    key: str
    noun: str
    unit: str
    part: Series
    whole: Series | None = None
    fallback: Series | None = None
    invert: bool = False
    scale: float = 1.0
    low_is_bad: bool = False
    volume: float = 0.0
    events: float = 0.0

    @property
    def is_share(self) -> bool:
        """Whether it is a share of counted events: it is summed over hours, where others take the middle one."""
        return self.whole is not None and self.part.column == "increase"

    @property
    def series(self) -> tuple[Series, ...]:
        """What it is computed from."""
        return tuple(series for series in (self.part, self.whole, self.fallback) if series is not None)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric name it reads."""
        return tuple(name for series in self.series for name in series.names)


def _judged(rules: Rules) -> Iterator[Measure]:
    for key, rule in rules.dimensions.items():
        if not rule.growth:
            yield _measure(key, rule, rules.series)


def _measure(key: str, rule: Dimension, series: Mapping[str, Series]) -> Measure:
    return Measure(
        key,
        rule.label,
        rule.unit,
        part=series[rule.value or rule.part or ""],
        whole=series.get(rule.whole or ""),
        fallback=series.get(rule.fallback or ""),
        invert=rule.invert,
        scale=rule.scale,
        low_is_bad=rule.direction == "down",
        volume=rule.volume,
        events=rule.events,
    )


def _series(name: str, column: str = "avg") -> Series:
    return Series.model_validate({"names": [name], "column": column})


BY_KEY: Mapping[str, Measure] = {
    measure.key: measure
    for measure in (
        *_judged(load_rules()),
        Measure("p95_latency_ms", "query p95", "ms", _series("starrocks_fe_query_latency_ms_p95")),
        Measure("qps", "queries per second", "per second", _series("starrocks_fe_qps")),
        Measure("query_volume", "queries", "per hour", _series("starrocks_fe_query_total", "increase")),
    )
}
DEFAULT = BY_KEY["p99_latency_ms"]
LIMITED: tuple[Measure, ...] = tuple(
    BY_KEY[key] for key in ("disk_used_pct", "memory_available_pct", "fe_heap_used_pct", "compaction_score")
)
"""The measures with a hard limit that a cluster can run into."""
VITALS: tuple[Measure, ...] = (
    *LIMITED,
    *(
        BY_KEY[key]
        for key in (
            "cpu_util_pct",
            "p99_latency_ms",
            "error_share_pct",
            "fe_connection_total",
            "fe_journal_write_latency_ms",
            "routine_load_lag",
            "nodes_up",
        )
    ),
)
"""What an answer about one cluster opens with."""


def mentioned(question: str) -> Measure | None:
    """The measure a normalised question names, by metric name or by people's words."""
    words = {word.strip("`'\",.?!") for word in question.split()}
    # What a metric is the value or the part of comes before what it is the whole of.
    named = ((name, measure) for measure in BY_KEY.values() for name in measure.part.names)
    others = ((name, measure) for measure in BY_KEY.values() for name in measure.metrics)
    for name, measure in (*named, *others):
        if len(name) >= _SHORTEST_METRIC and name.lower() in words:
            return measure
    return BY_KEY.get(first_of(WORDS.measures, question))
