"""What to look at beside a finding and what it would mean, from causes.yaml."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

DEFAULT = "default"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pair(_Part):
    """A metric beside the finding. It moved when it is `factor` times what it was, or below that when that is less
    than 1; what that means is `cause`, empty when it means nothing by itself. A `symptom` says
    the trouble again."""

    metric: str
    factor: float = Field(gt=0)
    cause: str = ""
    symptom: bool = False

    def moved(self, ratio: float) -> bool:
        """Whether a ratio of after to before is a move."""
        return ratio >= self.factor if self.factor >= 1 else ratio <= self.factor


class Signs(_Part):
    """What is looked at for one dimension."""

    witness: str
    pairs: tuple[Pair, ...] = ()


class Deed(_Part):
    """A kind of operation: recognised by its type, a pattern in its detail, or both. Without a `cause` it explains
    nothing; `only` limits what it explains to some dimensions."""

    type: str = ""
    match: str = ""
    cause: str = ""
    only: tuple[str, ...] = ()

    def fits(self, kind: str, detail: str) -> bool:
        """Whether an operation is of this kind."""
        return self.type in {"", kind.upper()} and re.search(self.match, detail, re.IGNORECASE) is not None

    def explains(self, dimension: str) -> bool:
        """Whether it may have set off trouble of this dimension."""
        return bool(self.cause) and (not self.only or dimension in self.only)


class Causes(_Part):
    """The whole file."""

    dimensions: Mapping[str, Signs]
    operations: tuple[Deed, ...]

    def of(self, dimension: str) -> Signs:
        """The signs of a dimension."""
        return self.dimensions.get(dimension) or self.dimensions[DEFAULT]

    def deed(self, kind: str, detail: str) -> Deed | None:
        """What kind of operation it was; None for one that nothing is known of."""
        return next((one for one in self.operations if one.fits(kind, detail)), None)


@cache
def load_causes() -> Causes:
    """The causes shipped with Starwatch, read once."""
    text = resources.files("agent.investigation").joinpath("causes.yaml").read_text(encoding="utf-8")
    raw: Any = yaml.safe_load(text)
    return Causes.model_validate(raw)
