"""The audit: who asked what of the warehouse, what ran, and what became of it; every call, allowed or refused."""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mcp_server.audit_file import AuditFile
from mcp_server.principal import Caller
from mcp_server.redaction import redact_statement

OK = "ok"
_SQL_CHARS = 8_000
_ARGUMENT_CHARS = 1_000
_TOOL_CHARS = 100
_MOST_WAITING = 10_000
_CLOSING_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Statement(BaseModel):
    """One SQL text of a call: as it ran, or as it was asked when it was refused before."""

    model_config = ConfigDict(frozen=True)

    sql: str
    verdict: str
    tables: tuple[str, ...] = ()
    rows: int = 0
    seconds: float = 0.0
    query_id: str = ""


class Entry(BaseModel):
    """One call. `verdict` is `ok`, an error's code, `cancelled` or `fault`; `time` is its end, UTC."""

    model_config = ConfigDict(frozen=True)

    time: datetime
    surface: str
    channel: str = ""
    user: str = ""
    thread: str = ""
    tool: str
    verdict: str
    reason: str = ""
    seconds: float = 0.0
    arguments: str = ""
    statements: tuple[Statement, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the call and all its statements ended well."""
        return self.verdict == OK and all(statement.verdict == OK for statement in self.statements)


def entry(
    time: datetime,
    caller: Caller,
    tool: str,
    arguments: Mapping[str, Any],
    verdict: str,
    *,
    reason: str = "",
    seconds: float = 0.0,
    statements: Sequence[Statement] = (),
) -> Entry:
    """The entry of a call. Arguments are kept only where no SQL tells what was asked."""
    who = caller.principal
    told = "" if statements or not arguments else json.dumps(arguments, ensure_ascii=False, default=str)
    return Entry(
        time=time,
        surface=who.surface,
        channel=who.channel,
        user=who.user,
        thread=caller.thread,
        tool=tool[:_TOOL_CHARS],
        verdict=verdict,
        reason=reason,
        seconds=round(seconds, 4),
        arguments=told,
        statements=tuple(statements),
    )


class AuditLog:
    """Writes entries in their order on another thread. Use as an async context manager.

    An entry never waits and never fails: a disk that refuses is reported once in the log, and again when it is back.
    """

    def __init__(self, file: AuditFile) -> None:
        self._file = file
        self._waiting: list[Entry] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._lost = 0
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_on(), name="audit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            _, late = await asyncio.wait([self._writer], timeout=_CLOSING_SECONDS)
            if late:
                self._writer.cancel()
                _log.error("the audit could not be written to its end: %d entries lost", len(self._waiting))

    def add(self, entry: Entry) -> None:
        """Have an entry written soon."""
        if len(self._waiting) >= _MOST_WAITING:
            self._refused(1, "too many entries are waiting")
            return
        self._waiting.append(entry)
        self._wake.set()

    async def _write_on(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            if not batch:
                continue
            try:
                await asyncio.to_thread(self._append, batch)
            except OSError as error:
                self._refused(len(batch), error.strerror or type(error).__name__)
            else:
                self._accepted()

    def _append(self, batch: Sequence[Entry]) -> None:
        self._file.append([_line(entry) for entry in batch])

    def _refused(self, count: int, why: str) -> None:
        if not self._lost:
            _log.error("the audit cannot be written to %s: %s; queries go on without it", self._file.path, why)
        self._lost += count

    def _accepted(self) -> None:
        if self._lost:
            _log.warning("the audit is written again; %d entries were lost", self._lost)
            self._lost = 0


def kept(file: AuditFile) -> Iterator[Entry]:
    """The entries that the file still holds, oldest first; what is no entry is passed over. Raises OSError."""
    for line in file.lines():
        try:
            yield Entry.model_validate_json(line)
        except ValidationError:
            continue


def _line(entry: Entry) -> str:
    statements = tuple(
        statement.model_copy(update={"sql": _kept_text(statement.sql, _SQL_CHARS)}) for statement in entry.statements
    )
    update = {
        "statements": statements,
        "arguments": _kept_text(entry.arguments, _ARGUMENT_CHARS),
        "reason": _kept_text(entry.reason, _ARGUMENT_CHARS),
    }
    return entry.model_copy(update=update).model_dump_json(exclude_defaults=True)


def _kept_text(text: str, chars: int) -> str:
    """Redacted before it is cut, so that no half of a secret stays behind."""
    clean = redact_statement(text)
    return clean if len(clean) <= chars else f"{clean[:chars]}…[+{len(clean) - chars} chars]"
