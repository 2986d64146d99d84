"""Calls that change something: what is proposed, what people decided of it, and the ports to those who ask and do."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from agent.tools import Effect, ToolResult, failed

Outcome = Literal["approved", "declined", "expired", "withdrawn"]
"""`withdrawn`: what was to be decided is not what would run now, or its turn has ended."""

UNKNOWN = "unknown_outcome"
"""The code of a call that may have had its effect, or not."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call as it will run once it is approved: `arguments` are those that are passed on, after all checks."""

    call_id: str
    tool: str
    arguments: Mapping[str, Any]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Ruling:
    """What people decided; `by` is what the one who did is called, empty when nobody did."""

    outcome: Outcome
    by: str = ""


class Approvals(Protocol):
    """Those who ask people, for one turn."""

    async def ruling(self, proposals: Sequence[Proposal]) -> Ruling:
        """What was decided of these calls, all of them or none. A turn whose decision is outstanding ends here for now,
        in CancelledError, and is begun again when there is one."""
        ...

    async def once(self, proposal: Proposal, work: Callable[[], Awaitable[ToolResult]]) -> ToolResult:
        """The result of an approved call, which is made once and never again. One that was begun and has no result is
        not made: nobody knows what became of it, and the result says so."""
        ...


class Acts(Protocol):
    """Tools that change something. Called after an approval alone."""

    async def prepared(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments that would be passed on. Raises `agent.foreign.ArgumentRefused`."""
        ...

    async def act(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Make the call with arguments that were prepared. Never an exception, as `agent.tools.Tools.call`."""
        ...


def digest(proposals: Sequence[Proposal]) -> str:
    """64 hex digits over everything that a person is shown and everything that runs."""
    text = json.dumps([asdict(one) for one in proposals], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def unknown_outcome(name: str, why: str) -> ToolResult:
    """What the model hears of a call that may have had its effect, or not."""
    reason = f"whether {name} had its effect is not known ({why})"
    return failed(UNKNOWN, reason, "do not call it again; say plainly that somebody has to look what happened")


def refusal(ruling: Ruling) -> ToolResult | None:
    """What the model hears in place of a result; None when the calls may be made."""
    hint = "do not ask for it again in other words; say so, and go on without it"
    match ruling.outcome:
        case "approved":
            return None
        case "declined":
            return failed("declined", f"{ruling.by or 'somebody'} declined the approval; nothing was done", hint)
        case "expired":
            return failed("expired", "nobody approved it in time; nothing was done", hint)
        case "withdrawn":
            return failed("withdrawn", "the approval does not hold any more; nothing was done", hint)
