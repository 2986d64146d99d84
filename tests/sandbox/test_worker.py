"""The thread behind a session: a call that nobody waits for any more has left the cursor when its caller learns so."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from sandbox.worker import Worker

ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE a.range * b.range > c.range"


async def test_a_caller_cancelled_twice_still_waits_until_its_call_has_left_the_cursor() -> None:
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    with duckdb.connect() as connection, ThreadPoolExecutor(1) as threads:
        cursor = connection.cursor()
        inside: list[bool] = []

        def work() -> None:
            loop.call_soon_threadsafe(began.set)
            inside.append(True)
            try:
                cursor.execute(ENDLESS)
            finally:
                inside.clear()

        worker = Worker(threads, cursor)
        worker.begin(60)
        call = asyncio.create_task(worker.call(work))
        await began.wait()
        call.cancel()
        await asyncio.sleep(0)  # the first cancellation is met, and the call waits for the thread
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not inside
        assert cursor.execute("SELECT 1").fetchone() == (1,)
