"""What each alert name means: its category, usual severity, card text and standing advice."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml


class Advice(NamedTuple):
    """Standing knowledge about one alert name."""

    category: str
    """anomaly (a lasting condition) or failure (an event)."""
    severity: str
    text: str
    recommendation: str


@cache
def book() -> dict[str, Advice]:
    """Return alert name → advice."""
    loaded = yaml.safe_load((files(__package__) / "advice.yaml").read_text(encoding="utf-8"))
    return {name: Advice(*fields) for name, fields in loaded.items()}
