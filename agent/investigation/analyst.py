"""The investigation by rules as a model: it asks by plan, step after step, and concludes from what came back.

It needs no network and never invents: every sentence is made from a measurement or a tool's result."""

from collections.abc import Iterator, Sequence

from agent.catalogue import Language
from agent.investigation.clues import clues
from agent.investigation.conclusion import write
from agent.investigation.plan import Ask, rounds
from agent.investigation.scene import Scene
from agent.investigation.verdict import conclude
from agent.messages import Block
from agent.model import Analyst, OnText, Reply, Request
from agent.patrol.rules import Rules
from agent.rules_only import history

NAME = "rules-only"


class RulesInvestigator:
    """Implements `agent.model.Model` for one investigation, deterministically, from its scene."""

    def __init__(self, scene: Scene, rules: Rules, language: Language = "en") -> None:
        self._scene = scene
        self._rules = rules
        self._language = language
        self._rounds = rounds(scene)

    @property
    def name(self) -> str:
        """Shown as the model."""
        return NAME

    @property
    def analyst(self) -> Analyst:
        """Always the rules-only one."""
        return "rules-only"

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """The calls of the next round, or the conclusion when all are answered or none may be made."""
        turns = history.turns(request.messages)
        outcomes = turns[-1].outcomes if turns else {}
        offered = {spec.name for spec in request.tools}
        for number, asks in enumerate(self._rounds):
            open_ones = [one for one in asks if one.key not in outcomes and one.tool in offered]
            if open_ones and request.may_call_tools:
                return Reply(tuple(_calls(number, open_ones)), "tool_use", NAME)
        asked = [one for asks in self._rounds for one in asks]
        said = conclude(self._scene, clues(self._scene, asked, outcomes), self._rules, self._language)
        return Reply(({"type": "text", "text": write(said)},), "end_turn", NAME)


def _calls(number: int, asks: Sequence[Ask]) -> Iterator[Block]:
    for at, ask in enumerate(asks):
        yield {
            "type": "tool_use",
            "id": f"toolu_look_{number}_{at}",
            "name": ask.tool,
            "input": dict(ask.arguments),
        }
