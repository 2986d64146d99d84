"""A turn as those who wait for it see it: its tool calls as a plan of steps, its words as they are written."""

from collections.abc import Mapping
from typing import Any

from agent.progress import Progress, RoundStarted, TextDiscarded, TextPiece, ToolFinished, ToolStarted
from handlers.locale import Locale
from handlers.progress import step_of
from handlers.surface import Step, Writing
from handlers.turn import Turn

THINKING = "thinking"
"""Id of the step that stands at the end while no tool runs."""
SHOWN = 40
"""Steps of a plan, the latest ones."""


class Telling:
    """An `OnProgress` that tells a `Writing`. Text that turns out not to be the answer, because tools are called after
    it, is taken back."""

    def __init__(self, writing: Writing, turn: Turn, locale: Locale) -> None:
        self._writing = writing
        self._turn = turn
        self._locale = locale
        self._plan: dict[str, Step] = {}
        self._streamed = False

    async def __call__(self, progress: Progress) -> None:
        """Account for one event and show what it changes."""
        match progress:
            case TextPiece():
                if not self._streamed:
                    self._streamed = True
                    await self._show({})
                await self._writing.text(progress.text)
            case TextDiscarded():
                await self._take_back()
            case ToolStarted():
                await self._take_back()
                self._note(progress)
                self._plan[progress.call_id] = Step(progress.call_id, self._words(progress), "running")
                await self._show({})
            case ToolFinished() if progress.call_id in self._plan:
                begun = self._plan[progress.call_id]
                state: Any = "failed" if progress.is_error else "done"
                self._plan[progress.call_id] = Step(begun.id, begun.text, state)
                await self._show({})
            case RoundStarted():
                self._note(progress)
                await self._show({THINKING: Step(THINKING, self._words(progress), "running")})
            case _:
                pass

    async def _take_back(self) -> None:
        if self._streamed:
            self._streamed = False
            await self._writing.text("")

    async def _show(self, passing: Mapping[str, Step]) -> None:
        steps = [*self._plan.values(), *passing.values()]
        await self._writing.steps(steps[-SHOWN:])

    def _words(self, progress: Progress) -> str:
        return step_of(progress, self._locale) or ""

    def _note(self, progress: Progress) -> None:
        words = self._words(progress)
        if self._turn.steps[-1:] != [words]:
            self._turn.steps.append(words)
