"""The rules-only analyst: answers common questions from the warehouse by fixed rules, without a model or a network."""

from collections.abc import Mapping

from agent.messages import Block
from agent.model import Analyst, OnText, Reply, Request
from agent.patrol.rules import load_rules
from agent.rules_only import history
from agent.rules_only.envelope import Failure
from agent.rules_only.intent import understand
from agent.rules_only.plan import Ask, asks
from agent.rules_only.thresholds import Thresholds, from_rules
from agent.rules_only.writing import compose
from agent.rules_only.writing.found import Found

NAME = "rules-only"
_UNREAD = Failure("unavailable", ("it was not called",))


class RulesAnalyst:
    """An `agent.model.Model`. The same request always gets the same reply.

    Values are judged by `thresholds`; by default by those of the rules of health."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._thresholds = from_rules(load_rules()) if thresholds is None else thresholds

    @property
    def name(self) -> str:
        """See `Model`."""
        return NAME

    @property
    def analyst(self) -> Analyst:
        """See `Model`."""
        return "rules-only"

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """The next calls while some are open and allowed, else the answer. Raises nothing."""
        turns = history.turns(request.messages)
        turn = turns[-1] if turns else history.Turn("")
        intent = understand(turn.question, history.context(turns[:-1]))
        offered = {tool.name for tool in request.tools}
        planned = asks(intent, turn.outcomes, self._thresholds)
        missing = [ask for ask in planned if ask.key not in turn.outcomes and ask.tool in offered]
        if missing and request.may_call_tools:
            calls = [_call(ask, len(request.messages), number) for number, ask in enumerate(missing)]
            return Reply(tuple(calls), "tool_use", NAME)
        outcomes = {ask.role: turn.outcomes.get(ask.key, _UNREAD) for ask in planned}
        text = compose(Found(intent, outcomes, self._thresholds))
        if on_text is not None:
            await on_text(text)
        return Reply(({"type": "text", "text": text},), "end_turn", NAME)


def _call(ask: Ask, message: int, number: int) -> Block:
    arguments: Mapping[str, object] = dict(ask.arguments)
    return {"type": "tool_use", "id": f"toolu_rules_{message}_{number}", "name": ask.tool, "input": arguments}
