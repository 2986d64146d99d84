"""Which warehouse this process talks to: the one that the settings name, or the embedded stand-in started for it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from bot.errors import WarehouseError
from bot.settings import Settings
from mcp_server.config import WarehouseConfig
from sandbox.launch import Endpoint, Options, StartError, running


@dataclass(frozen=True, slots=True)
class Account:
    """A StarRocks account."""

    user: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Address:
    """A warehouse and the accounts for it; `writer` may be missing, then nothing is written."""

    host: str
    port: int
    reader: Account
    writer: Account | None
    embedded: bool


def named(settings: Settings) -> Address | None:
    """The warehouse that the settings name, if any."""
    if settings.starrocks_host is None or settings.starrocks_user is None:
        return None
    writer = Account(settings.writer_user, settings.writer_password) if settings.writer_user else None
    reader = Account(settings.starrocks_user, settings.starrocks_password)
    return Address(settings.starrocks_host, settings.starrocks_port, reader, writer, embedded=False)


@asynccontextmanager
async def address(settings: Settings, options: Options, on_progress: Callable[[str], None]) -> AsyncIterator[Address]:
    """The warehouse to use; an embedded one lives as long as this context."""
    if (own := named(settings)) is not None:
        yield own
        return
    try:
        async with running(options, on_progress) as endpoint:
            yield _embedded(endpoint)
    except StartError as error:
        raise WarehouseError(f"the embedded warehouse did not start: {error}") from None


def _embedded(endpoint: Endpoint) -> Address:
    reader, writer = (Account(user, SecretStr(password)) for user, password in (endpoint.reader, endpoint.writer))
    return Address(endpoint.host, endpoint.port, reader, writer, embedded=True)


def door_config(place: Address, settings: Settings) -> WarehouseConfig:
    """The read-only account and the limits that the door works with."""
    return WarehouseConfig(
        host=place.host,
        port=place.port,
        user=place.reader.user,
        password=place.reader.password,
        timeout_seconds=settings.query_seconds,
        max_rows=settings.query_rows,
    )
