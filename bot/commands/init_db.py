"""`starwatch init-db`: brings the own database up to date and creates the three of StarRocks with the admin account, or
prints what creates users and tables."""

import os
from pathlib import Path

import aiomysql

import schema
from bot import running
from bot.errors import OperatorError, SettingsError, WarehouseError
from bot.grants import Names, script
from bot.login import logged_in, said
from bot.paths import default_database_url
from bot.settings import Settings, load
from bot.store import migrated
from bot.terminal import Terminal, console
from bot.warehouse import Account


def run(*, show: bool, print_grants: bool, **names: str) -> int:
    """0 when every statement was accepted. Raises OperatorError naming the first one that was not."""
    if show:
        print(";\n\n".join(schema.statements()) + ";")
    if print_grants:
        print(script(_named(names)), end="")
    return 0 if show or print_grants else running.run(_create(load(os.environ, Path.cwd())))


def _named(names: dict[str, str]) -> Names:
    try:
        return Names(**names)
    except ValueError as error:
        raise OperatorError(str(error)) from None


async def _create(settings: Settings) -> int:
    host, user = settings.starrocks_host, settings.admin_user
    if host is not None and user is None:
        raise SettingsError("STARWATCH_ADMIN_USER: is missing; name an account that may create databases and tables")
    print(await migrated(settings.database_url or default_database_url(os.environ)))
    if host is None or user is None:
        print("no STARWATCH_STARROCKS_HOST: the embedded warehouse makes its own tables")
        return 0
    where = f"StarRocks at {host}:{settings.starrocks_port}, account {user!r}"
    try:
        async with logged_in(host, settings.starrocks_port, Account(user, settings.admin_password)) as connection:
            await _apply(connection, where)
    except (aiomysql.MySQLError, OSError) as error:
        raise WarehouseError(f"{where}: {said(error)}; check STARWATCH_ADMIN_USER and its password") from None
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
                raise WarehouseError(f"{where}: refused {title!r}: {said(error)}") from None
    progress.show("")
    print(f"{len(statements)} statements accepted by {where}; existing tables were left as they are")
