"""The door over streamable HTTP: who may connect, under which names, and how much one client may take."""

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.principal import Caller, Principal

PATH = "/mcp"
HTTP = Caller(Principal("mcp", "http"))
"""Whoever may connect without a token of his own: one principal."""

_CLIENT = "starwatch.client"
_CLIENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
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
    """Where to listen and who may come. `names` are further host names by which clients reach the server; `clients`
    are tokens by the name of the client that brings them, beside the `token` of those without a name.

    Raises HttpRefused for an address beyond loopback without a token of 16 characters or without a name, because an
    unspecified address (0.0.0.0, ::) tells nothing about the Host header that honest clients send.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: SecretStr | None = None
    names: tuple[str, ...] = ()
    clients: Mapping[str, SecretStr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(_HOST_NAME.fullmatch(name) for name in self.names):
            raise HttpRefused(f"{', '.join(self.names)}: not host names; write them without scheme, port or path")
        if not all(_CLIENT_NAME.fullmatch(name) for name in self.clients):
            raise HttpRefused("the name of a client's token has up to 64 letters, digits, dots and dashes")
        tokens = [token.get_secret_value() for token in self.tokens().values()]
        if any(len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() for token in tokens):
            raise HttpRefused(f"a bearer token must have {_LEAST_TOKEN} or more printable ASCII characters")
        if len(set(tokens)) < len(tokens):
            raise HttpRefused("two clients have one bearer token; give each its own")
        if is_loopback(self.host):
            return
        if not tokens:
            raise HttpRefused(f"{self.host} is reachable by others, so clients must bring a bearer token; none is set")
        if _is_unspecified(self.host) and not self.names:
            raise HttpRefused(f"{self.host} means every address; name the host under which clients reach this server")

    def tokens(self) -> Mapping[str, SecretStr]:
        """All tokens by the name of their client, which is empty for the one without a name."""
        return {**({"": self.token} if self.token is not None else {}), **self.clients}

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
    if config.tokens():
        app.user_middleware.insert(0, Middleware(BearerGate, tokens=config.tokens()))
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


def http_caller(request: object) -> Caller:
    """Who makes a request over HTTP: the client whose token came with it, as the user of the principal."""
    name = request.scope.get(_CLIENT, "") if isinstance(request, HTTPConnection) else ""
    return replace(HTTP, principal=replace(HTTP.principal, user=name)) if name else HTTP


class BearerGate:
    """Lets requests through that bring one of the tokens (by client's name) and notes whose it is; tells the others
    nothing but 401."""

    def __init__(self, app: ASGIApp, tokens: Mapping[str, SecretStr]) -> None:
        self._app = app
        self._expected = {name: _digest(token.get_secret_value()) for name, token in tokens.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection; start and end of the application pass."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        client = self._client(Headers(scope=scope).getlist("authorization"))
        if client is not None:
            await self._app({**scope, _CLIENT: client}, receive, send)
            return
        refusal = PlainTextResponse("a bearer token is required", 401, {"WWW-Authenticate": "Bearer"})
        await refusal(scope, receive, send)

    def _client(self, headers: Collection[str]) -> str | None:
        """The name of the client whose token the headers bring, None when they bring none."""
        given = [value.partition(" ") for value in headers]
        tokens = [token.strip() for scheme, _, token in given if scheme.lower() == "bearer"]
        if len(tokens) != 1:
            return None
        # Digests of equal length, and all of them: the time taken tells nothing about any token, not even its length.
        given_digest = _digest(tokens[0])
        found = [name for name, known in self._expected.items() if hmac.compare_digest(given_digest, known)]
        return found[0] if found else None


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
