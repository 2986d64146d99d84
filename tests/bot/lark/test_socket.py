"""The long connection: Lark's own client, in its thread, against the far end of it on loopback."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bot.lark.api import LarkApi
from bot.lark.loading import long_connection
from handlers.faults import AccessEnded
from handlers.surface import SurfaceError
from tests.bot.lark.conftest import config
from tests.fakes.lark import FakeLark
from tests.fakes.lark.payloads import menu, message

socket = long_connection()
connected = socket.connected
from tests.fakes.lark.link import Link, drop  # noqa: E402  needs Lark's client, loaded with care


class Taken:
    """Remembers what was delivered; raises what it is told to."""

    def __init__(self) -> None:
        self.payloads: list[Mapping[str, Any]] = []
        self.fault: Exception | None = None
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def __call__(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        self.loops.add(asyncio.get_running_loop())
        if self.fault is not None:
            raise self.fault
        self.payloads.append(payload)
        return {"toast": {"type": "info", "content": "ok"}}


@pytest.fixture
async def link(lark: FakeLark) -> Link:
    return Link(lark)


@pytest.fixture
async def api(lark: FakeLark) -> AsyncIterator[LarkApi]:
    api = LarkApi(config(lark))
    yield api
    await api.close()


async def test_a_delivery_is_taken_in_on_our_loop_and_then_acknowledged(
    lark: FakeLark, link: Link, api: LarkApi
) -> None:
    taken = Taken()
    payload = message(lark.said("why?"))
    async with connected(api, config(lark), taken):
        await link.deliver(payload, parts=3)
        ack = await link.acknowledged()
        assert (ack["code"], ack["data"]) == (200, {"toast": {"type": "info", "content": "ok"}})
        assert taken.payloads == [payload]
        assert taken.loops == {asyncio.get_running_loop()}
    await lark.until(lambda: link.closed == 1)


async def test_what_was_not_admitted_is_not_acknowledged_and_the_connection_stays(
    lark: FakeLark, link: Link, api: LarkApi, caplog: pytest.LogCaptureFixture
) -> None:
    taken = Taken()
    taken.fault = RuntimeError("the database is away")
    async with connected(api, config(lark), taken):
        await link.deliver(menu("home"), "m-1")
        assert (await link.acknowledged("m-1"))["code"] == 500
        taken.fault = None
        await link.deliver(menu("home"), "m-2")
        assert (await link.acknowledged("m-2"))["code"] == 200


async def test_a_lost_connection_is_made_anew(lark: FakeLark, link: Link, api: LarkApi) -> None:
    taken = Taken()
    async with connected(api, config(lark), taken):
        await link.deliver(menu("home"), "m-1")
        await link.acknowledged("m-1")
        await drop(link)
        await lark.until(lambda: len(link.sockets) == 2)
        await link.deliver(menu("home"), "m-2")
        await link.acknowledged("m-2")
    assert len(taken.payloads) == 2


async def test_the_connection_says_that_it_lives(lark: FakeLark, link: Link, api: LarkApi) -> None:
    async with connected(api, config(lark), Taken()):
        await lark.until(lambda: link.pings >= 1)


async def test_an_app_that_lark_refuses_is_told_at_the_start(lark: FakeLark, link: Link, api: LarkApi) -> None:
    lark.secret = "another one"
    with pytest.raises(SurfaceError) as told:
        async with connected(api, config(lark), Taken()):
            pass
    assert isinstance(told.value, AccessEnded)
    assert link.sockets == []


async def test_nothing_of_larks_client_is_written_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("Lark").critical("hello")
    assert capsys.readouterr().out == ""
