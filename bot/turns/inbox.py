"""What was said to us and what became of it: the memory behind the queue, as a port and as one kept in the process."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from bot.turns.port import Stopped, lane
from handlers.commands import command_of
from handlers.surface import Event, Question


class State(StrEnum):
    """The life of a message. `HEARD` ones are answered by a turn that had begun before they came; the turn of a
    `PARKED` one waits for people, and nobody is at work on it."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    PARKED = "parked"
    HEARD = "heard"
    DONE = "done"
    WITHDRAWN = "withdrawn"


SUSPECTS = {2: 64, 3: 8, 4: 1}
"""How many turns a process does at once in whose next step so many processes died in a row. Nobody knows whose fault a
death was while many were under way: each one narrows it down, to a single turn in the end, and meanwhile those that
had nothing to do with it are not held up for long."""
MOST_DEATHS = 5
"""Deaths in a row in the same step after which a turn is given up: what ends the process each time would for ever."""

OPEN = (State.RUNNING, State.STOPPING, State.HEARD, State.PARKED)
"""States of a message that belongs to a turn under way."""


class Sight(StrEnum):
    """How an event was met: for the first time, again before it began, or again after that."""

    NEW = "new"
    WAITING = "waiting"
    OLD = "old"


class TakenOver(Exception):
    """The turn belongs to another worker by now; nothing was written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that a worker is to do as the turn `turn`, which has the same name in each attempt. `attempt` counts
    from 1; `stopping` means that it was stopped already. `steps` and `heard` are what earlier attempts wrote down: the
    JSON text of each step's result, and the texts that were heard in each part. `parks` counts the attempts that ended
    in waiting for people, `died` those in a row that nobody ended, in the step that this one begins with."""

    lane: str
    event: Event
    turn: str
    worker: str
    attempt: int
    stopping: bool
    steps: Mapping[str, str] = field(default_factory=dict)
    heard: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parks: int = 0
    died: int = 0

    @property
    def suspect(self) -> bool:
        """Whether it is one of those of which only so many are done at once."""
        return self.died in SUSPECTS and not self.stopping


class Inbox(Protocol):
    """Each method is one transaction, and doing any of them twice is as doing it once."""

    async def put(self, event: Event) -> Sight:
        """Keep an event. Its key is remembered for at least two days."""
        ...

    async def waiting(self) -> int:
        """How many events wait, in all lanes."""
        ...

    async def claim(self, lane: str, worker: str) -> Claim | None:
        """The event that this worker does: the one it claimed before, else the earliest that waits in the lane. None
        when there is none, while another worker is at work in the lane, and while there is no room for a suspect."""
        ...

    async def hear(self, claim: Claim, name: str) -> Sequence[str]:
        """The texts of the questions that wait in the lane, earliest first, by the person whose turn it is: an answer
        rests on what that one may see. Commands are none of them. They belong to the turn from now on. Raises
        TakenOver."""
        ...

    async def finish(self, claim: Claim) -> bool:
        """The turn is over, and all that belonged to it; whether more waits in its lane. Raises TakenOver."""
        ...

    def through(self, claim: Claim) -> None:
        """The worker is through with the turn, however that went, or with the step that the turn was suspected for."""
        ...

    async def release(self, claims: Collection[Claim]) -> None:
        """Let whoever comes first go on with turns that were cut off in good order: nobody died of them."""
        ...

    async def unhear(self, claim: Claim) -> None:
        """What the turn has heard waits again, to be answered by itself. Raises TakenOver."""
        ...

    async def stop(self, lane: str) -> tuple[Sequence[str], Stopped]:
        """Mark what runs in the lane as to be stopped and withdraw what waits: the turns that run, and both counts."""
        ...

    async def edit(self, key: str, text: str) -> bool:
        """Give a waiting question another text; False when it waits no longer."""
        ...

    async def under_way(self, key: str) -> bool:
        """Whether a message belongs to a turn that runs."""
        ...

    async def heard(self, key: str) -> Question | None:
        """The question that this message is, if a turn under way has heard it."""
        ...

    async def withdraw(self, key: str) -> tuple[bool, str]:
        """Withdraw an event that waits, or mark its turn as to be stopped: whether it did, and the running turn."""
        ...

    async def stopping(self, turns: Collection[str]) -> Sequence[str]:
        """Those of the turns that are marked as to be stopped, by whatever process."""
        ...


