"""Asking people for an approval: the card, the wait, the decision by a button, and each approved call made once."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from agent.approval import UNKNOWN, Outcome, Proposal, Ruling, digest, unknown_outcome
from agent.journal import UNWRITTEN
from agent.recorded import outcome_of, outcome_record
from agent.tools import ToolResult
from handlers.approval_card import card, whole_file
from handlers.buttons import approval_of
from handlers.deps import Deps
from handlers.locale import Locale
from handlers.permits import Approval, Fate, Permits
from handlers.posting import post
from handlers.surface import Event, Mark, PatrolRequest, Press, SurfaceError
from handlers.views import note_document

log = structlog.get_logger()

_ID = 16


def asking(thread: str, user: str, deps: Deps) -> "Asking | None":
    """Who asks for the turn under way; None where nobody may approve anything."""
    permits = deps.permits
    return Asking(thread, user, deps, permits) if permits and permits.approvers and deps.turn.id else None


class Asking:
    """Implements `agent.approval.Approvals` for one turn."""

    def __init__(self, thread: str, user: str, deps: Deps, permits: Permits) -> None:
        self._thread = thread
        self._user = user
        self._deps = deps
        self._permits = permits
        self._ids: dict[str, str] = {}

    async def ruling(self, proposals: Sequence[Proposal]) -> Ruling:
        """See `Approvals`. Raises SurfaceError when nobody can be asked."""
        permits, wanted = self._permits, self._wanted(proposals)
        kept = await permits.ledger.open(wanted)
        # posted first whatever was decided by now: it is a step of the turn, and steps have their order
        await self._ask(kept)
        if kept.state == "waiting" and permits.now() < kept.expires_at:
            await self._deps.turn.park(kept.id)
        if kept.state == "waiting":
            if await permits.ledger.settle(kept.id, "expired"):
                permits.record(kept, "", "expired", {})
            kept = await permits.ledger.find(kept.id) or kept
            await redraw(kept, self._deps, permits)
        same = kept.digest == wanted.digest and digest(kept.proposals) == wanted.digest
        if kept.state == "waiting" or (kept.state == "approved" and not same):
            # a guard or a description that changed meanwhile: what would run is not what people saw
            return Ruling("withdrawn")
        self._ids = {one.call_id: kept.id for one in proposals}
        return Ruling(kept.state, kept.name)

    async def once(self, proposal: Proposal, work: Callable[[], Awaitable[ToolResult]]) -> ToolResult:
        """See `Approvals`."""
        ledger, approval_id = self._permits.ledger, self._ids[proposal.call_id]
        deed = await ledger.begin(approval_id, proposal.call_id)
        if deed.fresh:
            result = await work()
        elif deed.result is not None:
            return outcome_of(deed.result)[0]
        else:
            result = unknown_outcome(proposal.tool, "the process ended while it ran")
            await self._tell_unknown(proposal, approval_id)
        unknown = (result.data or {}).get("code") == UNKNOWN
        fate: Fate = "unknown" if unknown else "failed" if result.is_error else "done"
        await ledger.end(approval_id, proposal.call_id, fate, outcome_record(result, 0.0))
        if (kept := await ledger.find(approval_id)) is not None:
            self._permits.record(kept, self._user, fate, {"call": proposal.call_id, "tool": proposal.tool})
            await redraw(kept, self._deps, self._permits)
        return result

    def _wanted(self, proposals: Sequence[Proposal]) -> Approval:
        turn, now = self._deps.turn.id, self._permits.now()
        name = hashlib.sha256(f"{turn}\n{proposals[0].call_id}".encode()).hexdigest()[:_ID]
        until = now + self._permits.expiry
        return Approval(name, turn, self._thread, self._user, tuple(proposals), digest(proposals), now, until)

    async def _ask(self, kept: Approval) -> None:
        deps, locale = self._deps, await self._deps.locale(self._thread, self._user)
        if (file := whole_file(kept, locale)) is not None:
            await post(f"approval-file-{kept.id}", self._thread, file, deps)
        asker = await self._permits.names(self._thread, self._user)
        posted = await post(_part(kept), self._thread, card(kept, asker, locale), deps)
        if not kept.message:
            await self._permits.ledger.shown(kept.id, posted.messages[0])

    async def _tell_unknown(self, proposal: Proposal, approval_id: str) -> None:
        await tell_unknown(approval_id, proposal, (self._thread, self._user), self._deps)


async def approve(press: Press, deps: Deps) -> None:
    """Somebody pressed Approve."""
    await _decide(press, "approved", deps)


async def decline(press: Press, deps: Deps) -> None:
    """Somebody pressed Decline."""
    await _decide(press, "declined", deps)


async def close(event: Event, deps: Deps) -> None:
    """The turn under way ends without an answer: what waits for a decision is withdrawn, and what ran is told."""
    if (permits := deps.permits) is None or isinstance(event, PatrolRequest) or not deps.turn.id:
        return
    for kept in await permits.ledger.of_turn(deps.turn.id):
        if await permits.ledger.settle(kept.id, "withdrawn"):
            permits.record(kept, event.user, "withdrawn", {})
        for one in kept.proposals:
            if kept.fates.get(one.call_id) == "begun":
                await permits.ledger.end(kept.id, one.call_id, "unknown", None)
                permits.record(kept, event.user, "unknown", {"call": one.call_id, "tool": one.tool})
                await tell_unknown(kept.id, one, (event.thread, event.user), deps)
        await redraw(await permits.ledger.find(kept.id) or kept, deps, permits)


async def tell_unknown(approval_id: str, one: Proposal, where: tuple[str, str], deps: Deps) -> None:
    """Tell the thread that nobody knows what became of a call."""
    text = (await deps.locale(*where)).say("approval.unknown", tool=one.tool, id=approval_id)
    # no step of the turn: it stands within one, or behind the last
    aside = replace(deps, turn=replace(deps.turn, journal=UNWRITTEN))
    try:
        await post(f"unknown-{approval_id}-{one.call_id}"[:60], where[0], note_document(text), aside)
    except SurfaceError as error:
        log.error("nobody could be told that an outcome is unknown", approval=approval_id, why=str(error))


async def redraw(kept: Approval, deps: Deps, permits: Permits) -> None:
    """Show the card as the approval stands. A platform that refuses costs nothing but the look."""
    if not kept.message:
        return
    locale = await deps.locale(kept.thread, kept.asker)
    document = card(kept, await permits.names(kept.thread, kept.asker), locale)
    try:
        await deps.surface.update(kept.message, document, Mark(kept.turn, _part(kept), repeated=True))
    except SurfaceError as error:
        log.error("a decided approval could not be redrawn", approval=kept.id, why=str(error))


async def _decide(press: Press, outcome: Outcome, deps: Deps) -> None:
    approval_id, told = approval_of(press.value)
    if (permits := deps.permits) is None:
        raise ValueError("an approval was pressed where nobody may approve")
    locale = await deps.locale(press.thread, press.user)
    if (kept := await permits.ledger.find(approval_id)) is None:
        await _whisper(press, locale, "approval.forgotten", deps)
        return
    if not kept.digest.startswith(told):
        raise ValueError("the hash of something else")
    may = permits.may_approve(press.user) if outcome == "approved" else permits.may_decline(press.user, kept)
    if not may:
        permits.record(kept, press.user, "permission", {"pressed": outcome})
        await _whisper(press, locale, "approval.not_permitted", deps)
        return
    await _settle(kept, outcome, press, deps, permits)


async def _settle(kept: Approval, outcome: Outcome, press: Press, deps: Deps, permits: Permits) -> None:
    name = await permits.names(press.thread, press.user)
    decided = await permits.ledger.settle(kept.id, outcome, press.user, name)
    if decided:
        permits.record(kept, press.user, outcome, {})
    elif kept.state == "waiting":
        # too late, or its turn has ended; of two who press at once one is right, and the card says who
        late: Outcome = "withdrawn" if permits.now() < kept.expires_at else "expired"
        if await permits.ledger.settle(kept.id, late):
            permits.record(kept, press.user, late, {"pressed": outcome})
    permits.wake(kept.thread)
    await redraw(await permits.ledger.find(kept.id) or kept, deps, permits)
    if not decided:
        await _whisper(press, await deps.locale(press.thread, press.user), "approval.settled", deps)


async def _whisper(press: Press, locale: Locale, key: str, deps: Deps) -> None:
    await deps.surface.whisper(press.thread, press.user, note_document(locale.say(key)))


def _part(kept: Approval) -> str:
    return f"approval-{kept.id}"
