"""`starwatch init-db`: creates the three databases with the admin account, one statement after another."""

import os
from pathlib import Path

import aiomysql

import schema
from bot import running
from bot.errors import SettingsError, WarehouseError
from bot.settings import Settings, load
from bot.terminal import Terminal, console

SECONDS = 60
"""Time limit of one connection attempt."""


def run(*, show: bool) -> int:
    """0 when every statement was accepted. Raises OperatorError naming the first one that was not."""
    if show:
        print(";\n\n".join(schema.statements()) + ";")
        return 0
    return running.run(_create(load(os.environ, Path.cwd())))


async def _create(settings: Settings) -> int:
    host, user = settings.starrocks_host, settings.admin_user
    if host is None:
        raise SettingsError("STARWATCH_STARROCKS_HOST: is missing; the embedded warehouse needs no init-db")
    if user is None:
        raise SettingsError("STARWATCH_ADMIN_USER: is missing; name an account that may create databases and tables")
    where = f"StarRocks at {host}:{settings.starrocks_port}, account {user!r}"
    try:
        connection = await aiomysql.connect(
            host=host,
            port=settings.starrocks_port,
            user=user,
            password=settings.admin_password.get_secret_value(),
            connect_timeout=SECONDS,
            autocommit=True,
        )
    except (aiomysql.MySQLError, OSError) as error:
        raise WarehouseError(f"{where}: {_said(error)}; check STARWATCH_ADMIN_USER and its password") from None
    try:
        await _apply(connection, where)
    finally:
        connection.close()
    return 0


async def _apply(connection: aiomysql.Connection, where: str) -> None:
    progress = Terminal(console(), console(stream_is_error=True))
    statements = schema.statements()
    async with connection.cursor() as cursor:
        for number, statement in enumerate(statements, start=1):
            title = " ".join(statement.split("(")[0].split())
            progress.show(f"{number}/{len(statements)} {title}")
            try:
                await cursor.execute(statement)
            except aiomysql.MySQLError as error:
                raise WarehouseError(f"{where}: refused {title!r}: {_said(error)}") from None
    progress.show("")
    print(f"{len(statements)} statements accepted by {where}; existing tables were left as they are")


def _said(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else type(error).__name__
