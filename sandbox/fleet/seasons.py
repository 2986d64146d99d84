"""How load moves with the real clock: shapes of day and week per workload, in the local time of a cluster's region."""

import numpy as np
from numpy.typing import NDArray

from sandbox.fleet.chance import Floats

WORKLOADS: tuple[str, ...] = ("dashboards", "product", "adhoc", "loads", "stream")
WORKLOAD_SHARES: tuple[float, ...] = (0.34, 0.26, 0.16, 0.14, 0.10)

# (share of load that is always there, hour of the peak, width of the peak in hours, load at weekends)
_SHAPES = {
    "dashboards": (0.30, 13.5, 4.2, 0.45),
    "product": (0.55, 19.0, 5.5, 1.02),
    "adhoc": (0.35, 15.0, 4.0, 0.40),
    "loads": (0.50, 3.0, 3.0, 0.85),
    "stream": (0.80, 14.0, 6.0, 0.92),
}


def local_clock(hours: NDArray[np.datetime64], offset: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return hour of day (0..24) and weekday (0 Monday .. 6 Sunday) at `offset` hours from UTC."""
    minutes = hours.astype("datetime64[m]").astype(np.int64) + round(offset * 60)
    days = minutes // 1440
    # 1970-01-01 was a Thursday.
    return (minutes % 1440) / 60.0, (days + 3) % 7


def load_curve(workload: str, hours: NDArray[np.datetime64], offset: float) -> Floats:
    """Return the expected load (0..~1) of a workload at each of `hours` (UTC)."""
    floor, peak, width, weekend = _SHAPES[workload]
    clock, weekday = local_clock(hours, offset)
    # Around the clock: 23:00 is two hours from a peak at 01:00.
    distance = np.abs((clock - peak + 12) % 24 - 12)
    day = floor + (1 - floor) * np.exp(-0.5 * (distance / width) ** 2)
    return np.where(weekday >= 5, day * weekend, day)


def daily_window(hours: NDArray[np.datetime64], first: int, length: int) -> NDArray[np.bool_]:
    """Return which of `hours` fall into the `length` hours that begin at `first` o'clock UTC every day."""
    clock, _ = local_clock(hours, 0)
    return (clock - first) % 24 < length
