"""A second process on the same database, for tests that kill it: python -m tests.bot.turns.replica URL EXECUTOR.

Takes two questions of thread t1 in, begins the first, never ends it, and says on stdout that it began and that it was
stopped."""

import asyncio
import sys
from dataclasses import replace

from tests.bot.turns.conftest import QUICK, durable
from tests.bot.turns.desk import Desk, question, settle


async def main(url: str, executor: str) -> None:
    desk = Desk()
    async with durable(url, desk, replace(QUICK, executor=executor)) as turns:
        await turns.submit(question("a"))
        await settle(lambda: desk.log == ["+a"])
        await turns.submit(question("b"))
        print("begun", flush=True)  # noqa: T201
        await settle(lambda: "!a" in desk.log, seconds=30)
        print("stopped", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
