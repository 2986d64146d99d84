"""How an investigation by rules says things: the catalogues beside it, in the language of the reader."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.catalogue import Language, catalogue
from agent.investigation.clues import Done, Move
from agent.patrol.rules import number
from agent.rules_only.voice import Voice

WORDS = catalogue(Path(__file__).parent / "words")
_MANY = 1_000.0


@dataclass(frozen=True, slots=True)
class Phrases:
    """The texts in one language."""

    language: Language = "en"

    def say(self, key: str, **values: object) -> str:
        """The text under that key; see `Catalogue.say`."""
        return WORDS.say(self.language, key, **values)

    def own(self, text: str) -> str:
        """A label or an advice of the rules of health, in this language where it is known in it."""
        return Voice(self.language).own(text)

    def metric(self, name: str) -> str:
        """The words for a metric; its name where there are none."""
        key = f"metric.{name}"
        return self.say(key) if key in WORDS.texts else name

    def times(self, move: Move) -> str:
        """`1.8 times`, as `1.8×`."""
        return f"{number(min(move.ratio, _MANY))}×"

    def moved(self, move: Move, prefix: str) -> str:
        """How a metric moved; `prefix` is `why` or `seen`."""
        metric = self.metric(move.pair.metric)
        if move.ratio >= _MANY:
            return self.say(f"{prefix}.appeared", metric=metric, after=number(move.after))
        return self.say(f"{prefix}.moved", metric=metric, times=self.times(move))

    def deed(self, done: Done) -> str:
        """An operation; its detail is untrusted and quoted."""
        key = f"deed.{done.deed.cause if done.deed and done.deed.cause else 'other'}"
        return self.say(key, at=minute(done.at), detail=f"`{done.detail}`", kind=done.kind)


def minute(moment: datetime) -> str:
    """A moment to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"
