"""Who asks: the principal of a call as the surfaces name it, and the part of the warehouse that it may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.errors import Code, Refusal

META_KEY = "starwatch/principal"
"""The key of a call's MCP request metadata under which in-process clients name the caller."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A person in a channel of a surface, by the surface's own ids; empty where there is none."""

    surface: str
    channel: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a principal may see: databases, tables (`database.table`), accounts (short ids), and rows that were there at
    a moment (aware; see `guard.past`). None = no restriction."""

    databases: frozenset[str] | None = None
    tables: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    until: datetime | None = None

    @property
    def of_rows(self) -> bool:
        """Whether it tells rows of one table apart."""
        return self.accounts is not None or self.until is not None


EVERYTHING = Scope()
"""The scope without restriction."""
NOTHING = Scope(frozenset(), frozenset(), frozenset())
"""The scope in which no table can be read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal and the thread in which it asks (`slack:T:C:ts`)."""

    principal: Principal
    thread: str = ""


LOCAL = Caller(Principal("local"))
"""Starwatch's own checks and the operator at the machine."""
UNNAMED = Caller(Principal("unnamed"))
"""A call that does not say who makes it; it is treated like any unlisted channel."""


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid")

    surface: str = Field(min_length=1, max_length=40)
    channel: str = Field("", max_length=200)
    user: str = Field("", max_length=200)
    thread: str = Field("", max_length=400)


def caller_named(meta: Mapping[str, Any] | None) -> Caller:
    """The caller that request metadata names, UNNAMED when it names none. Raises Refusal when it is malformed."""
    claim = (meta or {}).get(META_KEY)
    if claim is None:
        return UNNAMED
    try:
        said = _Claim.model_validate(claim)
    except ValidationError as error:
        raise Refusal("principal", Code.BAD_ARGUMENT, f"{META_KEY} in the request's metadata is malformed") from error
    return Caller(Principal(said.surface, said.channel, said.user), said.thread)
