"""What the guard costs: microseconds of processor time per statement that it has not seen before.

Run: python -m benchmarks.guard
"""

import statistics
import time
from collections.abc import Collection

import schema
from mcp_server import queries
from mcp_server.errors import Refusal
from mcp_server.guard import Guard
from mcp_server.principal import EVERYTHING, Scope
from tests.mcp_server import corpus

ROUNDS = 20


def measure(
    name: str, statements: list[str], tables: Collection[str] = schema.TABLES, scope: Scope = EVERYTHING
) -> None:
    """Print how many pass, median, 95th and 99th percentile and the rate on one core."""
    taken, refused = [], 0
    for _ in range(ROUNDS):
        # A new guard remembers nothing.
        guard = Guard(tables)
        for statement in statements:
            started = time.thread_time()
            try:
                guard.admit(statement, 500, scope)
            except Refusal:
                refused += 1
            taken.append((time.thread_time() - started) * 1e6)
    cuts = statistics.quantiles(taken, n=100)
    rate = 1e6 / statistics.fmean(taken)
    print(
        f"{name}: {len(statements)} statements, {refused // ROUNDS} refused, p50 {cuts[49]:.0f} us, "
        f"p95 {cuts[94]:.0f} us, p99 {cuts[98]:.0f} us, {rate:.0f}/s on one core"
    )


def own() -> list[str]:
    """The door's own queries, with values of the shapes that tools give them."""
    values = dict.fromkeys(("cluster", "pattern", "severity"), "x")
    values |= dict.fromkeys(("now", "since", "until"), "2026-01-01 00:00:00")
    numbers = dict.fromkeys(("limit", "step", "gravity", "days", "hours"), 5)
    series = queries.Columns(["MAX(CASE WHEN metric_name = 'up' THEN average END) AS up_avg"])
    return [queries.bound(name, **values, **numbers, metrics=["up"], series=series) for name in queries.names()]


def main() -> None:
    """Measure the lists, the manual's statements, the same for a channel of one account, and the door's own queries."""
    measure("allowed", corpus.allowed())
    measure("allowed, narrowed", corpus.allowed(), scope=Scope(accounts=frozenset({"acct0acme"})))
    measure("manual", corpus.manual(), tables=corpus.MANUAL_TABLES)
    measure("refused", [statement for _, statement in corpus.refused()])
    measure("own", own())


if __name__ == "__main__":
    main()
