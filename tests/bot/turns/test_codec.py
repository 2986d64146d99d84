"""Events as they wait in the inbox: each is read back as it was, also by a version that knows fewer fields."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns.codec import event_json, event_of
from handlers import HANDLERS
from handlers.surface import Event, Investigate, PatrolRequest, Question

TEXT = st.text(max_size=40) | st.sampled_from(["", "slack:T:C:1.1", "\x00", "\u202e", "{}", "中文"])
EVENTS = st.one_of(
    st.builds(Question, TEXT, TEXT, TEXT, TEXT, TEXT, st.booleans()),
    st.builds(PatrolRequest, TEXT, TEXT, TEXT, TEXT),
    st.builds(Investigate, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT),
)


def kept(event: Event) -> Any:
    """The event as a database gives it back."""
    return json.loads(json.dumps(event_json(event)))


@given(EVENTS)
def test_any_event_is_read_back_as_it_was_taken_in(event: Event) -> None:
    assert event_of(kept(event)) == event


@given(EVENTS, st.dictionaries(st.text("abcdefg_", min_size=8, max_size=12), TEXT, min_size=1, max_size=3))
def test_fields_of_another_version_are_left_out(event: Event, more: dict[str, str]) -> None:
    assert event_of(kept(event) | more) == event


@pytest.mark.parametrize("kind", HANDLERS)
def test_an_event_of_before_a_field_was_added_has_the_fields_default(kind: type[Any]) -> None:
    needed = {one.name: f"a {one.name}" for one in fields(kind) if one.name in ("key", "thread", "channel", "user")}
    needed |= {one.name: "" for one in fields(kind) if one.name in ("text", "words", "cluster_id", "report_id")}
    assert event_of({"kind": kind.__name__, **needed}) == kind(**needed)


@pytest.mark.parametrize("record", [{}, {"kind": "Stop", "key": "k"}, {"kind": "object"}, {"kind": ""}])
def test_what_is_no_event_of_ours_is_no_event(record: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        event_of(record)
