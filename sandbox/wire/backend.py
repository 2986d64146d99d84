"""What the wire needs from the engine behind it, and the results that travel between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.wire.login import Credentials
from sandbox.wire.values import Column, Row


@dataclass(frozen=True, slots=True)
class Affected:
    """A statement without rows: how many it changed."""

    rows: int = 0


@dataclass(frozen=True, slots=True)
class ResultSet:
    """A statement with rows: its columns, and the rows in batches, fetched only as the client takes them."""

    columns: tuple[Column, ...]
    batches: AsyncIterator[Sequence[Row]]


Outcome = Affected | ResultSet


@dataclass(frozen=True, slots=True)
class Peer:
    """The client's end of a connection: its id, its address, and how to cut it off."""

    connection_id: int
    address: str
    disconnect: Callable[[], None]


class Session(Protocol):
    """One logged-in client. All methods may raise StatementError, which is the client's to read."""

    async def use(self, database: str) -> None:
        """Make `database` the one of unqualified names."""

    async def split(self, text: str) -> Sequence[str]:
        """The statements of a text, in order; empty ones are left out."""

    async def run(self, statement: str) -> Outcome:
        """Run one statement. Cancelling the call, or its result's batches, stops the statement."""

    async def placeholders(self, statement: str) -> Sequence[str]:
        """The parts of `statement` around its `?` parameters: n parameters give n + 1 parts."""

    def columns_of(self, table: str) -> Sequence[Column]:
        """The columns of a table of the current database."""

    def finish(self) -> None:
        """The results of the current command are with the client."""

    def reset(self) -> None:
        """Forget session variables."""

    async def close(self) -> None:
        """Free what the session holds; called once, whatever happened before."""


class Backend(Protocol):
    """The engine as a login desk."""

    version: str

    def login(self, credentials: Credentials, peer: Peer) -> Session:
        """A session for these credentials; raises StatementError 1045 when they are wrong."""
