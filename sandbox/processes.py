"""Who is connected and what each is doing: the process list, and the way KILL finds a session."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.errors import StatementError


@dataclass(slots=True)
class Process:
    """One session as others see it. `stop` ends its statement, `disconnect` its connection."""

    connection_id: int
    user: str
    address: str
    stop: Callable[[], None]
    disconnect: Callable[[], None]
    database: str = ""
    command: str = "Sleep"
    info: str = ""
    connected_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    since: float = field(default_factory=time.monotonic)

    def busy_with(self, text: str) -> None:
        """A statement begins."""
        self.command, self.info, self.since = "Query", text, time.monotonic()

    def idle(self) -> None:
        """Nothing runs."""
        self.command, self.info, self.since = "Sleep", "", time.monotonic()


@dataclass(slots=True)
class Processes:
    """All sessions by connection id."""

    _by_id: dict[int, Process] = field(default_factory=dict)

    def add(self, process: Process) -> None:
        """A session begins."""
        self._by_id[process.connection_id] = process

    def remove(self, connection_id: int) -> None:
        """A session ends."""
        self._by_id.pop(connection_id, None)

    def of(self, user: str | None) -> list[Process]:
        """The sessions of a user, or of all users, by connection id."""
        return [process for _, process in sorted(self._by_id.items()) if user in (None, process.user)]

    def find(self, connection_id: int, user: str | None) -> Process:
        """One session that `user` (None: anybody) may end; raises 1094 for any other."""
        process = self._by_id.get(connection_id)
        # One answer for both, or ids of other people's sessions could be found by trying.
        if process is None or user not in (None, process.user):
            raise StatementError(1094, f"Unknown thread id: {connection_id}")
        return process
