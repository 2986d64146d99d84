"""Who is alive: each process holds a lock named after its executor id, so a free lock means a dead process.

Locks end with their process, whatever ends it: no heartbeat, no clock. Postgres keeps them in a session of its own,
beside a SQLite file the operating system does."""

import fcntl
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Protocol

import psycopg
from sqlalchemy import URL

from bot.errors import OperatorError


class Presence(Protocol):
    """The locks of all processes on one database, as one of them sees them."""

    async def take(self, executor: str) -> bool:
        """Take an executor's lock; False while somebody has it."""
        ...

    async def give_back(self, executor: str) -> None:
        """Let go of a lock that was taken."""
        ...


class PostgresPresence:
    """Session advisory locks. The connection must reach Postgres itself: a pooler that hands out connections per
    transaction would lose them."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[bool]]) -> None:
        self._connection = connection

    async def take(self, executor: str) -> bool:
        """See `Presence`. Raises psycopg.OperationalError when the connection is lost, and with it every lock."""
        cursor = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_number(executor),))
        row = await cursor.fetchone()
        return bool(row and row[0])

    async def give_back(self, executor: str) -> None:
        """See `Presence`."""
        await self._connection.execute("SELECT pg_advisory_unlock(%s)", (_number(executor),))


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
    async with _presence(address) as presence:
        if not await presence.take(executor):
            raise OperatorError(
                f"STARWATCH_EXECUTOR_ID: a process with the id {executor!r} is running on this database already; "
                "stop it, or give each replica an id of its own"
            )
        yield presence


@asynccontextmanager
async def _presence(address: URL) -> AsyncIterator[Presence]:
    if address.get_backend_name() == "sqlite":
        files = FilePresence(Path(str(address.database)))
        try:
            yield files
        finally:
            files.close()
        return
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await psycopg.AsyncConnection.connect(plain, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise OperatorError(
            f"STARWATCH_DATABASE_URL: {address.render_as_string(hide_password=True)} cannot be reached "
            f"({type(error).__name__}); check the address, the account and the server"
        ) from None
    async with connection:
        yield PostgresPresence(connection)


def _number(executor: str) -> int:
    return int.from_bytes(hashlib.sha256(f"starwatch:{executor}".encode()).digest()[:8], "big", signed=True)
