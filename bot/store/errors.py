"""What can be wrong with our own database while the bot is at work, in words that a channel may see.

Exception
└── StoreFault            our own database did not do what was asked; `cause` says why
    ├── StoreUnwritable   nothing can be kept now: take no new work
    └── StoreUnreadable   what was kept cannot be looked up now
"""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError


class Cause(StrEnum):
    """Why our own database failed; the value completes the sentence "my own database …"."""

    FULL = "has no room left"
    READ_ONLY = "may not be written to"
    BUSY = "is held up by another process"
    UNREACHABLE = "cannot be reached"
    DAMAGED = "reports errors of its disk or its file"


class StoreFault(Exception):
    """The text is for the channel: what is wrong and what to do. It names no address and no statement."""

    outcome = "failed me"

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        super().__init__(f"{self.outcome}: my own database {cause.value}.")


class StoreUnwritable(StoreFault):
    """A write was rolled back whole; what had been stored before is untouched."""

    outcome = "I cannot take this on right now"


class StoreUnreadable(StoreFault):
    """A read failed."""

    outcome = "I cannot look up what was said here"


_SQLITE = {
    "SQLITE_FULL": Cause.FULL,
    "SQLITE_READONLY": Cause.READ_ONLY,
    "SQLITE_BUSY": Cause.BUSY,
    "SQLITE_LOCKED": Cause.BUSY,
    "SQLITE_CANTOPEN": Cause.UNREACHABLE,
    "SQLITE_IOERR": Cause.DAMAGED,
    "SQLITE_CORRUPT": Cause.DAMAGED,
    "SQLITE_NOTADB": Cause.DAMAGED,
}
"""By the first two words of SQLite's error name; extended names go on after them."""

_POSTGRES = {
    "53100": Cause.FULL,
    "25006": Cause.READ_ONLY,
    "55P03": Cause.BUSY,
    "57014": Cause.BUSY,
    "58": Cause.DAMAGED,
    "XX": Cause.DAMAGED,
    "53": Cause.UNREACHABLE,
    "57": Cause.UNREACHABLE,
    "08": Cause.UNREACHABLE,
}
"""By SQLSTATE, then by its class."""


def cause_of(error: DBAPIError) -> Cause | None:
    """What the driver's error says about the database; None when the statement itself is at fault."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return _SQLITE.get("_".join(str(name).split("_")[:2]))
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2])
    return (
        Cause.UNREACHABLE if error.connection_invalidated or type(error.orig).__name__ == "OperationalError" else None
    )
