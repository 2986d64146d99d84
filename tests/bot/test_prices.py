"""What model calls cost."""

from pathlib import Path

import pytest

from agent.model import Usage
from agent.progress import Spent
from bot.errors import SettingsError
from bot.prices import load_prices, tokens
from bot.settings import Settings

PRICES = load_prices()
MILLION = 1_000_000


def test_each_kind_of_token_has_its_price() -> None:
    price = PRICES.models["claude-sonnet-5-5"]
    for usage, dollars in (
        (Usage(input_tokens=MILLION), 2.0),
        (Usage(output_tokens=MILLION), 10.0),
        (Usage(cache_read_tokens=MILLION), 0.1),
        (Usage(cache_write_tokens=MILLION), 2.5),
    ):
        assert price.of(usage) == dollars * MILLION


def test_the_calls_of_a_turn_add_up_over_models_and_parts_of_a_millionth_are_not_given_away() -> None:
    spent = [Spent("claude-sonnet-5-5", Usage(1000, 100)), Spent("claude-haiku-5-5", Usage(1, 0))]
    assert PRICES.micro_dollars(spent) == 3001
    assert PRICES.dollars(spent) == 0.003001
    assert tokens(spent) == 1101


def test_a_long_prompt_has_its_own_price_and_what_is_cached_counts_to_its_length() -> None:
    within, beyond = Usage(50_000, 0, 50_000), Usage(50_000, 0, 50_001)
    assert PRICES.micro_dollars([Spent("claude-haiku-5-5", within)]) == 5_500
    assert PRICES.micro_dollars([Spent("claude-haiku-5-5", beyond)]) == 27_501


@pytest.mark.parametrize(
    ("model", "like"),
    [
        ("claude-sonnet-5-5-20260901", "claude-sonnet-5-5"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-20260724", "claude-opus-5"),
        ("claude-opus-5-9", None),
        ("claude-sonnet-5-5x", None),
        ("gpt", None),
        ("", None),
    ],
)
def test_a_dated_name_has_the_price_of_its_model_and_another_version_has_none(model: str, like: str | None) -> None:
    assert PRICES.price(model) == (PRICES.models[like] if like else None)


def test_a_model_of_unknown_price_makes_the_cost_unknown_and_its_tokens_still_count() -> None:
    spent = [Spent("claude-sonnet-5-5", Usage(1000, 0)), Spent("somebody's", Usage(5, 5))]
    assert PRICES.dollars(spent) is None
    assert PRICES.micro_dollars(spent) == 2000
    assert tokens(spent) == 1010


def test_rules_cost_nothing() -> None:
    assert PRICES.dollars([Spent("rules-only", Usage())]) == 0
    assert PRICES.dollars([]) == 0


def test_the_model_that_is_used_by_default_has_a_price() -> None:
    assert PRICES.price(Settings().model) is not None


def test_reading_from_the_cache_is_never_dearer_than_reading_anew() -> None:
    for price in PRICES.models.values():
        assert price.cache_read < price.input < price.cache_write < price.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"{", "cannot be read"),
        (b"as_of: 2026-11-20\nsource: x\nmodels: {m: {input: 1}}\n", "models.m.output: Field required"),
        (b"as_of: 2026-11-20\nsource: x\nmodels: {}\nmore: 1\n", "more: Extra inputs"),
        (b"- 1\n", "the file"),
        (
            b"as_of: 2026-11-20\nsource: x\nmodels: {m: {input: -1, output: 1, cache_read: 0, cache_write: 0}}\n",
            "models.m.input",
        ),
    ],
)
def test_a_file_that_holds_no_prices_is_one_line_naming_what_is_wrong(
    tmp_path: Path, text: bytes | None, told: str
) -> None:
    path = tmp_path / "prices.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(SettingsError, match="STARWATCH_PRICES: ") as error:
        load_prices(path)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
