"""What it costs to draw a report of 60 flagged clusters, and a long answer: milliseconds of processor time.

Run: python -m benchmarks.render        exit code 1 when the report takes longer than LIMIT on Slack or Lark
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from agent.answer import Answer
from agent.patrol.report import CustomerSummary, FlaggedCluster, PatrolReport, Prediction, RecommendedAction
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.answers import answer_document
from handlers.document import Document
from handlers.findings import Decision, compare, decided
from handlers.report import report_document, report_pages
from handlers.report_flag import Sight
from tests.handlers.reports import MOMENT, finding, flagged, patrolled

ROUNDS = 60
FLAGGED = 60
LIMIT = 20.0
"""Milliseconds that a report of 60 flags may take, from the report to what is sent."""

Draw = Callable[[int], Sequence[Document]]
PLATFORMS: dict[str, Callable[[Document], object]] = {
    "Slack": lambda document: messages(document, ()),
    "Lark": lambda document: rendered(document, ()),
}


def measure(name: str, make: Draw, render: Callable[[Document], object]) -> float:
    """Print median and 95th percentile of making the documents and drawing them; gives back the median. Each round
    makes others, so that nothing kept from the round before makes it cheap."""
    taken = []
    for turn in range(ROUNDS):
        started = time.thread_time()
        for document in make(turn):
            render(document)
        taken.append((time.thread_time() - started) * 1e3)
    median, high = statistics.median(taken), statistics.quantiles(taken, n=20)[18]
    print(f"{name}: p50 {median:.1f} ms, p95 {high:.1f} ms")
    return median


def sight(turn: int) -> Sight:
    """A report that a model has written, beside the one of the day before: a third of it new, a sixth worse, some of it
    recovered, some decided upon. Its figures and words are those of no other `turn`."""
    before = patrolled(f"R-{turn}-0", *(_cluster(n, turn, 0) for n in range(20, FLAGGED + 6)))
    yesterday = MOMENT - timedelta(days=1)
    known = {one.key: one for one in compare(before, {}, yesterday, None)[1]}
    report = _written(turn)
    changes, now = compare(report, known, MOMENT, yesterday)
    held = {
        one.key: decided(one, Decision("acknowledged"), "U1", "Ada Lovelace", MOMENT) if number % 5 == 0 else one
        for number, one in enumerate(now)
    }
    return Sight(report, datetime(2026, 11, 20, 9, tzinfo=UTC), changes, held)


def _written(turn: int) -> PatrolReport:
    told = f"**{FLAGGED} of 170 clusters** need a look, {turn} more than last week; `compaction` is behind most of it."
    return patrolled(
        f"R-{turn}-1",
        *(_cluster(n, turn, 1) for n in range(FLAGGED)),
        judged=FLAGGED + 6,
        fleet_narrative=f"{told} " + "The disks of the oldest clusters fill as they did all month. " * 4,
        predictions=tuple(Prediction(f"prod-{n} runs out of disk in {turn + n} hours", "High") for n in range(6)),
        customer_summaries=tuple(
            CustomerSummary(f"Customer {n}", "A", f"{turn + n} findings, the worst on prod-{n}.") for n in range(12)
        ),
        recommended_actions=tuple(
            RecommendedAction("Today" if n % 2 else "Immediate", f"Give prod-{n} {turn + n} GB more") for n in range(10)
        ),
    )


def _cluster(number: int, turn: int, day: int) -> FlaggedCluster:
    course = tuple(40.0 + (hour * (number + turn)) % 50 for hour in range(24))
    worse = 12.0 if day and number % 6 == 0 else 0.0
    disk = finding(70.0 + number % 20 + turn / 100 + worse, "Critical" if number % 4 == 0 else "Warning", course=course)
    more = {"unit": "", "baseline": 90.0, "threshold": 100.0, "course": course}
    slow = finding(200.0 + number + turn, dimension="compaction_score", reason="compaction is behind", **more)
    told = f"Writes doubled at {number % 24:02d}:00, and since then compaction lags by {turn + number} versions"
    reason = f"{told} (`starrocks_fe_max_tablet_compaction_score`). The disk fills with what is not merged yet."
    return flagged(number, disk, slow, reason=reason, customer=f"Customer {number % 12} & Sons")


def main() -> int:
    """Measure each document on each platform."""
    reports = [sight(turn) for turn in range(ROUNDS)]
    table = "\n".join(["| cluster | p99 |", "| --- | --- |", *(f"| prod-{n} | {n} ms |" for n in range(12))])
    words = f"**Slow.**\n\n{table}\n\n" + "A [link](https://x.example) and `code`. " * 60
    slowest = 0.0
    for platform, render in PLATFORMS.items():
        draw = measure(f"{platform}, pages of a report", lambda turn: report_pages(reports[turn]), render)
        whole = measure(f"{platform}, whole report", lambda turn: [report_document(reports[turn].report)], render)
        slowest = max(slowest, draw, whole)
        measure(
            f"{platform}, long answer",
            lambda turn: [answer_document(Answer(f"{words}{turn}", "claude", "m", 3))],
            render,
        )
    print(f"slowest report of {FLAGGED} flags: {slowest:.1f} ms of {LIMIT:.0f}")
    return 1 if slowest > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
