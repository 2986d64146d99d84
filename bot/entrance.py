"""The doors that events come in by: what they have in common, and the one that listens for HTTP requests."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from bot.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where events come in. `place` is said in the log. `shut` lets no more in, within a second, while what was let in
    is still worked on; the platform delivers what it could not deliver to another process, or later."""

    place: str
    shut: Callable[[], Awaitable[None]]


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def over_http(
    build: Callable[[Callable[[], bool]], Starlette],
    host: str,
    port: int,
    path: str,
    setting: str = "STARWATCH_HTTP_PORT",
) -> AsyncIterator[Entrance]:
    """Serve what `build` makes, which is given what says whether it is shut, at an address of this machine; port 0 is a
    free one. Raises SettingsError naming `setting` when the port cannot be had."""
    shut = asyncio.Event()
    http = build(shut.is_set)
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise SettingsError(
            f"{setting}: cannot listen on {host}:{port} ({error.strerror or type(error).__name__}); name a free port"
        ) from None
    options = uvicorn.Config(http, log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=5)
    server = _Server(options)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name=f"http{path}")
    host, port = listener.getsockname()[:2]

    async def close() -> None:
        # the flag for connections that are open, the end of the server so that the next process may have the port
        shut.set()
        server.should_exit = True

    try:
        yield Entrance(f"http://{host}:{port}{path}", close)
    finally:
        await close()
        await serving
        listener.close()