@dataclass(slots=True)
class _Kept:
    event: Event
    arrival: int
    state: State = State.WAITING
    turn: str = ""
    part: str = ""

    @property
    def place(self) -> tuple[str, int]:
        return getattr(self.event, "order", ""), self.arrival


class MemoryInbox:
    """An inbox that lives as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    async def put(self, event: Event) -> Sight:
        """See `Inbox`."""
        if (known := self._kept.get(event.key)) is not None:
            return Sight.WAITING if known.state is State.WAITING else Sight.OLD
        self._kept[event.key] = _Kept(event, len(self._kept))
        return Sight.NEW

    async def waiting(self) -> int:
        """See `Inbox`."""
        return sum(kept.state is State.WAITING for kept in self._kept.values())

    async def claim(self, lane: str, worker: str) -> Claim | None:
        """See `Inbox`. A worker is one attempt, and turns are named after it."""
        waiting = self._in(lane)
        if not waiting or self._in(lane, State.RUNNING) or self._in(lane, State.STOPPING):
            return None
        first = waiting[0]
        first.state, first.turn = State.RUNNING, worker
        return Claim(lane, first.event, worker, worker, 1, stopping=False)

    async def hear(self, claim: Claim, name: str) -> Sequence[str]:
        """See `Inbox`."""
        for kept in self._in(claim.lane):
            said = kept.event
            # a command is obeyed in a turn of its own
            if isinstance(said, Question) and said.user == claim.event.user and command_of(said.text) is None:
                kept.state, kept.turn, kept.part = State.HEARD, claim.turn, name
        heard = [kept for kept in self._kept.values() if (kept.turn, kept.part) == (claim.turn, name)]
        return [kept.event.text for kept in sorted(heard, key=lambda k: k.place) if isinstance(kept.event, Question)]

    async def finish(self, claim: Claim) -> bool:
        """See `Inbox`."""
        for kept in self._kept.values():
            if kept.turn == claim.turn:
                kept.state = State.DONE
        return bool(self._in(claim.lane))

    def through(self, claim: Claim) -> None:
        """See `Inbox`."""

    async def release(self, claims: Collection[Claim]) -> None:
        """See `Inbox`. Nobody comes after this process."""

    async def unhear(self, claim: Claim) -> None:
        """See `Inbox`."""
        for kept in self._kept.values():
            if kept.turn == claim.turn and kept.state is State.HEARD:
                kept.state, kept.turn, kept.part = State.WAITING, "", ""

    async def stop(self, lane: str) -> tuple[Sequence[str], Stopped]:
        """See `Inbox`."""
        waiting = self._in(lane)
        for kept in waiting:
            kept.state = State.WITHDRAWN
        running = self._in(lane, State.RUNNING)
        for kept in running:
            kept.state = State.STOPPING
        return [kept.turn for kept in running], Stopped(len(running), len(waiting))

    async def edit(self, key: str, text: str) -> bool:
        """See `Inbox`."""
        kept = self._kept.get(key)
        if kept is None or kept.state is not State.WAITING or not isinstance(kept.event, Question):
            return False
        kept.event = replace(kept.event, text=text)
        return True

    async def under_way(self, key: str) -> bool:
        """See `Inbox`."""
        kept = self._kept.get(key)
        return kept is not None and kept.state in OPEN

    async def heard(self, key: str) -> Question | None:
        """See `Inbox`."""
        kept = self._kept.get(key)
        said = kept.event if kept is not None and kept.state is State.HEARD else None
        return said if isinstance(said, Question) else None

    async def withdraw(self, key: str) -> tuple[bool, str]:
        """See `Inbox`."""
        kept = self._kept.get(key)
        if kept is not None and kept.state is State.WAITING:
            kept.state = State.WITHDRAWN
            return True, ""
        if kept is not None and kept.state is State.RUNNING:
            kept.state = State.STOPPING
            return True, kept.turn
        return False, ""

    async def stopping(self, turns: Collection[str]) -> Sequence[str]:
        """See `Inbox`."""
        return [kept.turn for kept in self._kept.values() if kept.turn in turns and kept.state is State.STOPPING]

    def _in(self, name: str, state: State = State.WAITING) -> list[_Kept]:
        found = [kept for kept in self._kept.values() if lane(kept.event) == name and kept.state is state]
        return sorted(found, key=lambda kept: kept.place)
