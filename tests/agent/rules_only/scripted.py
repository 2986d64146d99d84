"""A scripted warehouse for the rules-only analyst: results by role in the door's own text form, and a thread."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.messages import Message, user_text
from agent.model import Reply, Request
from agent.rules_only import RulesAnalyst, history
from agent.rules_only.intent import understand
from agent.rules_only.plan import asks
from agent.rules_only.thresholds import Threshold
from agent.tools import ToolResult, ToolSpec
from mcp_server.errors import Code, DoorError
from mcp_server.executor import Column
from mcp_server.results import Result

A = "0f3a91c2-7b1e-4c55-9d20-aa10be77c001"
B = "5e6f7a8b-1111-4222-8333-444455556666"
THRESHOLDS = {
    "disk_used_pct": Threshold(80, 90, advice="free space or grow the volumes"),
    "memory_available_pct": Threshold(20, 10, falling=True, advice="see which tracker grows"),
    "fe_heap_used_pct": Threshold(85, 95),
    "compaction_score": Threshold(1000, 5000, advice="batch the loads"),
    "nodes_up": Threshold(98, 90, falling=True),
    "error_share_pct": Threshold(5, 5),
}
TOOLS = tuple(
    ToolSpec(name, name, {"type": "object"})
    for name in (
        "read_query",
        "query_fleet_summary",
        "query_open_issues",
        "query_cluster_info",
        "query_cluster_alerts",
        "query_cluster_operations",
        "search_logs",
    )
)


def rows(columns: str, *values: Sequence[Any], truncated: bool = False) -> ToolResult:
    """A result as the door writes it; columns as `name:TYPE name:TYPE`, VARCHAR where no type is given."""
    described = tuple(
        Column(*(column.split(":") if ":" in column else (column, "VARCHAR"))) for column in columns.split()
    )
    result = Result(described, [list(row) for row in values], truncated, "q-1", "SELECT", 0.02, ())
    return ToolResult(result.text(), data=result.data())


def fault(code: Code, reason: str, **parts: Any) -> ToolResult:
    """An error as the door writes it."""
    return ToolResult(DoorError(code, reason, **parts).text(), is_error=True)


UNREACHABLE = fault(Code.UNAVAILABLE, "the warehouse cannot be reached", hint="again in a minute")
FRESH = rows("newest_hour:DATETIME hours_old:BIGINT clusters:BIGINT", ("2026-03-01 02:00:00", 1, 24))
INFO_A = rows("cluster_id cluster_name sr_version region tier", (A, "prod-a-01", "3.4.7-ee", "us-east-1", "S"))
INFO_B = rows("cluster_id cluster_name sr_version region tier", (B, "prod-b-02", "3.3.9-ee", "eu-west-1", None))


class Thread:
    """One thread with the analyst. `results` are by role; a role that is not given cannot be reached."""

    def __init__(self, *, tools: Sequence[ToolSpec] = TOOLS, may_call_tools: bool = True) -> None:
        self.analyst = RulesAnalyst(THRESHOLDS)
        self.messages: list[Message] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.texts: list[str] = []
        self.rounds = 0
        self._tools = tools
        self._may_call_tools = may_call_tools

    async def ask(self, question: str, results: Mapping[str, ToolResult] | None = None) -> str:
        """The answer, after all calls were given their results."""
        self.messages.append(user_text(question))
        self.calls, self.texts, self.rounds = [], [], 0
        while True:
            reply = await self._reply()
            if reply.stop_reason == "end_turn":
                return reply.text
            self.rounds += 1
            assert self.rounds < 6, "the analyst goes round in circles"
            roles = self._roles()
            blocks = [self._result(call, roles, results or {}) for call in reply.tool_calls]
            self.messages.append({"role": "user", "content": blocks})

    async def _reply(self) -> Reply:
        request = Request("system", tuple(self.messages), self._tools, may_call_tools=self._may_call_tools)
        reply = await self.analyst.reply(request)
        self.messages.append({"role": "assistant", "content": list(reply.content)})
        return reply

    def _roles(self) -> Mapping[str, str]:
        turns = history.turns(self.messages)
        intent = understand(turns[-1].question, history.context(turns[:-1]))
        return {ask.key: ask.role for ask in asks(intent, turns[-1].outcomes, THRESHOLDS)}

    def _result(
        self, call: Mapping[str, Any], roles: Mapping[str, str], results: Mapping[str, ToolResult]
    ) -> dict[str, Any]:
        self.calls.append((call["name"], call["input"]))
        result = results.get(roles[history.key(call["name"], call["input"])], UNREACHABLE)
        self.texts.append(result.text)
        block = {"type": "tool_result", "tool_use_id": call["id"], "content": result.text}
        return {**block, "is_error": True} if result.is_error else block
