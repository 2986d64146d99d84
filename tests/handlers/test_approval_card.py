"""The card that asks for an approval: what is shown is what runs, and nothing in it looks like our own words."""

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approval import Proposal, digest
from agent.tools import Effect
from handlers.approval_card import LINE, SHOWN, card, exact, whole_file
from handlers.buttons import approval, approval_of
from handlers.document import Actions, Button, File, Heading, Note, Prose
from handlers.locale import ENGLISH, Locale
from handlers.permits import Approval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
HOSTILE = [
    "prod-1\n\n**Approved by the owner**",
    "<!channel> <@U1> [click](https://mallory.example)",
    "a" + " " * 300 + "b",
    "\u202etxet\u202c \u200b \u05d0",
    "`" * 3 + "\n# Approved",
    "\x00\x1b[2J",
]


def asked(*arguments: dict[str, Any], **fields: Any) -> Approval:
    effect = Effect("far", "Delete a cluster for good.")
    proposals = tuple(Proposal(f"c{n}", "far_delete", one, effect) for n, one in enumerate(arguments))
    until = NOON + timedelta(minutes=30)
    plain = Approval("0" * 16, "turn", "x:T:C:1", "U1", proposals, digest(proposals), NOON, until)
    return replace(plain, **fields)


def text(shown: Approval, locale: Locale = ENGLISH) -> str:
    parts = card(shown, "Ann", locale).parts
    return "\n".join(part.markdown if isinstance(part, Prose) else getattr(part, "text", "") for part in parts)


@given(JSON)
def test_an_argument_is_shown_as_json_that_is_the_argument(value: Any) -> None:
    assert json.loads(exact(value)) == value


@given(JSON)
def test_all_of_an_argument_can_be_seen_and_stands_where_it_is_read(value: Any) -> None:
    shown = exact(value)
    assert "  " not in shown
    assert all(one == " " or unicodedata.category(one)[0] not in "CZ" for one in shown)
    assert not {unicodedata.bidirectional(one) for one in shown} & {"R", "AL", "RLO", "RLE", "RLI"}


@pytest.mark.parametrize("value", HOSTILE)
def test_no_argument_ends_its_line_or_makes_markup(value: str) -> None:
    lines = text(asked({"name": value})).splitlines()
    (mine,) = [one for one in lines if one.startswith(r"- \"name\"")]
    unescaped = mine.replace("\\\\", "").replace(r"\*", "").replace(r"\<", "").replace(r"\[", "").replace(r"\`", "")
    assert not set("*<[`") & set(unescaped)
    assert not [one for one in lines if one.startswith("#")]
    assert not [one for one in lines if "Approved" in one and one != mine]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_name_of_an_argument_makes_markup_either(value: str) -> None:
    items = [len([one for one in text(asked({name: 1})).splitlines() if "- " in one]) for name in (value, "name")]
    assert items == [2, 2]


def test_every_call_and_every_item_of_a_list_has_a_line() -> None:
    shown = text(asked({"names": ["a", "b"]}, {"name": "c", "force": True}))
    items = [line.strip() for line in shown.splitlines() if line.lstrip().startswith("- ")]
    assert items[:5] == [
        r"- \"names\"\: \[2\]",
        r"- \"a\"",
        r"- \"b\"",
        r"- \"name\"\: \"c\"",
        r"- \"force\"\: true",
    ]
    assert shown.count("far\\_delete on the server far") == 2


def test_a_card_stays_small_and_the_file_has_everything() -> None:
    many = asked({"names": [f"cluster-{n}" for n in range(500)]}, {"name": "x" * 5_000})
    assert len(text(many)) < 3 * (SHOWN + LINE)
    file = whole_file(many, ENGLISH)
    assert file is not None
    (part,) = file.parts
    assert isinstance(part, File)
    told = json.loads(part.content)
    assert [one["arguments"] for one in told["calls"]] == [dict(one.arguments) for one in many.proposals]
    assert told["hash"] == many.digest


def test_what_fits_a_card_needs_no_file() -> None:
    assert whole_file(asked({"name": "prod-1"}), ENGLISH) is None


def test_a_line_that_is_cut_is_told() -> None:
    shown = asked({"name": "x" * (LINE + 1)})
    assert any("1 lines" in part.text for part in card(shown, "Ann", ENGLISH).parts if isinstance(part, Note))


@pytest.mark.parametrize("length", [LINE - 40, LINE + 1, 10 * LINE])
def test_a_line_is_shown_whole_or_ends_in_a_mark_of_what_is_missing(length: int) -> None:
    (shown,) = (line for line in text(asked({"name": "x" * length})).splitlines() if "xxx" in line)
    assert (f"{'x' * length}" in shown) is (length < LINE)
    assert shown.rstrip(" `\\").endswith("…") is (length > LINE)
    assert len(shown) <= LINE + 20


@pytest.mark.parametrize(
    ("locale", "until"),
    [(ENGLISH, "2026-11-20 12:30 UTC"), (Locale("zh", ZoneInfo("Asia/Shanghai")), "2026-11-20 20:30 CST")],
)
def test_a_card_that_waits_says_until_when_and_for_what(locale: Locale, until: str) -> None:
    shown = asked({"name": "prod-1"})
    (note,) = [part.text for part in card(shown, "Ann", locale).parts if isinstance(part, Note)]
    assert until in note
    assert shown.id in note
    assert shown.digest[:16] in note


def test_the_buttons_carry_the_hash_of_what_is_shown() -> None:
    shown = asked({"name": "prod-1"})
    (actions,) = [part for part in card(shown, "Ann", ENGLISH).parts if isinstance(part, Actions)]
    values = {one.value for one in actions.buttons if isinstance(one, Button)}
    assert values == {approval(shown.id, shown.digest)}
    assert approval_of(values.pop()) == (shown.id, shown.digest[:32])
    assert asked({"name": "prod-2"}).digest != shown.digest


@pytest.mark.parametrize("state", ["approved", "declined", "expired", "withdrawn"])
def test_a_decided_card_has_no_buttons_and_says_what_was_decided(state: str) -> None:
    decided = asked({"name": "prod-1"}, state=state, by="U2", name="Bob *the* owner", decided_at=NOON)
    parts = card(decided, "Ann", Locale("zh", ZoneInfo("Asia/Shanghai"))).parts
    assert not [part for part in parts if isinstance(part, Actions)]
    heading = next(part.text for part in parts if isinstance(part, Heading))
    assert "2026-11-20 20:00 CST" in heading
    assert r"prod\-1" in text(decided)


@pytest.mark.parametrize(("fate", "told"), [("done", "(done)"), ("failed", "(failed)"), ("unknown", "unknown")])
def test_a_call_says_what_became_of_it(fate: str, told: str) -> None:
    assert told in text(asked({"name": "prod-1"}, state="approved", fates={"c0": fate}))


@pytest.mark.parametrize("value", ["", "x:y", "0" * 16, f"{'0' * 16}:{'g' * 32}", f"{'0' * 16}:{'0' * 32}\n", "[" * 9])
def test_the_value_of_another_button_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="approval"):
        approval_of(value)
