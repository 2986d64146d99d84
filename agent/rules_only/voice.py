"""The language an answer is written in: texts from the catalogues beside its writers, counts, spans and figures.

What comes from the warehouse stays as it is. Words of the rules of health, which their owner may rewrite, are looked up
by the English text: a label that was changed is shown as it was written."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.catalogue import Language, catalogue
from agent.patrol.rules import quantity

NO_VALUE = "–"
PHRASES = catalogue(Path(__file__).parent / "writing")
_OWN: Mapping[str, str] = {texts["en"]: key for key, texts in PHRASES.texts.items() if key.startswith("own.")}


@dataclass(frozen=True, slots=True)
class Voice:
    """How things are said in one language."""

    language: Language = "en"

    def say(self, key: str, **values: object) -> str:
        """The text under that key; see `Catalogue.say`."""
        return PHRASES.say(self.language, key, **values)

    def own(self, text: str) -> str:
        """What an English word of ours (a label, an advice, a severity, a unit) is here; any other text as it is."""
        key = _OWN.get(text)
        return self.say(key) if key else text

    def count(self, number: float | None, noun: str) -> str:
        """`1 cluster`, `12 clusters`; `noun` is the key of one below `noun.`."""
        whole = int(number or 0)
        return self.say("count.one" if whole == 1 else "count.many", n=f"{whole:,}", noun=self.say(f"noun.{noun}"))

    def span(self, hours: int) -> str:
        """`24 hours`, `7 days`."""
        if hours >= 48 and hours % 24 == 0:
            return self.say("span.days", n=hours // 24)
        return self.say("span.hour" if hours == 1 else "span.hours", n=hours)

    def figure(self, value: float | None, unit: str = "") -> str:
        """A value with its unit as the patrol writes it: `81.2%`, `340 ms`, `1,204`; a dash when there is none."""
        return NO_VALUE if value is None or not math.isfinite(value) else quantity(value, self.own(unit))

    def list(self, parts: Iterable[str]) -> str:
        """`a, b, c`."""
        return self.say("list.comma").join(parts)

    def chain(self, parts: Iterable[str]) -> str:
        """`a; b; c`."""
        return self.say("list.semicolon").join(parts)
