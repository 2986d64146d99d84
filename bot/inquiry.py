"""Questions about an account, asked on a connection of its own outside the door: grants, roles, settings."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiomysql

from bot import privileges
from bot.errors import WarehouseError
from bot.login import logged_in, said
from bot.privileges import Grant
from bot.warehouse import Account, Address

Row = dict[str, str]

STAND_IN = "Starwatch sandbox"
"""How the embedded warehouse's version comment begins."""
_POWERFUL = frozenset({"root", "cluster_admin", "db_admin", "user_admin", "security_admin"})
_MAX_ROLES = 32


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Statements on one connection; rows as dictionaries with lower-case names, NULL as empty text."""

    connection: aiomysql.Connection

    async def rows(self, sql: str) -> list[Row]:
        """All rows of a statement. Raises aiomysql.MySQLError and OSError."""
        async with self.connection.cursor() as cursor:
            await cursor.execute(sql)
            names = [str(field[0]).lower() for field in cursor.description or ()]
            fetched = await cursor.fetchall()
        return [dict(zip(names, ("" if cell is None else str(cell) for cell in row), strict=True)) for row in fetched]


@asynccontextmanager
async def asking(place: Address, account: Account) -> AsyncIterator[Inquiry]:
    """A connection of the account to ask on; whatever goes wrong meanwhile is a WarehouseError."""
    try:
        async with logged_in(place.host, place.port, account) as connection:
            yield Inquiry(connection)
    except (aiomysql.MySQLError, OSError) as error:
        raise WarehouseError(f"account {account.user!r} at {place.host}:{place.port}: {said(error)}") from None


async def succeeds(inquiry: Inquiry, sql: str) -> bool:
    """Whether the account may run the statement."""
    try:
        await inquiry.rows(sql)
    except aiomysql.MySQLError:
        return False
    return True


async def is_stand_in(inquiry: Inquiry) -> bool:
    """Whether this is the embedded warehouse, which has none of a server's administration."""
    (row,) = await inquiry.rows("SELECT @@version_comment AS about")
    return row["about"].startswith(STAND_IN)


async def frontend_setting(inquiry: Inquiry, key: str) -> str:
    """A setting of the FE, empty when it has none of that name; needs an administrator."""
    found = await inquiry.rows(f"ADMIN SHOW FRONTEND CONFIG LIKE '{key}'")
    return found[0].get("value", "") if found else ""


async def grants_of(inquiry: Inquiry) -> tuple[Sequence[Grant], Sequence[str]]:
    """All grants of the account, its roles' among them, and what is to be said of roles and unreadable lines."""
    grants, remarks = await _listed(inquiry, "SHOW GRANTS")
    waiting = [*privileges.roles(grants)]
    seen: set[str] = set()
    # Roles hold roles, and nothing keeps them from going in a circle.
    while waiting and len(seen) < _MAX_ROLES:
        role = waiting.pop(0)
        if role in seen:
            continue
        seen.add(role)
        if role in _POWERFUL:
            remarks.append(f"has the role {role}")
            continue
        try:
            inner, more = await _listed(inquiry, f"SHOW GRANTS FOR ROLE {_quoted(role)}")
        except aiomysql.MySQLError as error:
            remarks.append(f"has the role {role}, whose grants cannot be seen ({said(error)})")
            continue
        grants += inner
        remarks += more
        waiting += privileges.roles(inner)
    return grants, remarks


async def _listed(inquiry: Inquiry, sql: str) -> tuple[list[Grant], list[str]]:
    grants, remarks = [], []
    for row in await inquiry.rows(sql):
        grant = privileges.parsed(row.get("grants", ""), row.get("catalog"))
        if grant is None:
            remarks.append(f"has a grant that cannot be read: {row.get('grants', '')[:120]}")
        else:
            grants.append(grant)
    return grants, remarks


def _quoted(role: str) -> str:
    return "'" + role.replace("\\", "\\\\").replace("'", "\\'") + "'"
