"""What is noted of every call and statement, however it ends: counted in the metrics and told to the audit."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mcp_server.audit import OK, AuditLog, Statement, entry
from mcp_server.clock import Now, Seconds, utc_now
from mcp_server.errors import DoorError, Refusal
from mcp_server.guard import Admitted
from mcp_server.metrics import Metrics
from mcp_server.principal import Caller
from mcp_server.results import Result


@dataclass(slots=True)
class Draft:
    """A statement while it is at the door: the text as asked, then as admitted; the rows once they are there."""

    sql: str
    tables: tuple[str, ...] = ()
    rows: int = 0
    query_id: str = ""

    def admitted(self, admitted: Admitted) -> None:
        """The guard let it pass."""
        self.sql, self.tables = admitted.sql, tuple(admitted.tables)

    def answered(self, result: Result) -> None:
        """The warehouse answered."""
        self.rows, self.query_id = len(result.rows), result.query_id


class Recorder:
    """Notes what happens at a door."""

    def __init__(
        self,
        metrics: Metrics,
        audit: AuditLog | None,
        *,
        clock: Seconds = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._metrics = metrics
        self._audit = audit
        self._clock = clock
        self._now = now

    @contextmanager
    def statement(self, statements: list[Statement], sql: str) -> Iterator[Draft]:
        """One statement; when it has ended it is added to its call's `statements`."""
        draft = Draft(sql)
        started = self._clock()
        verdict = "fault"
        try:
            yield draft
            verdict = OK
        except BaseException as error:
            verdict = _verdict(error)
            raise
        finally:
            seconds = self._clock() - started
            self._metrics.statement(verdict, seconds)
            statements.append(
                Statement(
                    sql=draft.sql,
                    verdict=verdict,
                    tables=draft.tables,
                    rows=draft.rows,
                    seconds=round(seconds, 4),
                    query_id=draft.query_id,
                )
            )

    @contextmanager
    def call(
        self, caller: Caller, tool: str, arguments: Mapping[str, Any], statements: list[Statement]
    ) -> Iterator[None]:
        """One call with the statements that it runs."""
        started = self._clock()
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            self._note(caller, tool, arguments, failure, self._clock() - started, statements)

    def refused(self, caller: Caller, tool: str, arguments: Mapping[str, Any], error: DoorError) -> None:
        """A call that was turned away before its tool began."""
        self._note(caller, tool, arguments, error, 0.0, [])

    def noted(self, caller: Caller, tool: str, arguments: Mapping[str, Any], verdict: str) -> None:
        """Something about a call that is no call itself: what people decided of it, or what became of it."""
        if self._audit is not None:
            self._audit.add(entry(self._now(), caller, tool, arguments, verdict))

    def _note(
        self,
        caller: Caller,
        tool: str,
        arguments: Mapping[str, Any],
        failure: BaseException | None,
        seconds: float,
        statements: list[Statement],
    ) -> None:
        verdict = _verdict(failure)
        self._metrics.call(verdict, seconds)
        if isinstance(failure, Refusal):
            self._metrics.refusal(failure.rule)
        if self._audit is not None:
            self._audit.add(
                entry(
                    self._now(),
                    caller,
                    tool,
                    arguments,
                    verdict,
                    reason=_reason(failure),
                    seconds=seconds,
                    statements=statements,
                )
            )


def _verdict(error: BaseException | None) -> str:
    if error is None:
        return OK
    if isinstance(error, DoorError):
        return str(error.code)
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "fault"


def _reason(error: BaseException | None) -> str:
    """The door's own words; of a fault only its kind, as its text may hold anything."""
    if isinstance(error, Refusal):
        return f"{error.rule}: {error.reason}"
    if isinstance(error, DoorError):
        return error.reason
    return type(error).__name__ if error is not None else ""
