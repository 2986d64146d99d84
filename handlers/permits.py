"""Approvals as they are kept: what was to be approved, who decided, and what became of each approved call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from agent.approval import Outcome, Proposal
from agent.journal import Json
from handlers.desk import Names, unnamed

State = Literal["waiting"] | Outcome

Fate = Literal["begun", "done", "failed", "unknown"]
"""What became of an approved call. `begun`: it may run, or its process died during it."""

EXPIRY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Approval:
    """Calls of one round of a turn that are approved together. `digest` is over all that they are; `message` refers to
    the card that asks, `by` and `name` are who decided, empty when nobody did. `fates` are by call id."""

    id: str
    turn: str
    thread: str
    asker: str
    proposals: tuple[Proposal, ...]
    digest: str
    asked_at: datetime
    expires_at: datetime
    state: State = "waiting"
    by: str = ""
    name: str = ""
    decided_at: datetime | None = None
    message: str = ""
    fates: Mapping[str, Fate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is known of an approved call that is about to be made: `fresh` = it never was, so it may be. Otherwise
    `result` is what it gave, and None when nobody knows."""

    fresh: bool
    result: Json | None = None


class Ledger(Protocol):
    """Where approvals are kept, for all processes."""

    async def open(self, approval: Approval) -> Approval:
        """Keep it unless one with this id is kept; the one that is."""
        ...

    async def shown(self, approval_id: str, message: str) -> None:
        """Note which message asks."""
        ...

    async def find(self, approval_id: str) -> Approval | None:
        """An approval, None when it is not kept any more."""
        ...

    async def of_turn(self, turn: str) -> Sequence[Approval]:
        """All approvals of a turn, oldest first."""
        ...

    async def waiting(self) -> Sequence[Approval]:
        """Those that somebody could still decide, oldest first; 100 at most."""
        ...

    async def settle(self, approval_id: str, outcome: Outcome, user: str = "", name: str = "") -> bool:
        """Decide, once: whether this was the decision. Who decides too late does not, and what nobody decided expires
        no sooner than it may. A turn that waits for it can go on from then on, one that has ended withdraws it."""
        ...

    async def begin(self, approval_id: str, call_id: str) -> Deed:
        """Note that an approved call is about to be made; what is known of it."""
        ...

    async def end(self, approval_id: str, call_id: str, fate: Fate, result: Json | None) -> None:
        """Note what became of it. Raises nothing: the result is worth more than its note."""
        ...


Record = Callable[[Approval, str, str, Mapping[str, Any]], None]
"""Tells the audit what happened to an approval: the user, a word for what happened, and what else there is to know."""


def unrecorded(approval: Approval, user: str, verdict: str, more: Mapping[str, Any]) -> None:
    """The `Permits.record` of a process without an audit."""


def asleep(thread: str) -> None:
    """The `Permits.wake` of a process whose turns find out by themselves."""


@dataclass(frozen=True, slots=True)
class Permits:
    """`approvers` are the ids of those who may approve. `wake` tells the queue that a turn of a thread may go on, and
    `now` gives aware times."""

    ledger: Ledger
    approvers: frozenset[str]
    now: Callable[[], datetime]
    expiry: timedelta = EXPIRY
    record: Record = unrecorded
    wake: Callable[[str], None] = asleep
    names: Names = unnamed

    def may_approve(self, user: str) -> bool:
        """Whether somebody may approve; nobody may because they asked."""
        return user in self.approvers

    def may_decline(self, user: str, approval: Approval) -> bool:
        """Whether somebody may decline: approvers, and whoever asked."""
        return user in self.approvers or user == approval.asker
