"""The calls of a turn that change something: prepared, put to people as one, and made one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.approval import Acts, Approvals, Proposal, refusal
from agent.foreign import ArgumentRefused
from agent.tools import Effect, ToolResult


class Acting:
    """What can be done with the tools of one turn, and who is asked for it."""

    def __init__(self, acts: Acts, approvals: Approvals) -> None:
        self._acts = acts
        self._approvals = approvals

    async def proposal(
        self, call_id: str, name: str, arguments: Mapping[str, Any], effect: Effect
    ) -> Proposal | ToolResult:
        """The call as it would run, or why it may not."""
        try:
            return Proposal(call_id, name, await self._acts.prepared(name, arguments), effect)
        except ArgumentRefused as refused:
            return ToolResult(refused.text, is_error=True, data=refused.data)

    async def refused(self, proposals: Sequence[Proposal]) -> ToolResult | None:
        """What each of the calls gives in place of a result; None once all are approved. Raises what
        `Approvals.ruling` does."""
        return refusal(await self._approvals.ruling(proposals))

    async def do(self, proposal: Proposal) -> ToolResult:
        """The result of an approved call."""
        return await self._approvals.once(proposal, lambda: self._acts.act(proposal.tool, proposal.arguments))
