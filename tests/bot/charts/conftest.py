"""Charts of each kind."""

from handlers.document import Chart, Series

HOURS = tuple(f"11-20 {hour:02d}:00" for hour in range(24))
COURSE = Chart(
    "line",
    "query p99 (UTC)",
    HOURS,
    (
        Series("mean", tuple(None if hour == 7 else 100.0 + hour for hour in range(24))),
        Series("highest", tuple(200.0 + hour for hour in range(24))),
    ),
    "ms",
    "p99 rises",
)
RANKING = Chart("bar", "disk used", ("prod-lakehouse-01", "b"), (Series("latest", (90.5, None)),), "%")
BESIDE = Chart("bar", "failed", ("Mo", "Tu"), (Series("prod-a", (1.0, 2.0)), Series("prod-b", (3.0, 4e6))))
PARTS = Chart("pie", "versions", ("3.3", "3.5"), (Series("clusters", (30.0, 10.0)),))
AREA = Chart("area", "qps", ("a",), (Series("qps", (5.0,)),))
ALL = (COURSE, RANKING, BESIDE, PARTS, AREA)
