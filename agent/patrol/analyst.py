"""The rules-only analyst of a patrol: a model that digs by plan and writes the report from the evidence alone.

It needs no network and never invents: every sentence is made from a finding, an outlook or a tool's result."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.messages import Block, Message, text_of
from agent.model import Analyst, OnText, Reply, Request
from agent.patrol.evidence import Evidence
from agent.patrol.narrative import sections
from agent.patrol.rules import Rules
from agent.patrol.sections import write

NAME = "rules-only"
_DEEP = 3
_WATCHED = 3
_METRICS = 6

Call = tuple[str, Mapping[str, Any]]


class PatrolAnalyst:
    """Implements `agent.model.Model` for one patrol, deterministically, from its evidence."""

    def __init__(self, evidence: Evidence, rules: Rules) -> None:
        self._evidence = evidence
        self._rules = rules
        self._plan = tuple(tuple(round_) for round_ in _plan(evidence, rules))

    @property
    def name(self) -> str:
        """Shown as the model."""
        return NAME

    @property
    def analyst(self) -> Analyst:
        """Always the rules-only one."""
        return "rules-only"

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """The next round of the plan's tool calls, or the report when the plan is done or no call is allowed."""
        # Read from the history and kept nowhere, so that the same history always gets the same reply.
        done = sum(message["role"] == "assistant" for message in request.messages)
        offered = {spec.name for spec in request.tools}
        for at, calls in enumerate(self._plan[done:], done):
            wanted = [call for call in calls if call[0] in offered]
            if wanted and request.may_call_tools:
                return Reply(tuple(_blocks(at, wanted)), "tool_use", NAME)
        text = write(sections(self._evidence, self._rules, tuple(results(request.messages))))
        if on_text is not None:
            await on_text(text)
        return Reply(({"type": "text", "text": text},), "end_turn", NAME)


def _blocks(round_: int, calls: Sequence[Call]) -> Iterator[Block]:
    for at, (name, arguments) in enumerate(calls):
        yield {"type": "tool_use", "id": f"toolu_patrol_{round_}_{at}", "name": name, "input": dict(arguments)}


def results(messages: Sequence[Message]) -> Iterator[tuple[str, Mapping[str, Any], str, bool]]:
    """Name, arguments, text and failure of every call made so far, in order."""
    calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for message in messages:
        for block in message["content"]:
            if block["type"] == "tool_use":
                calls[block["id"]] = (block["name"], block["input"])
            elif block["type"] == "tool_result" and block["tool_use_id"] in calls:
                content = block.get("content", "")
                text = content if isinstance(content, str) else text_of(content)
                yield (*calls[block["tool_use_id"]], text, bool(block.get("is_error", False)))


def _plan(evidence: Evidence, rules: Rules) -> Iterator[list[Call]]:
    """Six to ten calls: overview and problem set, the worst clusters in depth, what they share and what is remembered.
    In a healthy fleet the clusters nearest to a limit are looked at instead."""
    yield [("query_fleet_summary", {}), ("query_open_issues", {"limit": 20})]
    worst = evidence.flagged[:_DEEP] or evidence.clusters[:_WATCHED]
    deep: list[Call] = []
    for cluster in worst:
        names = _metrics(tuple(finding.dimension for finding in cluster.findings), rules)
        identity = cluster.identity.cluster_id
        deep.append(("query_cluster_metrics", {"cluster": identity, "metrics": names, "hours": 48}))
        if cluster.findings:
            deep.append(("search_logs", {"cluster": identity, "hours": 24}))
    yield deep[: 2 * _DEEP]
    first = worst[0].identity.cluster_id if worst else None
    if first is None:
        yield [("query_agent_memory", {"limit": 5})]
    else:
        yield [("query_similar_clusters", {"cluster": first}), ("query_agent_memory", {"cluster": first, "limit": 5})]


def _metrics(dimensions: Sequence[str], rules: Rules) -> list[str]:
    """The metric names behind some dimensions; the vital ones when there are none."""
    known = [rules.dimensions[name] for name in dimensions if name in rules.dimensions]
    chosen = known or [rules.dimensions[name] for name in ("cpu_util_pct", "p99_latency_ms", "disk_used_pct")]
    # a fallback is what other platforms send in place of the parts: where those are, nobody knows its name
    series = [one for rule in chosen for one in rule.series if one != rule.fallback]
    return list(dict.fromkeys(rules.series[one].names[0] for one in series))[:_METRICS]
