"""`starwatch init-db`: the tables of an empty warehouse, created once and left alone afterwards."""

import asyncio
import re
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

import aiomysql
import pytest

import schema
from bot.store.migrate import VERSION_TABLE
from sandbox.launch import Endpoint, Options, running
from tests.bot.conftest import Run, RunAsync

ROOT = Path(__file__).parents[2]
ROW = "INSERT INTO alerts.patrol_reports (report_id, created_at, report_type) VALUES ('r-1', '2026-11-20', 'morning')"

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


@pytest.fixture
async def empty() -> AsyncIterator[Endpoint]:
    """A warehouse without any table, with an administrator."""
    async with running(Options(empty=True)) as endpoint:
        yield endpoint


def administrator(warehouse: Endpoint) -> dict[str, str]:
    return {
        "STARWATCH_STARROCKS_HOST": warehouse.host,
        "STARWATCH_STARROCKS_PORT": str(warehouse.port),
        "STARWATCH_STARROCKS_USER": "reader",
        "STARWATCH_ADMIN_USER": "admin",
        "STARWATCH_ADMIN_PASSWORD": "admin",
    }


@asynccontextmanager
async def cursor(warehouse: Endpoint, user: str) -> AsyncIterator[aiomysql.Cursor]:
    address = {"host": warehouse.host, "port": warehouse.port, "user": user, "password": user}
    async with aiomysql.connect(**address) as connection, connection.cursor() as opened:
        yield opened


async def tables_seen(warehouse: Endpoint) -> set[str]:
    """What the reader finds in the three databases."""
    async with cursor(warehouse, "reader") as reader:
        await reader.execute("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.tables")
        found = {f"{database}.{name}" for database, name in await reader.fetchall()}
    return {name for name in found if name.partition(".")[0] in schema.DATABASES}


async def test_an_empty_warehouse_gets_every_table_once_and_keeps_its_rows(
    in_thread: RunAsync, empty: Endpoint
) -> None:
    assert await tables_seen(empty) == set()
    for _ in range(2):
        code, out, _ = await in_thread("init-db", **administrator(empty))
        assert code == 0
        assert f"{len(schema.statements())} statements accepted" in out
        assert await tables_seen(empty) == set(schema.TABLES)
        async with cursor(empty, "writer") as writer:
            assert await writer.execute(ROW) == 1
    async with cursor(empty, "reader") as reader:
        await reader.execute("SELECT count(*) FROM alerts.patrol_reports")
        assert await reader.fetchone() == (1,), "the report id is the key"


async def test_only_the_writer_may_store_and_only_in_its_tables(in_thread: RunAsync, empty: Endpoint) -> None:
    await in_thread("init-db", **administrator(empty))
    async with cursor(empty, "reader") as reader:
        with pytest.raises(aiomysql.MySQLError, match="Access denied"):
            await reader.execute(ROW)
    async with cursor(empty, "writer") as writer:
        for refused in ("INSERT INTO byoc.region_details (region_id) VALUES ('r')", "SELECT biz_id FROM byoc.clusters"):
            with pytest.raises(aiomysql.MySQLError, match="Access denied"):
                await writer.execute(refused)


async def test_the_command_line_starts_an_empty_warehouse_too() -> None:
    words = ("-m", "bot", "warehouse", "--empty", "--port", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            ready = (await process.stdout.readline()).decode().split()[-1]
            port = urlsplit(ready).port
            assert port is not None
            assert await tables_seen(Endpoint("127.0.0.1", port, ("reader", "reader"), ("writer", "writer"))) == set()
    finally:
        process.terminate()
        _, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")


def test_the_statements_are_shown_without_touching_anything(starwatch: Run) -> None:
    code, out, _ = starwatch("init-db", "--show")
    assert code == 0
    assert out.count("CREATE DATABASE") == 3
    for name in schema.TABLES:
        assert f" {name} " in out


def test_without_an_account_it_says_which_setting_is_missing(starwatch: Run) -> None:
    code, out, err = starwatch("init-db", STARWATCH_STARROCKS_HOST="h", STARWATCH_STARROCKS_USER="u")
    assert (code, out) == (2, "")
    assert err.startswith("starwatch: STARWATCH_ADMIN_USER: is missing")


def test_without_a_warehouse_the_own_database_is_made_alone(starwatch: Run, sqlite_url: str) -> None:
    for _ in range(2):
        code, out, _ = starwatch("init-db", STARWATCH_DATABASE_URL=sqlite_url)
        assert code == 0
        assert re.search(r"starwatch\.db is at revision \d{4}\n", out)
        assert "the embedded warehouse makes its own tables" in out


def test_an_own_database_of_a_newer_version_is_one_line(starwatch: Run, sqlite_url: str) -> None:
    starwatch("init-db", STARWATCH_DATABASE_URL=sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"))) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    for command in ("init-db", "serve"):
        code, out, err = starwatch(command, STARWATCH_DATABASE_URL=sqlite_url, **SLACK)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "'9999', unknown to this Starwatch" in err


@pytest.mark.parametrize(
    ("account", "told"),
    [
        (("reader", "reader"), "refused 'CREATE DATABASE"),
        (("admin", "wrong"), "check STARWATCH_ADMIN_USER and its password"),
    ],
)
def test_an_account_that_cannot_create_is_one_line(
    starwatch: Run, real: dict[str, str], account: tuple[str, str], told: str
) -> None:
    user, password = account
    code, out, err = starwatch("init-db", **real, STARWATCH_ADMIN_USER=user, STARWATCH_ADMIN_PASSWORD=password)
    assert code == 2
    assert "accepted" not in out
    assert told in err.splitlines()[-1]
    assert "wrong" not in err


def test_the_grants_are_printed_with_the_names_that_were_asked_for(starwatch: Run) -> None:
    code, out, _ = starwatch(
        *("init-db", "--print-grants", "--reader", "eyes", "--writer", "pen", "--group", "calm", "--host", "10.0.%")
    )
    assert code == 0
    assert set(re.findall(r"'(\w+)'@", out)) == {"eyes", "pen"}
    assert set(re.findall(r"@'([^']+)'", out)) == {"10.0.%"}
    assert "CREATE RESOURCE GROUP calm\nTO (user = 'eyes'" in out


@pytest.mark.parametrize(
    ("option", "value"),
    [("--reader", "a b"), ("--writer", "x'; DROP"), ("--group", ""), ("--host", "'"), ("--writer", "starwatch")],
)
def test_a_name_that_would_need_quoting_is_refused(starwatch: Run, option: str, value: str) -> None:
    code, out, err = starwatch("init-db", "--print-grants", option, value)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert repr(value)[1:-1].strip("'") in err
