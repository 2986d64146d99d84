"""What a patrol could see: how old each source is, which clusters it could judge, what could not be read."""

from dataclasses import dataclass
from typing import Literal

SourceName = Literal["metrics", "operations", "alerts", "risks", "scores", "issues"]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of data. `newest` is its newest row (ISO UTC text to the minute), empty where it has none or could not be
    read; `failed` and `cut` tell that it could not be read, or only in part."""

    name: SourceName
    newest: str = ""
    failed: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there was to see at `at` (ISO UTC to the minute). Of all active `clusters` these were `judged`; `silent`
    ones send nothing, or most of it no longer, and `waiting` ones cannot be judged for other reasons (starting, being
    stopped, too few metrics); `partial` ones lack some metrics. `failed` and `cut` name checks in words; `stale` tells
    that even the newest measurements are old."""

    at: str
    sources: tuple[Source, ...] = ()
    clusters: int = 0
    judged: int = 0
    silent: int = 0
    waiting: int = 0
    partial: int = 0
    failed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    stale: bool = False

    @property
    def impaired(self) -> bool:
        """Whether something could not be looked at as it should be, whichever cluster it would have been about."""
        return bool(self.failed or self.cut or self.stale)

    @property
    def whole(self) -> bool:
        """Whether everything was seen that there is: only then a fleet without findings is a healthy one."""
        return not self.impaired and self.clusters > 0 and self.judged == self.clusters
