"""The line that says what is being done."""

import asyncio

import pytest
from structlog.testing import capture_logs

from handlers.status import showing
from handlers.surface import SurfaceError
from tests.handlers.conftest import Bench


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_steps_are_shown_in_order_and_none_twice_in_a_row(bench: Bench) -> None:
    async with showing("x:C:1", bench.deps) as on_step:
        for step in ("Thinking", "Thinking", "Reading", "Thinking"):
            await on_step(step)
            await settle()
    assert [text for _, text in bench.surface.statuses] == ["Thinking", "Reading", "Thinking"]


async def test_while_one_is_on_its_way_only_the_newest_is_kept(bench: Bench) -> None:
    bench.surface.gate.clear()
    async with showing("x:C:1", bench.deps) as on_step:
        for step in ("first", "second", "third"):
            await on_step(step)
            await settle()
        assert bench.surface.statuses == []
        bench.surface.gate.set()
        await settle()
    assert [text for _, text in bench.surface.statuses] == ["first", "third"]


async def test_one_on_its_way_arrives_before_the_work_goes_on(bench: Bench) -> None:
    async with showing("x:C:1", bench.deps) as on_step:
        bench.surface.gate.clear()
        await on_step("Reading")
        await settle()
        asyncio.get_running_loop().call_soon(bench.surface.gate.set)
    assert [text for _, text in bench.surface.statuses] == ["Reading"]


async def test_a_platform_that_refuses_holds_up_nothing(bench: Bench) -> None:
    bench.surface.status_fault = SurfaceError("no")
    async with showing("x:C:1", bench.deps) as on_step:
        await on_step("one")
        await settle()
        bench.surface.status_fault = None
        await on_step("two")
        await settle()
    assert [text for _, text in bench.surface.statuses] == ["two"]


async def test_a_fault_in_showing_is_logged_and_holds_up_nothing(bench: Bench) -> None:
    bench.surface.status_fault = KeyError("a defect")
    with capture_logs() as logged:
        async with showing("x:C:1", bench.deps) as on_step:
            await on_step("one")
            await settle()
            await on_step("two")
    assert [line["event"] for line in logged] == ["showing broke off"]


async def test_work_that_fails_fails_as_it_did(bench: Bench) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with showing("x:C:1", bench.deps) as on_step:
            await on_step("one")
            raise ValueError("broken")
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("status:")]
