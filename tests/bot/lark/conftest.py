"""A Lark surface on a fake company, with a clock that only waiting moves."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from bot.lark.api import LarkApi
from bot.lark.config import LarkConfig
from bot.lark.delivery import Delivery
from bot.lark.surface import LarkSurface
from tests.fakes.lark import APP, ENCRYPT_KEY, SECRET, VERIFICATION, FakeLark

NOW = 1_766_000_000
LISTED = "dash.example"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def epoch(self) -> float:
        return NOW + 40_000_000 + self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.now += seconds


@dataclass
class Bench:
    """A fake company and our surface in it."""

    lark: FakeLark
    api: LarkApi
    surface: LarkSurface
    time: Time
    drawn: list[object] = field(default_factory=list)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def lark(time: Time) -> AsyncIterator[FakeLark]:
    async with FakeLark(clock=time.clock).running() as lark:
        yield lark


def config(lark: FakeLark, **more: object) -> LarkConfig:
    """The settings of the fake's app."""
    told = {"encrypt_key": SecretStr(ENCRYPT_KEY), "verification_token": SecretStr(VERIFICATION)}
    return LarkConfig(APP, SecretStr(SECRET), domain=lark.domain, **(told | more))


@pytest.fixture
async def bench(lark: FakeLark, time: Time) -> AsyncIterator[Bench]:
    api = LarkApi(config(lark), clock=time.clock, sleep=time.sleep)
    numbers = itertools.count()
    delivery = Delivery(api, {LISTED}, new_id=lambda: f"id-{next(numbers)}")
    surface = LarkSurface(api, delivery, APP, now=time.epoch)
    yield Bench(lark, api, surface, time)
    await surface.idle()
    await api.close()
