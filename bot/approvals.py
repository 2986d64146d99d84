"""Approvals put together: who may give them, where they are kept, and what the audit is told of them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.caller import caller_in
from bot.clock import Now, utc_now
from bot.settings import Settings
from bot.store import Store
from bot.store.approvals import Approvals
from handlers.desk import Names
from handlers.permits import Approval, Permits, Record
from mcp_server.audit import OK
from mcp_server.recorder import Recorder

_GOOD = frozenset({"approved", "done"})


def permits_of(
    settings: Settings, store: Store, recorder: Recorder, names: Names, wake: Callable[[str], None], now: Now = utc_now
) -> Permits:
    """The permits as the settings say; without approvers nobody may approve anything."""
    approvers = frozenset(filter(None, (name.strip() for name in settings.approvers.split(","))))
    expiry = timedelta(minutes=settings.approval_minutes)
    return Permits(Approvals(store.database, now), approvers, now, expiry, recorded(recorder), wake, names)


def recorded(recorder: Recorder) -> Record:
    """Writes what happens to approvals into the door's audit, as entries of the tool `approval`."""

    def record(approval: Approval, user: str, verdict: str, more: Mapping[str, Any]) -> None:
        told = {
            "approval": approval.id,
            "outcome": verdict,
            "tools": sorted({one.tool for one in approval.proposals}),
            "calls": len(approval.proposals),
            "hash": approval.digest,
            "asker": approval.asker,
            **more,
        }
        who = caller_in(approval.thread, user or "nobody")
        recorder.noted(who, "approval", told, OK if verdict in _GOOD else verdict)

    return record
