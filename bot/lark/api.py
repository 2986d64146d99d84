"""Lark's open platform over HTTP: one connection pool, an access token that is fetched before it runs out, and calls
that keep to the rate limits. Lark's own SDK opens a connection per call and fetches tokens on the event loop."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import structlog

from bot.lark.config import LarkConfig
from bot.lark.faults import STALE_TOKEN, TOO_OFTEN, refusal
from bot.pace import Budget, Pace
from handlers.faults import SurfaceAway
from handlers.surface import SurfaceError

log = structlog.get_logger()

Json = Mapping[str, Any]

BUDGETS = {
    # burst and rate together stay within what Lark takes in any second: 5 messages in a chat, 10 changes of a card
    "message": Budget(180, burst=2, by_place=True),
    "card": Budget(480, burst=2, by_place=True),
}
OTHERWISE = Budget(1000, burst=40)
"""Of all other calls Lark takes 50 in a second and 1,000 in a minute."""
EARLY = 1200.0
"""Seconds before its end at which a token is replaced; Lark gives out a new one in the last half hour."""
SECONDS = 20
LONGEST_WAIT = 30.0
TRIES = 3

_TOKEN = "/open-apis/auth/v3/tenant_access_token/internal"  # noqa: S105  an address


class LarkApi:
    """Calls of one app. `close` it in the end."""

    def __init__(
        self,
        config: LarkConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sleep = sleep
        self._pace = Pace(BUDGETS, OTHERWISE, clock=clock, sleep=sleep)
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._token_ends = 0.0
        self._fetching = asyncio.Lock()

    async def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        params: Mapping[str, str] | None = None,
        budget: str = "",
        place: str = "",
    ) -> Json:
        """The `data` of Lark's answer, or the whole of it where there is none. What a rate limit held back is repeated,
        and what never reached Lark; a call whose reply got lost may have arrived. Raises SurfaceError."""
        await self._pace.turn(budget, place)
        return await self._asked(method, path, {"json": body, "params": params}, budget, place)

    def showing(self, subject: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """`Pace.showing`, for a change that takes some preparing: what counts is when it was wanted."""
        return self._pace.showing(subject)

    async def current(
        self, method: str, path: str, body: Json, outdated: Callable[[], bool], *, budget: str, place: str
    ) -> bool:
        """`call`, unless it is outdated when its turn comes; whether it was made."""
        if not await self._pace.turn(budget, place, outdated):
            return False
        await self._asked(method, path, {"json": body}, budget, place)
        return True

    async def upload(self, path: str, fields: Mapping[str, str], field: str, name: str, content: bytes) -> Json:
        """Send bytes as the form field `field`, with the other fields beside it."""
        await self._pace.turn("")

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData(dict(fields))
            data.add_field(field, content, filename=name, content_type="application/octet-stream")
            return data

        return await self._asked("POST", path, {"data": form}, "", "")

    async def warm(self) -> None:
        """Fetch a token when the one at hand runs out soon. Raises SurfaceError when the app is refused."""
        async with self._fetching:
            if self._clock() < self._token_ends - EARLY:
                return
            credentials = {
                "app_id": self._config.app_id,
                "app_secret": self._config.app_secret.get_secret_value(),
            }
            told = await self._answered("POST", _TOKEN, {"json": credentials}, authorized=False)
            if told.get("code") != 0:
                raise refusal("the app's id and secret", int(told.get("code") or -1), str(told.get("msg", "")))
            self._token = str(told["tenant_access_token"])
            self._token_ends = self._clock() + float(told["expire"])

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def _asked(self, method: str, path: str, sent: Mapping[str, Any], budget: str, place: str) -> Json:
        call = _named(method, path)
        for attempt in range(1, TRIES + 1):
            told = await self._answered(method, path, sent)
            code = int(told.get("code", -1))
            if code == 0:
                data: Json = told.get("data") or told
                return data
            fault = refusal(call, code, str(told.get("msg", "")), told.get("wait"))
            if attempt == TRIES or not await self._may_repeat(code, fault, budget, place):
                raise fault
        raise AssertionError("the last attempt returns or raises")

    async def _may_repeat(self, code: int, fault: SurfaceError, budget: str, place: str) -> bool:
        if code in STALE_TOKEN:
            self._token_ends = 0.0
            return True
        wait = fault.retry_after if isinstance(fault, SurfaceAway) and fault.retry_after is not None else 1.0
        if code not in TOO_OFTEN or wait > LONGEST_WAIT:
            return False
        self._pace.hold(budget, place, wait)
        await self._pace.turn(budget, place)
        return True

    async def _answered(self, method: str, path: str, sent: Mapping[str, Any], *, authorized: bool = True) -> Json:
        """Lark's answer as it is; with `wait` in seconds where it asks for that."""
        try:
            return await self._once(method, path, sent, authorized)
        except (aiohttp.ClientError, TimeoutError) as error:
            # once more does no harm when nothing arrived, or when Lark knows the call by its uuid
            if not isinstance(error, aiohttp.ClientConnectorError) and "uuid" not in (sent.get("json") or {}):
                raise _away(method, path, error) from error
            await self._sleep(1.0)
        try:
            return await self._once(method, path, sent, authorized)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _away(method, path, error) from error

    async def _once(self, method: str, path: str, sent: Mapping[str, Any], authorized: bool) -> Json:
        headers = {}
        if authorized:
            if self._clock() >= self._token_ends - EARLY:
                await self.warm()
            headers["Authorization"] = f"Bearer {self._token}"
        arguments = {name: value() if callable(value) else value for name, value in sent.items()}
        url = self._config.domain.rstrip("/") + path
        async with self._connections().request(method, url, headers=headers, **arguments) as response:
            try:
                told = await response.json(content_type=None)
            except ValueError:
                told = None
            if not isinstance(told, dict) or not isinstance(told.get("code"), int):
                raise SurfaceAway(f"Lark answered {_named(method, path)} with HTTP {response.status} and no code")
            if told["code"] == 0 or (response.status != 429 and told["code"] not in TOO_OFTEN):
                return told
            return told | {"code": 99991400, "wait": _seconds(response.headers.get("x-ogw-ratelimit-reset"))}

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            # the limits of Lark count bytes, of which an escaped character takes twice as many
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                json_serialize=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            )
        return self._session


def _named(method: str, path: str) -> str:
    """A call as an operator reads it: without the ids in its address."""
    parts = [part if "_" not in part or not part[-1].isdigit() else "…" for part in path.split("/")[2:]]
    return f"{method} {'/'.join(parts)}"


def _away(method: str, path: str, error: Exception) -> SurfaceAway:
    return SurfaceAway(f"Lark could not be reached for {_named(method, path)} ({type(error).__name__})")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None
