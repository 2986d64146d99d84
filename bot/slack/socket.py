"""Slack's events over Socket Mode: outgoing connections, no public address needed, and no moment without one.

The SDK's own client ends a connection before it makes the next one, counts by a clock that may be set, and does not say
when it was deaf; hence this one."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.errors import SettingsError
from bot.slack.catchup import CatchUp
from bot.slack.config import SlackConfig
from handlers.surface import SurfaceError

log = structlog.get_logger()

Sleep = Callable[[float], Awaitable[None]]

PING = 10.0
"""Seconds between two pings. A connection on which nothing comes for half as long after one is taken for dead."""
OVERLAP = 30.0
"""Seconds that a connection which Slack wants replaced is still listened to; Slack itself ends it sooner."""
HELLO = 10.0
"""Seconds that Slack gets to greet on a new connection; before that it delivers nothing."""
LAST_ACKS = 0.5
"""Seconds that events which are being taken in get when the process stops."""
LONGEST_PAUSE = 30.0


@asynccontextmanager
async def connected(
    config: SlackConfig,
    app: AsyncApp,
    ping_seconds: float = PING,
    catch_up: CatchUp | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator["SocketMode"]:
    """Connected while the context is open; lost or refreshed connections are made anew, and what was said while there
    was none is asked for.

    Raises SettingsError when there is no app token or Slack refuses it at the start.
    """
    if config.app_token is None:
        raise SettingsError("SLACK_APP_TOKEN: is missing; Socket Mode needs an app-level token (xapp-…)")
    async with ClientSession() as session:
        connection = SocketMode(app, config.app_token.get_secret_value(), session, ping_seconds, catch_up, sleep)
        try:
            await _first(connection)
            yield connection
        finally:
            await connection.close()


async def _first(connection: "SocketMode") -> None:
    try:
        # the first try fails at once: a wrong token is not to be tried for ever without a word
        await connection.start()
    except SlackApiError as error:
        code = error.response.get("error", "unknown error")
        raise SettingsError(f"SLACK_APP_TOKEN: Slack refuses it ({code}); it needs connections:write") from None
    except (ClientError, TimeoutError) as error:
        raise SettingsError(f"SLACK_API_URL: Slack cannot be reached ({type(error).__name__})") from None


class SocketMode:
    """Keeps one connection open, and for a while two when Slack wants one replaced."""

    def __init__(
        self,
        app: AsyncApp,
        token: str,
        session: ClientSession,
        ping_seconds: float,
        catch_up: CatchUp | None,
        sleep: Sleep,
    ) -> None:
        self._app = app
        self._token = token
        self._session = session
        self._ping = ping_seconds
        self._catch_up = catch_up
        self._sleep = sleep
        self._lines: list[_Line] = []
        self._keeper: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self) -> None:
        """Open the first connection and keep it from then on. Raises what Slack or the network says."""
        since = await self._newest()
        await self._dial()
        self._keeper = asyncio.create_task(self._keep(since), name="socket mode")

    async def close(self) -> None:
        """Take nothing more in, finish what is being taken in, and hang up. Twice is as once."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._working:
            await asyncio.wait(self._working, timeout=LAST_ACKS)
        await asyncio.gather(*(line.close() for line in self._lines))

    async def _keep(self, since: str) -> None:
        await self._fill(since)  # what was said while no process ran
        while True:
            line = self._lines[-1]
            await line.leaving.wait()
            # asked before the next connection brings newer messages than those that were missed
            since = await self._newest()
            if line.gone.is_set():
                log.warning("the connection to Slack is lost and made anew")
            await self._dial_until_open()
            if line.gone.is_set():
                await self._fill(since)

    async def _dial_until_open(self) -> None:
        pause = 0.0
        while True:
            try:
                await self._dial()
            except (SlackApiError, ClientError, OSError, TimeoutError) as error:
                log.warning("no connection to Slack comes about", why=type(error).__name__, pause=pause)
                await self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - only spreads the replicas' tries
                pause = min(LONGEST_PAUSE, 2 * pause or 1.0)
            else:
                return

    async def _dial(self) -> None:
        opened = await self._app.client.apps_connections_open(app_token=self._token)
        socket = await self._session.ws_connect(
            str(opened["url"]),
            heartbeat=self._ping,
            timeout=ClientWSTimeout(ws_close=1.0),
            proxy=load_http_proxy_from_env(),
        )
        line = _Line(socket, self._take)
        line.task.add_done_callback(lambda _: self._lines.remove(line) if len(self._lines) > 1 else None)
        self._lines.append(line)
        try:
            async with asyncio.timeout(HELLO):
                await line.greeted.wait()
        except TimeoutError:
            await line.close()
            raise

    def _take(self, line: "_Line", envelope: dict[str, Any]) -> None:
        request = SocketModeRequest.from_dict(envelope)
        if request is None or self._closed:
            return  # without an acknowledgement Slack delivers it to somebody else, or later
        task = asyncio.create_task(self._admit(line, request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _admit(self, line: "_Line", request: SocketModeRequest) -> None:
        try:
            response = await run_async_bolt_app(self._app, request)
            if response.status == 200:
                ack: dict[str, Any] = {"envelope_id": request.envelope_id}
                if response.body:
                    is_json = response.headers.get("content-type", [""])[0].startswith("application/json")
                    ack["payload"] = json.loads(response.body) if is_json else {"text": response.body}
                # the connection that it came by may be gone already, and any of ours will do
                await (self._lines[-1] if line.gone.is_set() else line).send(ack)
        except Exception:  # the outermost edge of a task of its own: not acknowledged, so it comes again
            log.exception("an event could not be acknowledged")

    async def _newest(self) -> str:
        return "" if self._catch_up is None else await self._catch_up.newest()

    async def _fill(self, since: str) -> None:
        if self._catch_up is not None and since:
            try:
                await self._catch_up.fill(since)
            except SurfaceError as error:
                log.error("what was said while Slack could not reach us may be missing", why=str(error))


class _Line:
    """One connection. `leaving` = another one is wanted; `gone` = nothing comes by this one any more."""

    def __init__(self, socket: ClientWebSocketResponse, take: Callable[["_Line", dict[str, Any]], None]) -> None:
        self.greeted = asyncio.Event()
        self.leaving = asyncio.Event()
        self.gone = asyncio.Event()
        self._socket = socket
        self._take = take
        self._ending = asyncio.timeout(None)
        self.task = asyncio.create_task(self._listen(), name="slack's events")

    async def send(self, message: dict[str, Any]) -> None:
        """Raises ConnectionError when the connection is closed."""
        await self._socket.send_json(message)

    async def close(self) -> None:
        """Hang up."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _listen(self) -> None:
        try:
            async with self._ending:
                async for message in self._socket:
                    if message.type is WSMsgType.TEXT:
                        self._hear(json.loads(message.data))
        except (TimeoutError, ClientError, ValueError) as error:
            log.info("a connection to Slack ends", why=type(error).__name__)
        finally:
            self.gone.set()
            self.leaving.set()
            await self._socket.close()

    def _hear(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "hello":
                self.greeted.set()
            case "disconnect":
                log.info("Slack wants the connection replaced", reason=message.get("reason"))
                # of too many connections this one has to go before the next is opened
                seconds = 0 if message.get("reason") == "too_many_websockets" else OVERLAP
                self._ending.reschedule(asyncio.get_running_loop().time() + seconds)
                self.leaving.set()
            case _:
                self._take(self, message)
