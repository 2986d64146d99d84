"""The door over streamable HTTP: who may connect, under which names, and how much one client may take."""

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.principal import Caller, Principal

PATH = "/mcp"
HTTP = Caller(Principal("mcp", "http"))
"""Whoever may connect: one token, one principal."""

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:]{2,45}\]")
_LEAST_TOKEN = 16

_BODY_BYTES = 256 * 1024
_SESSIONS = 64
_SESSION_SECONDS = 600.0
_CONNECTIONS = 256
_CLOSING_SECONDS = 3


class HttpRefused(Exception):
    """The server may not be offered as asked for; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where to listen and who may come. `names` are further host names by which clients reach the server.

    Raises HttpRefused for an address beyond loopback without a token of 16 characters or without a name, because an
    unspecified address (0.0.0.0, ::) tells nothing about the Host header that honest clients send.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: SecretStr | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        token = self.token.get_secret_value() if self.token else ""
        if not all(_HOST_NAME.fullmatch(name) for name in self.names):
            raise HttpRefused(f"{', '.join(self.names)}: not host names; write them without scheme, port or path")
        if self.token is not None and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable()):
            raise HttpRefused(f"the bearer token must have {_LEAST_TOKEN} or more printable ASCII characters")
        if is_loopback(self.host):
            return
        if self.token is None:
            raise HttpRefused(f"{self.host} is reachable by others, so clients must bring a bearer token; none is set")
        if _is_unspecified(self.host) and not self.names:
            raise HttpRefused(f"{self.host} means every address; name the host under which clients reach this server")

    def host_names(self) -> frozenset[str]:
        """The names that a Host header may carry; an IPv6 address stands in brackets."""
        bound = frozenset() if _is_unspecified(self.host) else frozenset({_bracketed(self.host)})
        return bound | (_LOOPBACK_NAMES if is_loopback(self.host) else frozenset()) | frozenset(self.names)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; a name other than localhost is taken for reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def build_app(server: MCPServer[Any], config: HttpConfig) -> Starlette:
    """POST, GET and DELETE on /mcp. Host and Origin are checked for every address, the token before anything else."""
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=_BODY_BYTES,
        session_idle_timeout=_SESSION_SECONDS,
        max_sessions=_SESSIONS,
        transport_security=_security(config.host_names()),
        host=config.host,
    )
    if config.token is not None:
        app.user_middleware.insert(0, Middleware(BearerGate, token=config.token))
    return app


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(server: MCPServer[Any], config: HttpConfig) -> AsyncIterator[str]:
    """The server at work while the context is open; gives its URL. Raises HttpRefused when the port cannot be had."""
    with _listening(config) as listener:
        worker = _Server(
            uvicorn.Config(
                build_app(server, config),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=_CLOSING_SECONDS,
            )
        )
        work = asyncio.create_task(worker.serve(sockets=[listener]), name="mcp over http")
        try:
            yield f"http://{_bracketed(config.host)}:{listener.getsockname()[1]}{PATH}"
        finally:
            worker.should_exit = True
            await work


class BearerGate:
    """Lets requests through that bring the token; tells the others nothing but 401."""

    def __init__(self, app: ASGIApp, token: SecretStr) -> None:
        self._app = app
        self._expected = _digest(token.get_secret_value())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection; start and end of the application pass."""
        if scope["type"] == "lifespan" or self._is_allowed(Headers(scope=scope).getlist("authorization")):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse("a bearer token is required", 401, {"WWW-Authenticate": "Bearer"})
        await refusal(scope, receive, send)

    def _is_allowed(self, headers: Collection[str]) -> bool:
        given = [value.partition(" ") for value in headers]
        tokens = [token.strip() for scheme, _, token in given if scheme.lower() == "bearer"]
        # Digests of equal length, so that the time taken tells nothing about the token, not even its length.
        return len(tokens) == 1 and hmac.compare_digest(_digest(tokens[0]), self._expected)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _security(names: Collection[str]) -> TransportSecuritySettings:
    hosts = [form for name in sorted(names) for form in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listening(config: HttpConfig) -> socket.socket:
    try:
        return socket.create_server(
            (config.host, config.port), family=socket.AF_INET6 if ":" in config.host else socket.AF_INET, backlog=128
        )
    except OSError as error:
        raise HttpRefused(f"cannot listen on {_bracketed(config.host)}:{config.port}: {error.strerror}") from None
