"""Connections outside the door: for the accounts that create tables or write reports, and for looking at accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomysql

from bot.warehouse import Account

SECONDS = 30
"""Time limit of one connection attempt."""


@asynccontextmanager
async def logged_in(host: str, port: int, account: Account) -> AsyncIterator[aiomysql.Connection]:
    """A connection of this account, closed at the end.

    Raises aiomysql.MySQLError and OSError as they come: only the caller knows which setting to name.
    """
    connection = await aiomysql.connect(
        host=host,
        port=port,
        user=account.user,
        password=account.password.get_secret_value(),
        connect_timeout=SECONDS,
        autocommit=True,
    )
    try:
        yield connection
    finally:
        connection.close()


def said(error: Exception) -> str:
    """What the server said, or what kind of failure it was; no driver adds a password to either."""
    return str(error.args[1]) if len(error.args) > 1 else type(error).__name__
