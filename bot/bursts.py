"""How often somebody asked lately, as this process saw it: what comes too fast is told once and then passed over."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MINUTE = 60.0
NAMES = 10_000

Haste = Literal["fine", "too fast", "still too fast"]


@dataclass(slots=True)
class _Lately:
    taken: deque[float] = field(default_factory=deque)
    told: bool = False


class Bursts:
    """Counts by name over a sliding minute. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._names: OrderedDict[str, _Lately] = OrderedDict()

    def count(self, name: str, most: int) -> Haste:
        """Count one more, unless there were `most` in the last minute; 0 is no limit. The first one that is too fast
        after others that were fine is told from those behind it."""
        if not most:
            return "fine"
        now, lately = self._clock(), self._names.setdefault(name, _Lately())
        self._names.move_to_end(name)
        while len(self._names) > NAMES:
            self._names.popitem(last=False)
        while lately.taken and now - lately.taken[0] >= MINUTE:
            lately.taken.popleft()
        if len(lately.taken) < most:
            lately.taken.append(now)
            lately.told = False
            return "fine"
        told, lately.told = lately.told, True
        return "still too fast" if told else "too fast"
