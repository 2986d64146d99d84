"""What it costs to draw a report of 60 flagged clusters, and a long answer: milliseconds of processor time.

Run: python -m benchmarks.render        exit code 1 when the report takes longer than LIMIT on Slack or Lark
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from agent.answer import Answer
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.answers import answer_document
from handlers.document import Document
from handlers.report import report_document, report_pages
from handlers.report_flag import Sight
from tests.fakes.thinking import report

ROUNDS = 60
FLAGGED = 60
LIMIT = 20.0
"""Milliseconds that a report of 60 flags may take, from the report to what is sent."""

Draw = Callable[[], Sequence[Document]]
PLATFORMS: dict[str, Callable[[Document], object]] = {
    "Slack": lambda document: messages(document, ()),
    "Lark": lambda document: rendered(document, ()),
}


def measure(name: str, make: Draw, render: Callable[[Document], object]) -> float:
    """Print median and 95th percentile of making the documents and drawing them; gives back the median."""
    taken = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        for document in make():
            render(document)
        taken.append((time.thread_time() - started) * 1e3)
    median, high = statistics.median(taken), statistics.quantiles(taken, n=20)[18]
    print(f"{name}: p50 {median:.1f} ms, p95 {high:.1f} ms")
    return median


def main() -> int:
    """Measure each document on each platform."""
    flagged = report(FLAGGED)
    sight = Sight(flagged, datetime(2026, 11, 20, 8, tzinfo=UTC))
    table = "\n".join(["| cluster | p99 |", "| --- | --- |", *(f"| prod-{n} | {n} ms |" for n in range(12))])
    answer = Answer(f"**Slow.**\n\n{table}\n\n" + "A [link](https://x.example) and `code`. " * 60, "claude", "m", 3)
    slowest = 0.0
    for platform, render in PLATFORMS.items():
        slowest = max(slowest, measure(f"{platform}, pages of a report", lambda: report_pages(sight), render))
        slowest = max(slowest, measure(f"{platform}, whole report", lambda: [report_document(flagged)], render))
        measure(f"{platform}, long answer", lambda: [answer_document(answer)], render)
    print(f"slowest report of {FLAGGED} flags: {slowest:.1f} ms of {LIMIT:.0f}")
    return 1 if slowest > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
