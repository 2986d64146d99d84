"""Which warehouse this process talks to: the one that the settings name, or the embedded stand-in started for it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import SecretStr

from bot.errors import SettingsError, WarehouseError
from bot.settings import Settings
from mcp_server.config import WarehouseConfig
from mcp_server.endpoints import LiveEndpoint, load_endpoints
from mcp_server.errors import EndpointsInvalid
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


def live_endpoints(settings: Settings, environ: Mapping[str, str]) -> dict[str, LiveEndpoint]:
    """The clusters' own front ends. Raises SettingsError with the one line that tells what to correct in the file."""
    if settings.live_endpoints is None:
        return {}
    try:
        return load_endpoints(settings.live_endpoints, environ)
    except EndpointsInvalid as error:
        raise SettingsError(f"STARWATCH_LIVE_ENDPOINTS: {error}") from None


def door_config(
    place: Address, settings: Settings, live: Mapping[str, LiveEndpoint] = MappingProxyType({})
) -> WarehouseConfig:
    """The read-only account and the limits that the door works with, and the front ends that it may ask."""
    return WarehouseConfig(
        host=place.host,
        port=place.port,
        user=place.reader.user,
        password=place.reader.password,
        timeout_seconds=settings.query_seconds,
        max_rows=settings.query_rows,
        live=live,
    )
