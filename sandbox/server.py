"""The stand-in as a whole: the login desk in front of the engine, filled and locked before the first client enters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox import live
from sandbox.accounts import READER, Account
from sandbox.engine import Engine
from sandbox.errors import StatementError
from sandbox.session import SqlSession
from sandbox.variables import VERSION
from sandbox.wire.backend import Peer
from sandbox.wire.listener import Listener
from sandbox.wire.login import Credentials

HOST = "127.0.0.1"


class LoginDesk:
    """Lets the accounts of an engine in."""

    version = VERSION

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def login(self, credentials: Credentials, peer: Peer) -> SqlSession:
        """A session for these credentials; raises 1045 when user or password is wrong."""
        account = self._account(credentials.user)
        if account is None or not credentials.proves(account.password.get_secret_value()):
            used = "YES" if credentials.used_password else "NO"
            message = f"Access denied for user '{credentials.user}' (using password: {used})"
            raise StatementError(1045, message, "28000")
        return SqlSession(self._engine, account, peer)

    def _account(self, user: str) -> Account | None:
        known = self._engine.accounts.get(user)
        cluster = None if known else live.find(self._engine.connection, user)
        return Account(user, READER.password, reads=frozenset(), cluster=cluster) if cluster else known


@asynccontextmanager
async def serving(engine: Engine, port: int = 0, max_connections: int = 256) -> AsyncIterator[int]:
    """Serve a filled engine on the loopback interface; yields the port.

    Raises:
        StartError: the port is taken.
    """
    engine.lock()
    async with Listener(LoginDesk(engine), max_connections).open(HOST, port) as bound:
        yield bound
