"""What model calls cost: a file of prices per model, and the sums that follow from it."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.model import Usage
from agent.progress import Spent
from bot.errors import SettingsError

SHIPPED = Path(__file__).with_name("prices.yaml")
FREE = frozenset({"rules-only"})
"""Analysts of ours, which call nobody."""


class Price(BaseModel):
    """US dollars per million tokens, which is millionths of a dollar per token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(ge=0)
    cache_write: float = Field(ge=0)

    def micro_dollars(self, usage: Usage) -> float:
        """The cost of these tokens in millionths of a dollar."""
        return (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        )


class PriceAbove(Price):
    """What a request costs whose prompt is longer than so many tokens."""

    prompt: int = Field(gt=0)


class ModelPrice(Price):
    """One model's price, and the one of its long prompts where that is another."""

    above: PriceAbove | None = None

    def of(self, usage: Usage) -> float:
        """The cost of one request in millionths of a dollar."""
        prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        long = self.above is not None and prompt > self.above.prompt
        return (self.above or self).micro_dollars(usage) if long else self.micro_dollars(usage)


class Prices(BaseModel):
    """All known prices, when they were read, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    source: str
    models: Mapping[str, ModelPrice]

    def price(self, model: str) -> ModelPrice | None:
        """The price of a model, also under a name with more behind it, as with a date: `claude-x-1-20260801`."""
        known = (name for name in self.models if model == name or model.startswith(f"{name}-"))
        longest = max(known, key=len, default=None)
        # claude-opus-5-5 begins with the name of claude-opus-5, but is another model and not a dated name of it
        if longest is None or (model != longest and len(model.removeprefix(f"{longest}-")) < len("20260801")):
            return None
        return self.models[longest]

    def micro_dollars(self, spent: Iterable[Spent]) -> int:
        """What these calls cost in all, millionths of a dollar, rounded up; calls of unknown price count nothing."""
        costs = ((self.price(one.model), one.usage) for one in spent)
        return -int(-sum(price.of(usage) for price, usage in costs if price is not None) // 1)

    def dollars(self, spent: Iterable[Spent]) -> float | None:
        """What these calls cost in all, US dollars; None when the price of any of them is unknown."""
        calls = [one for one in spent if one.model not in FREE]
        if any(self.price(one.model) is None for one in calls):
            return None
        return self.micro_dollars(calls) / 1_000_000


def load_prices(path: Path | None = None) -> Prices:
    """The prices in a file, or those that are shipped. Raises SettingsError."""
    try:
        return Prices.model_validate(yaml.safe_load((path or SHIPPED).read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"STARWATCH_PRICES: {path} cannot be read as a file of prices ({type(error).__name__})"
        ) from None
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "the file"
        raise SettingsError(f"STARWATCH_PRICES: {path}: {where}: {wrong['msg']}") from None


def tokens(spent: Iterable[Spent]) -> int:
    """Tokens of all kinds that these calls took."""
    return sum(
        one.usage.input_tokens + one.usage.cache_read_tokens + one.usage.cache_write_tokens + one.usage.output_tokens
        for one in spent
    )
