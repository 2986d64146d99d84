"""Keeps callers from a warehouse that cannot be reached: they hear so at once, and one of them tries again in time."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from mcp_server.clock import Now, Seconds
from mcp_server.errors import Code, WarehouseError


@dataclass(frozen=True, slots=True)
class Patience:
    """When to stop trying: after `failures` within `window` seconds, for a pause that doubles up to the longest."""

    failures: int = 5
    window: float = 30.0
    first_pause: float = 5.0
    longest_pause: float = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """The breaker as seen from outside: `since` is when the warehouse was lost (UTC), None while it is reachable."""

    state: str
    since: datetime | None
    seconds_to_retry: float


class Breaker:
    """Around every attempt to connect."""

    def __init__(self, clock: Seconds, now: Now, patience: Patience | None = None) -> None:
        self._clock = clock
        self._now = now
        self._patience = patience or Patience()
        self._failures: deque[tuple[float, datetime]] = deque(maxlen=self._patience.failures)
        self._since: datetime | None = None
        self._pause = 0.0
        self._retry_at = 0.0
        self._probing = False

    def health(self) -> Health:
        """The present state: closed, open or half-open."""
        if self._since is None:
            return Health("closed", None, 0.0)
        wait = max(0.0, self._retry_at - self._clock())
        return Health("open" if wait else "half-open", self._since, wait)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """One attempt to connect; a WarehouseError inside counts as a failure.

        Raises WarehouseError without an attempt while it is not yet time, or while another caller tries.
        """
        probe = self._admitted()
        try:
            yield
        except WarehouseError:
            self._prolong() if probe else self.failed()
            raise
        else:
            self._succeeded()
        finally:
            # Also after a cancelled attempt: it has shown nothing, and the next caller may try.
            self._probing = self._probing and not probe

    def failed(self) -> None:
        """Count a failure that did not happen inside an attempt: a new connection that was lost under a statement."""
        at = self._clock()
        self._failures.append((at, self._now()))
        if self._since is not None:
            return
        if len(self._failures) == self._patience.failures and at - self._failures[0][0] <= self._patience.window:
            self._since = self._failures[0][1]
            self._pause = self._patience.first_pause
            self._retry_at = at + self._pause

    def _prolong(self) -> None:
        self._pause = min(self._pause * 2, self._patience.longest_pause)
        self._retry_at = self._clock() + self._pause

    def _admitted(self) -> bool:
        """Whether this attempt is the probe of an open breaker; raises when there may be none."""
        if self._since is None:
            return False
        wait = self._retry_at - self._clock()
        if wait > 0 or self._probing:
            raise self._refusal(wait)
        self._probing = True
        return True

    def _succeeded(self) -> None:
        if self._since is not None:
            self._since = None
            self._failures.clear()

    def _refusal(self, wait: float) -> WarehouseError:
        reason = f"the warehouse has not been reachable since {self._since:%Y-%m-%d %H:%M:%S} UTC"
        again = f"it is tried again in {max(1, round(wait))} s" if wait > 0 else "it is being tried at this moment"
        return WarehouseError(Code.UNAVAILABLE, reason, hint=f"say so and guess no figures; {again}")
