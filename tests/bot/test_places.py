"""Places of both platforms as strings: read back as written, and seen alike by whoever reads a part of one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.admission import payers, place_of
from bot.caller import caller_in, reader_in
from bot.lark import place as lark
from bot.platforms import platform_of
from bot.slack import place as slack
from handlers.preferences import channel_of
from handlers.surface import Investigate, PatrolRequest, Question

IDS = st.from_regex(r"[A-Z][A-Z0-9]{2,10}", fullmatch=True)
STAMPS = st.from_regex(r"[0-9]{10}\.[0-9]{6}", fullmatch=True)
CHATS = st.from_regex(r"o[cu]_[a-z0-9]{4,30}", fullmatch=True)
MESSAGES = st.from_regex(r"om_[a-z0-9]{4,30}", fullmatch=True)
SLACK = st.builds(slack.Place, IDS, IDS, st.just("") | STAMPS)
LARK = st.builds(lark.Place, st.from_regex(r"cli_[a-z0-9]{4,16}", fullmatch=True), CHATS, st.just("") | MESSAGES)


@given(SLACK)
def test_a_place_on_slack_is_read_back_as_it_was_written(place: slack.Place) -> None:
    assert slack.parse(str(place)) == place


@given(LARK)
def test_a_place_on_lark_is_read_back_as_it_was_written(place: lark.Place) -> None:
    assert lark.parse(str(place)) == place
    assert place.kind == ("open_id" if place.chat.startswith("ou_") else "chat_id")


@given(st.text(max_size=30) | st.lists(st.text(max_size=6), max_size=5).map(":".join), st.sampled_from([slack, lark]))
def test_any_other_text_is_a_place_that_can_be_written_or_none(text: str, platform: Any) -> None:
    try:
        place = platform.parse(text)
    except ValueError as wrong:
        assert "not a place" in str(wrong)
        return
    assert str(place).split(":")[-1] == text.split(":")[-1]


NO_PLACES = ["", ":", "slack:T", "slack:T:C:", "slack::C", "slack:T:C:1:2", "terminal:a1", "lark:T"]


@pytest.mark.parametrize("text", [*NO_PLACES, "lark:T:C:1"])
def test_what_is_no_place_on_slack_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a place on Slack"):
        slack.parse(text)


@pytest.mark.parametrize(
    "text", [*NO_PLACES, "C123", "slack:T:C:1", "lark:a:b/c", "lark:a:oc_1:../x", "lark:a:oc_1:" + "x" * 81]
)
def test_what_is_no_place_on_lark_is_refused_before_it_stands_in_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="not a place on Lark"):
        lark.parse(text)


@given(SLACK | LARK, IDS)
def test_thread_channel_purse_and_principal_are_about_the_same_channel(place: Any, user: str) -> None:
    text = str(place)
    channel = place.channel if isinstance(place, slack.Place) else place.chat
    home = place.team if isinstance(place, slack.Place) else place.app
    surface = platform_of(text)
    assert channel_of(text) == f"{surface}:{home}:{channel}"
    assert channel_of(channel_of(text)) == channel_of(text)
    assert caller_in(text, user).principal == reader_in(channel_of(text), user)
    assert caller_in(text, user).principal.channel == channel
    paying = {one.scope: one.name for one in payers(Question("k", text, user, "fleet?"))}
    assert paying == {
        "user": f"{surface}:{home}:{user}",
        "channel": channel_of(text),
        "workspace": f"{surface}:{home}",
    }


@given(SLACK | LARK, IDS)
def test_every_kind_of_event_in_a_channel_goes_on_the_same_purses(place: Any, user: str) -> None:
    text = str(place)
    events = (
        Question("k", text, user, "x"),
        Investigate("k", text, user, "c", "R-1"),
        PatrolRequest("k", channel_of(text), user, "now"),
    )
    assert len({tuple(payers(event)) for event in events}) == 1
    assert {channel_of(place_of(event)) for event in events} == {channel_of(text)}
