"""Presses of buttons: acted on at once, each in a task of its own beside the queue, after the gate's leave."""

import asyncio

import structlog

from bot.gate import Gate
from handlers import presses
from handlers.deps import Deps
from handlers.surface import Control, Press, SurfaceError

log = structlog.get_logger()


class Pressing:
    """Takes presses from the surfaces. One that a crash cuts off is lost, and pressed again by whoever waits for it."""

    def __init__(self, gate: Gate, deps: Deps) -> None:
        self._gate = gate
        self._deps = deps
        self._tasks: set[asyncio.Task[None]] = set()

    async def act(self, one: Control | Press) -> None:
        """What surfaces are given: presses are taken, everything else is the gate's."""
        if isinstance(one, Press):
            await self.take(one)
        else:
            await self._gate.act(one)

    async def take(self, press: Press) -> bool:
        """Act on a press; returns before that is done, False when it is none of our business or was seen before.
        Raises StoreUnwritable, so that the platform tells whoever pressed that nothing happened."""
        if not await self._gate.hears(press):
            return False
        task = asyncio.create_task(self._act(press), name=f"press:{press.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _act(self, press: Press) -> None:
        try:
            allowed = await self._gate.may(press.user)
        except SurfaceError as error:
            log.error("whether somebody may press a button cannot be found out", press=press.key, why=str(error))
            return
        await (presses.act if allowed else presses.refuse)(press, self._deps)

    async def idle(self) -> None:
        """Wait until all that was pressed is done."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self, seconds: float) -> None:
        """Give what is under way `seconds`, then cut it off."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
