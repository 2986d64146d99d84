"""Who is alive: each process holds a lock named after its executor id, so a free lock means a dead process.

Locks end with their process, whatever ends it. Postgres keeps them in a session of its own, beside a SQLite file the
operating system does. A process that is frozen keeps its session; it is told by the session's silence, and the session
is ended for it: when it wakes it finds its turns taken over."""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, LiteralString, Protocol

import psycopg
import structlog
from sqlalchemy import URL

from bot.errors import OperatorError

log = structlog.get_logger()

BEAT = 2.0
"""Seconds between two signs of life in the session that holds the lock."""
SILENT = 9.0
"""Seconds without one after which a process is taken for dead; by the clock of the database, which all share."""


class Presence(Protocol):
    """The locks of all processes on one database, as one of them sees them."""

    async def take(self, executor: str) -> bool:
        """Take an executor's lock; False while somebody has it."""
        ...

    async def give_back(self, executor: str) -> None:
        """Let go of a lock that was taken."""
        ...


_SILENT_HOLDER = """
SELECT pg_terminate_backend(holder.pid)
FROM pg_locks AS held JOIN pg_stat_activity AS holder USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (held.classid::bigint << 32 | held.objid::bigint) = %s
  AND clock_timestamp() - holder.state_change > make_interval(secs => %s)
"""


class PostgresPresence:
    """Session advisory locks. The connection must reach Postgres itself: a pooler that hands out connections per
    transaction would lose them. Open it with `connect`."""

    def __init__(self, address: str, executor: str, silent: float = SILENT) -> None:
        self._address = address
        self._executor = executor
        self._silent = silent
        self._connection: psycopg.AsyncConnection[tuple[bool]] | None = None

    async def connect(self) -> None:
        """Raises psycopg.OperationalError."""
        await self.close()
        self._connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, connect_timeout=5)

    async def take(self, executor: str) -> bool:
        """See `Presence`. Whoever has it and gave no sign of life is made to let go, for the next look. Raises
        psycopg.OperationalError when the connection is lost, and with it every lock."""
        if await self._one("SELECT pg_try_advisory_lock(%s)", _number(executor)):
            return True
        if await self._one(_SILENT_HOLDER, _number(executor), self._silent):
            log.warning("a process gives no sign of life and is taken for dead", executor=executor)
        return False

    async def give_back(self, executor: str) -> None:
        """See `Presence`."""
        await self._one("SELECT pg_advisory_unlock(%s)", _number(executor))

    async def live(self, beat: float = BEAT) -> None:
        """Give signs of life until cancelled; with a lost connection the lock is lost too, and both are made anew."""
        while True:
            await asyncio.sleep(beat)
            try:
                if self._connection is None or self._connection.closed:
                    await self.connect()
                    if await self.take(self._executor):
                        log.warning("the lock that says that this process lives was lost, and is held again")
                    else:
                        await self.close()  # somebody is taking our turns over; the next time it is free again
                await self._one("SELECT true")
            except psycopg.OperationalError as error:
                log.error("this process cannot say that it lives", why=type(error).__name__)

    async def close(self) -> None:
        """Let go of everything."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _one(self, sql: LiteralString, *values: object) -> bool:
        if self._connection is None:
            raise psycopg.OperationalError("not connected")
        row = await (await self._connection.execute(sql, values)).fetchone()
        return bool(row and row[0])


class FilePresence:
    """Locks on empty files beside the database file."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: dict[str, IO[bytes]] = {}

    async def take(self, executor: str) -> bool:
        """See `Presence`."""
        name = hashlib.sha256(executor.encode()).hexdigest()[:16]
        file = self._database.with_suffix(f".{name}.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held[executor] = file
        return True

    async def give_back(self, executor: str) -> None:
        """See `Presence`."""
        self._held.pop(executor).close()

    def close(self) -> None:
        """Let go of everything."""
        for file in self._held.values():
            file.close()
        self._held.clear()


@asynccontextmanager
async def present(address: URL, executor: str) -> AsyncIterator[Presence]:
    """Alive as this executor while the context is open. Raises OperatorError when another process is."""
    async with _presence(address, executor) as presence:
        if not await presence.take(executor):
            raise OperatorError(
                f"STARWATCH_EXECUTOR_ID: a process with the id {executor!r} is running on this database already; "
                "stop it, or give each replica an id of its own"
            )
        yield presence


@asynccontextmanager
async def _presence(address: URL, executor: str) -> AsyncIterator[Presence]:
    if address.get_backend_name() == "sqlite":
        files = FilePresence(Path(str(address.database)))
        try:
            yield files
        finally:
            files.close()
        return
    async with _in_postgres(address, executor) as presence:
        yield presence


@asynccontextmanager
async def _in_postgres(address: URL, executor: str) -> AsyncIterator[PostgresPresence]:
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    presence = PostgresPresence(plain, executor)
    try:
        await presence.connect()
    except psycopg.OperationalError as error:
        raise OperatorError(
            f"STARWATCH_DATABASE_URL: {address.render_as_string(hide_password=True)} cannot be reached "
            f"({type(error).__name__}); check the address, the account and the server"
        ) from None
    living = asyncio.create_task(presence.live(), name="signs of life")
    try:
        yield presence
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        await presence.close()


def _number(executor: str) -> int:
    return int.from_bytes(hashlib.sha256(f"starwatch:{executor}".encode()).digest()[:8], "big", signed=True)
