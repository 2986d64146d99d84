"""What happens by the clock: each slot once over all processes, a slot missed by little made up for, others told of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from dbos import DBOS

OnSlot = Callable[[str, datetime], Awaitable[None]]
"""Receives the name of a schedule and the moment of its slot (aware); called again after a crash in between."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`at` is a time of day, HH:MM, in `zone`, on the `day` of the week (`mon` … `sun`) or on all. With `made_up`,
    slots that passed while no process ran come later. With `every` it is each of so many minutes instead."""

    name: str
    at: str
    zone: str
    made_up: bool = True
    day: str = ""
    every: int = 0


_open: list[OnSlot] = []
"""What this process does with a slot; DBOS calls the workflow by its name, with nothing else in hand."""


@DBOS.workflow(name="slot", max_recovery_attempts=3)
async def slot_workflow(moment: datetime | str, context: "str | _Context") -> None:
    """One slot, as DBOS calls it."""
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    name, zone = (context, "UTC") if isinstance(context, str) else (context["name"], context["zone"])
    # where summer time ends an hour comes twice, and so would the slots in it
    if _open and not at.astimezone(ZoneInfo(zone)).fold:
        await _open[-1](name, at)


class _Context(TypedDict):
    """What DBOS keeps of a schedule for its slots. Those of earlier versions were the name alone."""

    name: str
    zone: str


class Clock:
    """The schedules of this process; opened within the engine of turns, whose database keeps them."""

    def __init__(self, on_slot: OnSlot) -> None:
        self._on_slot = on_slot

    async def start(self, schedules: Sequence[Schedule]) -> None:
        """Make these the schedules of the bot, and do something with their slots from now on."""
        _open.append(self._on_slot)
        await self.apply(schedules)

    async def apply(self, schedules: Sequence[Schedule]) -> None:
        """Make these the schedules of the bot, others are forgotten. Every process that shares the database learns of
        it within its next look. May be called from within a turn."""
        # DBOS lets no workflow change schedules, and knows a workflow by its context: this one is nobody's
        await asyncio.create_task(self._apply(schedules), context=Context())

    async def _apply(self, schedules: Sequence[Schedule]) -> None:
        wanted = {schedule.name for schedule in schedules}
        for known in await DBOS.list_schedules_async():
            if known["schedule_name"] not in wanted:
                await DBOS.delete_schedule_async(known["schedule_name"])
        if schedules:
            await DBOS.apply_schedules_async([_input(schedule) for schedule in schedules])

    def stop(self) -> None:
        """Do nothing more with slots; those that come are left to the next process."""
        _open.remove(self._on_slot)


def _input(schedule: Schedule) -> Any:
    hour, minute = schedule.at.split(":")
    at = f"{int(minute)} {int(hour)} * * {schedule.day or '*'}"
    return {
        "schedule_name": schedule.name,
        "workflow_fn": slot_workflow,
        "schedule": f"*/{schedule.every} * * * *" if schedule.every else at,
        "cron_timezone": schedule.zone,
        "context": _Context(name=schedule.name, zone=schedule.zone),
        "automatic_backfill": schedule.made_up,
    }


async def forget(before: datetime, batch: int = 1000) -> int:
    """Delete what DBOS keeps of turns and slots that ended before this moment; how many those were."""
    gone = 0
    while True:
        old = await DBOS.list_workflows_async(
            completed_before=before.isoformat(), load_input=False, load_output=False, limit=batch
        )
        if not old:
            return gone
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in old])
        gone += len(old)
