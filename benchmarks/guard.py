"""What the guard costs: microseconds per statement that it has not seen before.

Run: python -m benchmarks.guard
"""

import contextlib
import statistics
import time

import schema
from mcp_server import queries
from mcp_server.errors import Refusal
from mcp_server.guard import Guard
from tests.mcp_server import corpus

ROUNDS = 20


def measure(name: str, statements: list[str]) -> None:
    """Print median, 95th and 99th percentile and the rate on one core."""
    taken = []
    for _ in range(ROUNDS):
        guard = Guard(schema.TABLES)
        for statement in statements:
            started = time.perf_counter()
            with contextlib.suppress(Refusal):
                guard.admit(statement, 500)
            taken.append((time.perf_counter() - started) * 1e6)
    cuts = statistics.quantiles(taken, n=100)
    rate = 1e6 / statistics.fmean(taken)
    print(
        f"{name}: {len(statements)} statements, p50 {cuts[49]:.0f} us, p95 {cuts[94]:.0f} us, p99 {cuts[98]:.0f} us, "
        f"{rate:.0f}/s on one core"
    )


def main() -> None:
    """Measure the two lists and the door's own queries."""
    measure("allowed", corpus.allowed())
    measure("refused", [statement for _, statement in corpus.refused()])
    values = {"cluster": "x", "severity": None, "limit": 5, "days": 7, "hours": 24, "step": 1, "metrics": ["up"]}
    measure("own", [queries.bound(name, **values, pattern="x") for name in queries.names()])


if __name__ == "__main__":
    main()
