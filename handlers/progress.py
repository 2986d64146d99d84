"""What is being done, in people's words: the names of tools say nothing to somebody who waits for an answer."""

from collections.abc import Mapping
from typing import Any

from agent.progress import OnProgress, Progress, RoundStarted, ToolStarted
from handlers.deps import OnStep
from handlers.locale import ENGLISH, Locale
from handlers.markdown import excerpt
from handlers.words import WORDS

_WIDTH = 60

_PREFIX = "step."
"""Of the keys in the catalogue; behind it stands a tool's name, and a name in braces is an argument of the call."""


def step_of(progress: Progress, locale: Locale = ENGLISH) -> str | None:
    """What a surface shows for this event, or None when it changes nothing that people care about."""
    match progress:
        case ToolStarted():
            return _tool_step(progress.name, progress.arguments, locale)
        case RoundStarted(last=True):
            return locale.say("step.writing")
        case RoundStarted():
            return locale.say("step.thinking")
        case _:
            return None


def told(on_step: OnStep, locale: Locale = ENGLISH) -> OnProgress:
    """Passes on, in words, those events of a turn that mean something to somebody who waits."""

    async def on_progress(progress: Progress) -> None:
        if (step := step_of(progress, locale)) is not None:
            await on_step(step)

    return on_progress


def _tool_step(name: str, arguments: Mapping[str, Any], locale: Locale) -> str:
    key = _PREFIX + name if _PREFIX + name in WORDS else "step.other"
    return WORDS[key][locale.language].format_map(_Shown(arguments, locale))


class _Shown(dict[str, str]):
    """A call's arguments, short and harmless; what the call does not name is called by its kind."""

    def __init__(self, arguments: Mapping[str, Any], locale: Locale) -> None:
        super().__init__({key: excerpt(str(value), _WIDTH) for key, value in arguments.items()})
        self._locale = locale

    def __missing__(self, key: str) -> str:
        return self._locale.say(f"step.some_{key}")
