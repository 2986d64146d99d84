"""What the doctor finds out about the warehouse: its version, what its accounts may do, and what limits them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

import aiomysql

import schema
from bot import privileges
from bot.inquiry import STAND_IN, asking, frontend_setting, grants_of, is_stand_in, succeeds
from bot.login import said
from bot.settings import Settings
from bot.warehouse import Account, Address
from mcp_server.errors import Code
from mcp_server.faults import translated

Finding = tuple[str, str]
"""State (ok, warning, wrong or off) and detail of one part."""

OLDEST, NEWEST = (3, 0), (4, 1)
"""StarRocks versions: before the first, privileges are another system; the second is the newest whose words we know."""
_HINTS = (
    ((3, 3, 3), "ALTER USER … SET PROPERTIES is not known before 3.3.3; leave that statement out"),
    ((3, 3, 5), "before 3.3.5 a resource group's cpu_weight is called cpu_core_limit"),
)
_BOUNDS = ("concurrency_limit", "big_query_cpu_second_limit", "big_query_mem_limit")
# Counts for minutes anywhere, reads no table and sends one row: only the server's own limit can end it soon.
_ENDLESS = "SELECT count(*) FROM TABLE(generate_series(1, 100000000000)) AS numbers"
_ELSEWHERE = "SELECT biz_id FROM byoc.clusters LIMIT 1"


def parts(place: Address, settings: Settings) -> dict[str, Callable[[], Awaitable[Finding]]]:
    """The checks of a named warehouse, by the part that they look at. Each raises WarehouseError when it cannot."""
    return {
        "StarRocks version": lambda: version(place),
        "reader's grants": lambda: reader_grants(place),
        "query timeout": lambda: query_timeout(place),
        "resource group": lambda: resource_group(place),
        "FE settings": lambda: fe_settings(place, settings),
        "writer's grants": lambda: writer_grants(place),
    }


async def version(place: Address) -> Finding:
    """Which StarRocks it is, and what to know about that version."""
    async with asking(place, place.reader) as inquiry:
        if await is_stand_in(inquiry):
            return "ok", f"{STAND_IN}, not a StarRocks"
        (row,) = await inquiry.rows("SELECT current_version() AS version")
    number = _number(row["version"])
    if not number:
        return "warning", f"{row['version']!r} is no version that Starwatch can read; it needs 3.0 or later"
    if number < OLDEST:
        return "wrong", f"{row['version']}: Starwatch needs 3.0 or later"
    hints = [hint for since, hint in _HINTS if number < since]
    if number[:2] > NEWEST:
        hints.append(f"newer than {NEWEST[0]}.{NEWEST[1]}, the newest version that Starwatch was written for")
    return "ok", "; ".join((row["version"], *hints))


async def reader_grants(place: Address) -> Finding:
    """Whether the reader can read everything, and can do nothing else."""
    async with asking(place, place.reader) as inquiry:
        grants, more = await grants_of(inquiry)
    lacking = privileges.unmet(grants, "SELECT", schema.TABLES)
    if lacking and not more:
        return "wrong", f"{place.reader.user} lacks SELECT on {_few(lacking)}; see `starwatch init-db --print-grants`"
    return _judged(
        place.reader,
        (*more, *privileges.surplus(grants, privileges.READER)),
        "can read the three databases and nothing else",
    )


async def writer_grants(place: Address) -> Finding:
    """Whether the writer can store everything, and can neither read elsewhere nor change anything."""
    if place.writer is None:
        return "off", "no STARWATCH_WRITER_USER"
    async with asking(place, place.writer) as inquiry:
        grants, more = await grants_of(inquiry)
        lacking = privileges.unmet(grants, "INSERT", schema.WRITTEN)
        if lacking and not more:
            return "wrong", f"{place.writer.user} lacks INSERT on {_few(lacking)}"
        reads = ("can read byoc.clusters",) if await succeeds(inquiry, _ELSEWHERE) else ()
    surplus = (*more, *privileges.surplus(grants, privileges.WRITER), *reads)
    return _judged(place.writer, surplus, f"can insert into {len(schema.WRITTEN)} tables and read nothing elsewhere")


async def query_timeout(place: Address, patience: float = 5.0) -> Finding:
    """Whether the server itself ends a statement at a limit of one second, the last resort when nobody else can.

    `patience` is in seconds; a statement that still runs then is taken for endless.
    """
    async with asking(place, place.reader) as inquiry:
        await inquiry.rows("SET query_timeout = 1")
        try:
            async with asyncio.timeout(patience):
                await inquiry.rows(_ENDLESS)
        except TimeoutError:
            return "wrong", f"a statement ran on for {patience:g} s under query_timeout = 1"
        except aiomysql.MySQLError as error:
            if translated(error).code is Code.TIMEOUT:
                return "ok", "a statement is ended at its limit"
            return "warning", f"could not be tried out: {said(error)}"
    return "warning", "could not be tried out: the statement ended before its limit"


async def resource_group(place: Address) -> Finding:
    """Whether the server bounds what the reader's statements take."""
    async with asking(place, place.reader) as inquiry:
        if await is_stand_in(inquiry):
            return "off", "the stand-in has none"
        groups = await inquiry.rows("SHOW RESOURCE GROUPS")
    classifier = re.compile(rf"\buser\s*=\s*{re.escape(place.reader.user)}(?![\w-])")
    own = [group for group in groups if classifier.search(group.get("classifiers", ""))]
    if not own:
        return "warning", f"none is for {place.reader.user}; `starwatch init-db --print-grants` has one"
    unbounded = [limit for limit in _BOUNDS if all(group.get(limit, "") in {"", "0", "null"} for group in own)]
    named = ", ".join(group.get("name", "") for group in own)
    return ("warning", f"{named} has no {', '.join(unbounded)}") if unbounded else ("ok", named)


async def fe_settings(place: Address, settings: Settings) -> Finding:
    """Whether the server refuses what a read-only account could still carry out; only an administrator may ask."""
    if settings.admin_user is None:
        return "off", "no STARWATCH_ADMIN_USER: only an administrator may read them"
    async with asking(place, Account(settings.admin_user, settings.admin_password)) as inquiry:
        if await is_stand_in(inquiry):
            return "off", "the stand-in has none"
        blacklist = await frontend_setting(inquiry, "enable_sql_blacklist")
        patterns = await inquiry.rows("SHOW SQLBLACKLIST")
        level = await frontend_setting(inquiry, "http_request_security_level")
    open_doors = []
    if blacklist.lower() != "true" or not any("outfile" in str(row).lower() for row in patterns):
        open_doors.append("SELECT … INTO OUTFILE is not blacklisted")
    if level in {"1", "2"}:
        open_doors.append(f"http_request() may call out (http_request_security_level = {level})")
    return ("warning", "; ".join(open_doors)) if open_doors else ("ok", "nothing can be carried out by a SELECT")


def _judged(account: Account, surplus: Iterable[str], good: str) -> Finding:
    found = tuple(dict.fromkeys(surplus))
    if found:
        return "warning", f"{account.user} {'; '.join(found[:6])}; see `starwatch init-db --print-grants`"
    return "ok", f"{account.user} {good}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _number(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", text)
    return tuple(int(part) for part in found.groups("0")) if found else ()
