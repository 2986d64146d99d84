"""Somebody opened the conversation with us alone: first questions to choose from."""

from handlers.deps import Deps
from handlers.surface import Press

QUESTIONS = ("fleet", "worst", "limits", "issues")
"""Keys of the questions in the catalogue, each with a title and the question itself."""


async def welcome(press: Press, deps: Deps) -> None:
    """Offer the questions in the language of whoever opened it."""
    locale = await deps.locale(press.thread, press.user)
    prompts = [(locale.say(f"prompt.{key}.title"), locale.say(f"prompt.{key}.question")) for key in QUESTIONS]
    await deps.surface.suggest(press.thread, prompts)
