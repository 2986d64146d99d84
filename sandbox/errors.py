"""Every failure of the stand-in, one tree; the branches are named by who reads the message.

SandboxError
├── StatementError   the client: travels as an ERR packet, worded as StarRocks words it
├── ProtocolError    nobody: the client broke the wire protocol, its connection is closed
└── StartError       the operator: one line on stderr, exit code 2
"""

from __future__ import annotations


class SandboxError(Exception):
    """Base of all errors raised on purpose in this package."""


class ProtocolError(SandboxError):
    """The client sent bytes that are not the MySQL protocol, or went away in the middle of a packet."""


class StartError(SandboxError):
    """The process cannot start serving; the text is one line for the person who started it."""


class StatementError(SandboxError):
    """A statement or a login is refused: `code` is the MySQL error number, `state` the five-character SQLSTATE."""

    def __init__(self, code: int, message: str, state: str = "HY000") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.state = state


def syntax(detail: str) -> StatementError:
    """1064 for text that does not parse."""
    return StatementError(1064, f"Getting syntax error. Detail message: {detail}.", "42000")


def analysis(detail: str, code: int = 1064, state: str = "42000") -> StatementError:
    """Text that parses but has no meaning here; 1064 unless StarRocks has an own number for it."""
    return StatementError(code, f"Getting analyzing error. Detail message: {detail}.", state)


def unknown_database(name: str) -> StatementError:
    """1049 for a database that does not exist."""
    return StatementError(1049, f"Unknown database '{name}'", "42000")


def unknown_table(name: str) -> StatementError:
    """5502 for a table that does not exist; `name` is qualified."""
    return analysis(f"Unknown table '{name}'", 5502, "42602")


def unknown_column(name: str) -> StatementError:
    """1054 for a column that no table of the statement has."""
    return analysis(f"Column '{name}' cannot be resolved", 1054, "42S22")


def unknown_function(name: str) -> StatementError:
    """1064 for a function that StarRocks lacks, or that this stand-in does not offer."""
    return analysis(f"No matching function with signature: {name}(...)")


def access_denied(privilege: str, kind: str, name: str) -> StatementError:
    """5203 in StarRocks' words: `privilege` is missing on the object `kind` `name`."""
    return StatementError(
        5203,
        f"Access denied; you need (at least one of) the {privilege} privilege(s) on {kind} {name} for this operation. "
        "Please ask the admin to grant permission(s) or try activating existing roles using <set [default] role>. "
        "Current role(s): NONE. Inactivated role(s): NONE.",
        "42000",
    )


def timed_out(seconds: int) -> StatementError:
    """5024 for a statement that ran longer than `query_timeout` seconds."""
    return StatementError(
        5024,
        f"Query reached its timeout of {seconds} seconds, "
        "please increase the 'query_timeout' session variable and retry",
        "53400",
    )


def killed() -> StatementError:
    """1317 for a statement that somebody ended with KILL."""
    return StatementError(1317, "Query execution was interrupted: killed by kill statement", "70100")
