"""What an administrator of StarRocks runs once for Starwatch: two users with the least that they need, and limits.

The forms are those of StarRocks' own documentation (3.3.5 and later); what an older version lacks is said beside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import schema

QUERY_SECONDS = 60
CONNECTIONS = 40
CPU_SECONDS = 300
SCANNED_ROWS = 1_000_000_000
MEMORY_BYTES = 4 << 30
CONCURRENT = 16
"""Twice the statements that one door runs at once, so that two processes fit."""

READER_PLACEHOLDER, WRITER_PLACEHOLDER = "<READER PASSWORD>", "<WRITER PASSWORD>"
"""Stand where the passwords belong; no real one is ever printed."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9%][A-Za-z0-9._:%-]{0,254}")


@dataclass(frozen=True, slots=True)
class Names:
    """What the users and the resource group are called, and where the users may come from (`%` = anywhere).

    Raises ValueError for a name that would have to be quoted.
    """

    reader: str = "starwatch"
    writer: str = "starwatch_writer"
    group: str = "starwatch"
    host: str = "%"

    def __post_init__(self) -> None:
        for name in (self.reader, self.writer, self.group):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no plain name: a letter, then letters, digits, _ and -")
        if not _HOST.fullmatch(self.host):
            raise ValueError(f"{self.host!r} is no host pattern; use an address, a domain part with %, or % alone")
        if self.reader == self.writer:
            raise ValueError(f"{self.reader!r} cannot both read and write; the two users must differ")


@dataclass(frozen=True, slots=True)
class Step:
    """A statement and why it is there. `optional` ones concern every user of the server and are printed commented."""

    why: str
    sql: str
    optional: bool = False


def steps(names: Names) -> tuple[Step, ...]:
    """Every statement in the order in which it runs, without semicolon."""
    return (*_reader(names), *_writer(names), *_limits(names), *_server())


def script(names: Names) -> str:
    """The statements as a text for any MySQL client; passwords are placeholders."""
    opening = (
        "-- Run by a user with the roles user_admin and cluster_admin, after the databases exist (starwatch init-db).\n"
        f"-- First replace {READER_PLACEHOLDER} and {WRITER_PLACEHOLDER} by two passwords that you just made.\n"
    )
    return opening + "".join(f"\n{_written(step)}" for step in steps(names))


def _written(step: Step) -> str:
    body = "\n".join(f"-- {line}" for line in f"{step.sql};".splitlines()) if step.optional else f"{step.sql};"
    return "".join(f"-- {line}\n" for line in step.why.splitlines()) + f"{body}\n"


def _user(name: str, names: Names) -> str:
    return f"'{name}'@'{names.host}'"


def _created(name: str, names: Names, placeholder: str) -> str:
    return f"CREATE USER IF NOT EXISTS {_user(name, names)} IDENTIFIED BY '{placeholder}'"


def _reader(names: Names) -> Iterator[Step]:
    yield Step(
        "The reader: every question and every patrol. It can read three databases and nothing else.",
        _created(names.reader, names, READER_PLACEHOLDER),
    )
    for database in schema.DATABASES:
        for kind in ("TABLES", "VIEWS"):
            if kind == "VIEWS" and not any(view.startswith(f"{database}.") for view in schema.views()):
                continue
            why = "ALL TABLES does not cover views." if kind == "VIEWS" else f"Also covers tables added to {database}."
            yield Step(why, f"GRANT SELECT ON ALL {kind} IN DATABASE {database} TO USER {_user(names.reader, names)}")
    properties = {
        "max_user_connections": CONNECTIONS,
        "session.query_timeout": QUERY_SECONDS,
        "session.query_mem_limit": MEMORY_BYTES,
    }
    listed = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
    yield Step(
        "Defaults of its sessions, should a client forget them (3.3.3 and later, and for the bare name).\n"
        "query_timeout is in seconds and must not be below STARWATCH_QUERY_SECONDS, query_mem_limit in bytes a node.",
        f"ALTER USER '{names.reader}' SET PROPERTIES ({listed})",
    )


def _writer(names: Names) -> Iterator[Step]:
    yield Step(
        "The writer: stores what Starwatch itself makes. It cannot read, not even what it wrote.",
        _created(names.writer, names, WRITER_PLACEHOLDER),
    )
    for table in schema.WRITTEN:
        yield Step(f"Rows for {table}.", f"GRANT INSERT ON TABLE {table} TO USER {_user(names.writer, names)}")


def _limits(names: Names) -> Iterator[Step]:
    limits = {
        "cpu_weight": 1,
        "mem_limit": "20%",
        "concurrency_limit": CONCURRENT,
        "big_query_cpu_second_limit": CPU_SECONDS,
        "big_query_scan_rows_limit": SCANNED_ROWS,
        "big_query_mem_limit": MEMORY_BYTES,
    }
    listed = ",\n  ".join(f"'{key}' = '{value}'" for key, value in limits.items())
    yield Step(
        "What the reader may take of each node, whatever a question asks for: the least CPU weight (idle cores are\n"
        "still its own), a fifth of the memory, and an end to statements that burn CPU, scan or hoard beyond reason.\n"
        "Before 3.3.5 cpu_weight is called cpu_core_limit.",
        f"CREATE RESOURCE GROUP {names.group}\n"
        f"TO (user = '{names.reader}', query_type IN ('select'))\nWITH (\n  {listed}\n)",
    )


def _server() -> Iterator[Step]:
    yield Step(
        "SELECT … INTO OUTFILE asks for no privilege beyond SELECT: a read-only user could carry rows to any storage.\n"
        "The guard of Starwatch refuses it, and the blacklist refuses it on the server too, for every user. Not kept\n"
        "over a restart of the FE: put enable_sql_blacklist = true into every fe.conf as well.",
        'ADMIN SET FRONTEND CONFIG ("enable_sql_blacklist" = "true")',
        optional=True,
    )
    yield Step("The pattern itself.", r'ADD SQLBLACKLIST "(?i).*into\\s+outfile.*"', optional=True)
    yield Step(
        "4.1 brings http_request(), with which a SELECT can call out. 3, the default, allows listed hosts alone,\n"
        "4 allows none. It concerns every user.",
        'ADMIN SET FRONTEND CONFIG ("http_request_security_level" = "4")',
        optional=True,
    )
