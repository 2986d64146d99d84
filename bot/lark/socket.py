"""Lark's events over its long connection: an outgoing one, no public address needed. Lark's own client runs in a thread
of its own with a loop of its own, because it blocks and keeps its loop in its module. `bot.lark.loading` loads this
module."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import lark_oapi.ws.client as lark
import structlog
from lark_oapi.core.enum import LogLevel

from bot.lark.api import LarkApi
from bot.lark.config import LarkConfig

log = structlog.get_logger()

Take = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

ADMITTED_WITHIN = 2.5
"""Seconds that a delivery may take to be admitted; Lark waits for three, and delivers again."""
ENDPOINT_WITHIN = 40.0
AGAIN_AFTER = 30.0
CLOSED_WITHIN = 5.0
ENDPOINT = "/callback/ws/endpoint"

# Lark's client writes to the process's standard output, which belongs to whoever speaks a protocol there
for _handler in tuple(logging.getLogger("Lark").handlers):
    logging.getLogger("Lark").removeHandler(_handler)


class _Handler:
    """What Lark's client gives deliveries to, in its thread: waits until the process's loop has admitted one, so that
    what was not admitted is not acknowledged."""

    def __init__(self, take: Take, loop: asyncio.AbstractEventLoop) -> None:
        self._take = take
        self._loop = loop

    def _do_without_validation(self, payload: bytes) -> Mapping[str, Any]:
        admitted = asyncio.run_coroutine_threadsafe(self._admit(json.loads(payload)), self._loop)
        try:
            return admitted.result(ADMITTED_WITHIN)
        except Exception:
            log.exception("a delivery was not taken in; Lark will send it again")
            raise

    async def _admit(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._take(payload)


class _Client(lark.Client):  # type: ignore[misc]  # it comes without types
    """Lark's client with an endpoint that is asked for with a time limit, and a loss that somebody hears of."""

    def __init__(self, config: LarkConfig, handler: _Handler, endpoint: Callable[[], Mapping[str, Any]]) -> None:
        # it would write the whole address of the connection to the log, with what opens it; what matters we log
        super().__init__(
            config.app_id,
            "",
            log_level=LogLevel.CRITICAL,
            event_handler=handler,
            domain=config.domain,
        )
        self._endpoint = endpoint
        self.lost = asyncio.Event()
        self.on_reconnecting = lambda: log.warning("the long connection is lost and will be made anew")
        self.on_reconnected = lambda: log.info("the long connection is made anew")

    def _get_conn_url(self) -> str:
        told = self._endpoint()
        self._configure(lark.ClientConfig(dict(told["ClientConfig"])))
        return str(told["URL"])

    async def _receive_message_loop(self) -> None:
        try:
            await super()._receive_message_loop()
        except lark.websockets.exceptions.ConnectionClosed:
            self.lost.set()  # by us, or it would have been made anew
        except Exception:
            # the client gives up when Lark refuses it; `_Thread` begins anew
            log.exception("the long connection ended")
            self.lost.set()


class _Thread:
    """The thread, from its start until it is told to stop."""

    def __init__(self, config: LarkConfig, handler: _Handler, endpoint: Callable[[], Mapping[str, Any]]) -> None:
        self._config = config
        self._handler = handler
        self._endpoint = endpoint
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lark long connection", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Close the connection, so that Lark routes nothing to it any more, and wait for the thread; blocking."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSED_WITHIN + ENDPOINT_WITHIN)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        lark.loop = self._loop
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _serve(self) -> None:
        while not self._stop.is_set():
            client = _Client(self._config, self._handler, self._endpoint)
            try:
                await client._connect()
                self.connected.set()
                await self._until_over(client)
            except Exception:
                log.exception("the long connection cannot be made or ended")
            if not self._stop.is_set():
                await self._first(self._stop.wait(), asyncio.sleep(AGAIN_AFTER))

    async def _until_over(self, client: _Client) -> None:
        pings = asyncio.create_task(client._ping_loop())
        await self._first(self._stop.wait(), client.lost.wait())
        pings.cancel()
        client._auto_reconnect = False
        await asyncio.wait_for(client._disconnect(), CLOSED_WITHIN)

    async def _first(self, *waiting: Any) -> None:
        tasks = [asyncio.ensure_future(one) for one in waiting]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


async def endpoint(api: LarkApi, config: LarkConfig) -> Mapping[str, Any]:
    """Where to connect to, for one connection. Raises SurfaceError."""
    told = {"AppID": config.app_id, "AppSecret": config.app_secret.get_secret_value()}
    return await api.call("POST", ENDPOINT, told)


@asynccontextmanager
async def connected(api: LarkApi, config: LarkConfig, take: Take) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Connected while the context is open, or until what it gives is called; a lost connection is made anew. Raises
    SurfaceError when Lark refuses the app at the start."""
    await endpoint(api, config)  # asked for once more by the client, which would try for ever without a word
    loop = asyncio.get_running_loop()

    def asked() -> Mapping[str, Any]:
        return asyncio.run_coroutine_threadsafe(endpoint(api, config), loop).result(ENDPOINT_WITHIN)

    thread = _Thread(config, _Handler(take, loop), asked)
    thread.start()

    async def close() -> None:
        await asyncio.to_thread(thread.stop)

    try:
        await asyncio.to_thread(thread.connected.wait, ENDPOINT_WITHIN)
        yield close
    finally:
        await close()
