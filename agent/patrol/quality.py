"""What is wrong with the data itself: unusable values, doubled hours, wrong clocks, exporters that stand still, metrics
nobody can explain, customers without a tier, names that are none. None of it stops a patrol, all of it is told."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from agent.patrol.finding import Identity
from agent.patrol.query import Row, figure, words
from agent.patrol.series import Hours, Track
from agent.untrusted import visible

# These never stand still in a living cluster, however idle: a day of equal values is an exporter that repeats itself.
_RESTLESS = ("cpu", "latency", "memory_free", "heap_used", "be_memory", "journal")
_STILL_HOURS = 24
_STILL_SERIES = 3
_SAMPLE = 3
# Many exporters are an hour late at any time.
_BEHIND = 2
# Nobody who names a cluster needs these; whoever writes for a chat, a card or a prompt does.
_MARKUP = re.compile(r"[<>`*|\[\]{}\\\n\t]|##|~~|__")
_NAME_CHARS = 60


def told(
    rows: Sequence[Row],
    unnamed: Sequence[Row],
    tracks: Mapping[str, Mapping[str, Track]],
    identities: Sequence[Identity],
    behind: int = 0,
) -> tuple[str, ...]:
    """Plain sentences; `rows` are those of `queries.metric_quality`, `unnamed` those of `queries.without_meaning`;
    `behind` is how many clusters are behind the others, though not silent."""
    return tuple(
        sentence
        for sentence in (
            _counted(rows, "unusable", "sent values that are no measurements (NaN, negative, infinite or empty)"),
            _counted(rows, "doubled", "sent hours twice"),
            _counted(rows, "ahead", "sent hours that are still to come: their clocks are wrong"),
            f"{_clusters(behind)} {_BEHIND} h or more behind the others: late, or with wrong clocks" if behind else "",
            _still(tracks),
            _without_meaning(unnamed),
            _without_tier(identities),
            _marked(identities),
        )
        if sentence
    )


def behind(last: Iterable[datetime], as_of: datetime, silent_hours: int) -> int:
    """How many clusters sent last so long before `as_of` that it is no mere delay, but not so long that they are
    silent."""
    return sum(_BEHIND <= (as_of - at) / timedelta(hours=1) < silent_hours for at in last)


def _counted(rows: Sequence[Row], column: str, what: str) -> str:
    bad = [row for row in rows if (figure(row.get(column)) or 0) > 0]
    if not bad:
        return ""
    clusters = {words(row["cluster_id"]) for row in bad}
    return f"{_clusters(len(clusters))} {what}: {_sample(bad)}"


def _sample(rows: Sequence[Row]) -> str:
    names = dict.fromkeys(visible(words(row["metric_name"]))[:_NAME_CHARS] for row in rows)
    return ", ".join(list(names)[:_SAMPLE]) + (", …" if len(names) > _SAMPLE else "")


def _without_meaning(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    what = "metric has" if len(rows) == 1 else "metrics have"
    return f"{len(rows)} {what} no row in the dictionary, so nobody can say what they measure: {_sample(rows)}"


def _still(tracks: Mapping[str, Mapping[str, Track]]) -> str:
    count = sum(sum(_stands(one[name].recent) for name in _RESTLESS if name in one) >= _STILL_SERIES
                for one in tracks.values())  # fmt: skip
    return (
        f"{_clusters(count)} sent the same values for {_STILL_HOURS} h: their exporters may stand still"
        if count
        else ""
    )


def _stands(hours: Hours) -> bool:
    known = [value for at, value in hours.items() if 0 <= at < _STILL_HOURS]
    # Nought all day is a cluster at rest.
    return len(known) >= _STILL_HOURS / 2 and len(set(known)) == 1 and known[0] != 0


def _without_tier(identities: Sequence[Identity]) -> str:
    count = sum(not one.tier_known for one in identities)
    return f"no tier is known for {_clusters(count)}, taken for tier B" if count else ""


def _marked(identities: Sequence[Identity]) -> str:
    count = sum(bool(one.odd_name or _MARKUP.search(one.name) or _MARKUP.search(one.customer)) for one in identities)
    return f"{_clusters(count)} with markup or invisible characters in a name, shown as plain text" if count else ""


def _clusters(count: int) -> str:
    return f"{count} cluster" + ("" if count == 1 else "s")


def gone(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows that tell of a metric that stopped coming."""
    return (row for row in rows if figure(row.get("gone", 1)))
