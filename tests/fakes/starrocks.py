"""A StarRocks that answers administrators' questions as its documentation shows them, over the real wire."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sandbox.errors import StatementError
from sandbox.wire.backend import Affected, Outcome, Peer, ResultSet
from sandbox.wire.listener import Listener
from sandbox.wire.login import Credentials
from sandbox.wire.values import Column, Kind, Row

Answer = Sequence[Mapping[str, str | None]] | StatementError
"""Rows by column name, or the refusal."""
GROUP = {
    "name": "starwatch",
    "id": "16040",
    "cpu_weight": "1",
    "exclusive_cpu_cores": "0",
    "mem_limit": "20.0%",
    "big_query_cpu_second_limit": "300",
    "big_query_scan_rows_limit": "1000000000",
    "big_query_mem_limit": "4294967296",
    "concurrency_limit": "16",
    "spill_mem_limit_threshold": "100%",
    "classifiers": "(id=16041, weight=2.0, user=starwatch, query_type in (SELECT))",
}
HEALTHY: Mapping[str, Answer] = {
    "SELECT @@version_comment AS about": [{"about": "StarRocks version 3.5.2"}],
    "SELECT current_version() AS version": [{"version": "3.5.2-6d81f75"}],
    "SHOW RESOURCE GROUPS": [GROUP],
    "SHOW SQLBLACKLIST": [{"Index": "1", "Forbidden SQL": r"(?i).*into\s+outfile.*"}],
    "ADMIN SHOW FRONTEND CONFIG LIKE 'enable_sql_blacklist'": [{"Key": "enable_sql_blacklist", "Value": "true"}],
    "ADMIN SHOW FRONTEND CONFIG LIKE 'http_request_security_level'": [],
    "SELECT count(*) FROM TABLE(generate_series(1, 100000000000)) AS numbers": StatementError(
        1064, "Query exceeded time limit of 1 seconds"
    ),
    "SELECT biz_id FROM byoc.clusters LIMIT 1": StatementError(5203, "Access denied; you need SELECT on clusters"),
}


def grants(*lines: str, catalog: str | None = "default") -> list[Mapping[str, str | None]]:
    """The rows of SHOW GRANTS; a line without ON gives roles, whose catalog is NULL."""
    return [
        {"UserIdentity": "'u'@'%'", "Catalog": catalog if " ON " in line else None, "Grants": line} for line in lines
    ]


@dataclass(frozen=True)
class StarRocks:
    """Users with their own answers above those that all share; every user's password is its name."""

    users: Mapping[str, Mapping[str, Answer]]
    shared: Mapping[str, Answer] = field(default_factory=lambda: HEALTHY)
    hanging: frozenset[str] = frozenset()
    """Statements that never end by themselves."""
    version = "5.1.0"

    def saying(self, **changed: Answer) -> "StarRocks":
        """The same server with other answers; a key is the statement's words joined by `_`, as far as it is unique."""
        shared = dict(self.shared)
        for words, answer in changed.items():
            (sql,) = [key for key in shared if key.replace(" ", "_").lower().startswith(words)]
            shared[sql] = answer
        return replace(self, shared=shared)

    def login(self, credentials: Credentials, peer: Peer) -> "Session":
        """A session; raises 1045 for an unknown user or a wrong password."""
        if credentials.user not in self.users or not credentials.proves(credentials.user):
            raise StatementError(1045, f"Access denied for user '{credentials.user}' (using password: YES)", "28000")
        return Session(self, credentials.user)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve on a free loopback port."""
        async with Listener(self, 32).open("127.0.0.1", 0) as port:
            yield port


@dataclass(frozen=True)
class Session:
    """One client; a statement without an answer is a syntax error, as on a server that does not know it."""

    server: StarRocks
    user: str

    async def use(self, database: str) -> None:
        raise StatementError(1049, f"Unknown database '{database}'", "42000")

    async def split(self, text: str) -> Sequence[str]:
        return [text]

    async def run(self, statement: str) -> Outcome:
        if statement in self.server.hanging:
            await asyncio.Event().wait()
        if statement.startswith("SET "):
            return Affected()
        answer = {**self.server.shared, **self.server.users[self.user]}.get(statement)
        if answer is None:
            raise StatementError(1064, f"Getting syntax error. Detail message: Unexpected input in '{statement}'")
        if isinstance(answer, StatementError):
            raise answer
        return _rows(answer)

    async def placeholders(self, statement: str) -> Sequence[str]:
        raise StatementError(1295, "not prepared here")

    def columns_of(self, table: str) -> Sequence[Column]:
        raise StatementError(5502, f"Unknown table '{table}'")

    def finish(self) -> None:
        return None

    def reset(self) -> None:
        return None

    async def close(self) -> None:
        return None


def _rows(answer: Sequence[Mapping[str, str | None]]) -> ResultSet:
    names = tuple(answer[0]) if answer else ("Key",)

    async def batches() -> AsyncIterator[Sequence[Row]]:
        yield [tuple(row[name] for name in names) for row in answer]

    return ResultSet(tuple(Column(name, Kind.VAR_STRING) for name in names), batches())
