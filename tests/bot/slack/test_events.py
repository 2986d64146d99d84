"""Payloads as events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import events
from bot.slack.events import LONGEST_QUESTION, words
from bot.slack.place import Place, parse
from handlers.surface import Deleted, Edited, PatrolRequest, Press, Question, Stop
from tests.fakes.slack import BOT, TEAM, Post
from tests.fakes.slack.payloads import USER, command, event, mention, message, press

TYPED = [
    (f"<@{BOT}> how is prod?", "how is prod?"),
    (f"how is <@{BOT}|starwatch> prod?", "how is  prod?"),
    ("ask <@U0BEN>", "ask @U0BEN"),
    ("in <#C0OPS|ops> and <!here> and <!subteam^S1|@dba>", "in #ops and @here and @@dba"),
    ("see <https://x.example/a|x.example/a>", "see https://x.example/a"),
    ("see <https://x.example/a|the graph>", "see the graph (https://x.example/a)"),
    ("mail <mailto:a@b.example|a@b.example>", "mail a@b.example"),
    ("p99 &gt; 3 &amp;&amp; disk &lt; 5", "p99 > 3 && disk < 5"),
    ("&amp;lt;!here&amp;gt;", "&lt;!here&gt;"),
    (f"<@{BOT}>", ""),
]


@pytest.mark.parametrize(("typed", "read"), TYPED)
def test_text_is_read_back_from_slacks_form(typed: str, read: str) -> None:
    assert words(typed, BOT) == read


@given(st.text())
def test_any_text_is_read_and_bounded(typed: str) -> None:
    assert len(words(typed * 50, BOT)) <= LONGEST_QUESTION + 30


def test_a_message_too_long_says_that_it_goes_on() -> None:
    assert words("x" * 50_000, BOT).endswith("[…the message goes on]")


def post(text: str = f"<@{BOT}> hello", thread_ts: str = "", channel: str = "C0OPS") -> Post:
    return Post(channel, "1766.24", text, [], thread_ts)


def test_a_mention_starts_a_thread_of_its_own() -> None:
    question = events.mention(mention(post()), BOT)
    assert question == Question(f"slack:{TEAM}:C0OPS:1766.24", f"slack:{TEAM}:C0OPS:1766.24", USER, "hello", "1766.24")


def test_mention_and_message_of_one_post_share_their_key() -> None:
    direct = post(channel="D0DIRECT")
    one, other = events.mention(mention(direct), BOT), events.message(message(direct), BOT)
    assert one is not None
    assert one == other


def test_a_mention_in_a_thread_stays_there() -> None:
    question = events.mention(mention(post(thread_ts="1700.1")), BOT)
    assert question is not None
    assert question.thread == f"slack:{TEAM}:C0OPS:1700.1"
    assert question.key == f"slack:{TEAM}:C0OPS:1766.24"


def test_a_mention_without_words_asks_for_help() -> None:
    question = events.mention(mention(post(f"<@{BOT}>")), BOT)
    assert question is not None
    assert question.text == "help"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_files_and_replies_shown_in_the_channel_are_spoken_too(subtype: str) -> None:
    assert events.message(message(post("look", thread_ts="1700.1"), subtype=subtype), BOT) is not None


def test_shared_channels_may_be_allowed() -> None:
    shared = mention(post(), user_team="T0STRANGER") | {"is_ext_shared_channel": True}
    assert events.mention(shared, BOT) is None
    assert events.mention(shared, BOT, shared_channels=True) is not None


def test_a_command_is_a_request_to_its_channel() -> None:
    asked = events.patrol(command(" weekly "))
    assert asked == PatrolRequest(f"slack:command:{TEAM}:13345.67890.abc", f"slack:{TEAM}:C0OPS", USER, "weekly")


STOPS = [("stop", True), ("Stop!", True), (f"<@{BOT}> cancel", True), ("stop the patrol", False), ("don't stop", False)]


@pytest.mark.parametrize(("typed", "wanted"), STOPS)
def test_one_word_ends_what_is_being_done_and_a_sentence_with_it_does_not(typed: str, wanted: bool) -> None:
    question = events.mention(mention(post(typed, thread_ts="1700.1")), BOT)
    assert question is not None
    asked = events.stop(question)
    assert (asked == Stop(question.key, f"slack:{TEAM}:C0OPS:1700.1", USER)) is wanted


def changed(before: str, after: str, **more: str) -> dict[str, Any]:
    said = {"user": USER, "ts": "1766.24", "thread_ts": "1700.1"}
    inner = {"type": "message", "subtype": "message_changed", "channel": "C0OPS", "ts": "1766.99"}
    return event(inner | {"message": said | {"text": after} | more, "previous_message": said | {"text": before}})


def test_a_changed_message_names_the_question_that_it_was() -> None:
    edited = events.correction(changed("disks?", f"<@{BOT}> memory?"), BOT)
    assert edited == Edited(f"slack:{TEAM}:C0OPS:1766.24", f"slack:{TEAM}:C0OPS:1700.1", USER, "memory?")


def test_a_link_that_unfolds_or_a_change_of_a_bot_is_no_change() -> None:
    assert events.correction(changed("same", "same"), BOT) is None
    assert events.correction(changed("a", "b", bot_id="B1"), BOT) is None
    assert events.correction(message(post()), BOT) is None


def test_a_deleted_message_names_the_question_that_it_was() -> None:
    inner = {"type": "message", "subtype": "message_deleted", "channel": "C0OPS", "ts": "1", "deleted_ts": "1766.24"}
    deleted = events.correction(event(inner | {"previous_message": {"user": USER}}), BOT)
    assert deleted == Deleted(f"slack:{TEAM}:C0OPS:1766.24", f"slack:{TEAM}:C0OPS:1766.24", USER)


def test_a_button_is_answered_in_the_thread_of_its_message() -> None:
    element: dict[str, Any] = {"action_id": "investigate", "value": '{"report":"R-1","cluster":"0000-1"}'}
    thread = f"slack:{TEAM}:C0OPS:1700.1"
    key = f"slack:action:{TEAM}:C0OPS:1766.24:1766000099.1"
    pressed = events.press(press(post(thread_ts="1700.1"), element))
    message = f"slack:{TEAM}:C0OPS:1766.24"
    trigger = "13345.67890.def"
    order = "1766000099.1"
    assert pressed == Press(key, "investigate", element["value"], USER, thread, message, trigger, order=order)


def test_the_same_action_twice_in_a_row_and_a_menu_are_read_alike() -> None:
    option = {"text": {"type": "plain_text", "text": "8 h"}, "value": "8h"}
    pressed = events.press(press(post(), {"action_id": "snooze:3", "selected_option": option}))
    assert pressed is not None
    assert (pressed.action, pressed.value) == ("snooze", "8h")


def test_a_stranger_in_a_shared_channel_presses_nothing() -> None:
    assert events.press(press(post(), {"action_id": "investigate", "value": "x"}, team="T0STRANGER")) is None


def test_a_button_on_the_home_tab_answers_to_its_person_alone() -> None:
    body = press(post(), {"action_id": "snooze", "value": "x"})
    del body["message"], body["channel"]
    pressed = events.press(body)
    assert pressed is not None
    assert (pressed.thread, pressed.message) == (f"slack:{TEAM}:{USER}", "")


SENT = {
    "type": "view_submission",
    "team": {"id": TEAM, "domain": "ops"},
    "user": {"id": USER, "team_id": TEAM},
    "view": {
        "id": "V1",
        "hash": "h1",
        "callback_id": "feedback",
        "private_metadata": '{"value":"q","thread":"slack:T0TEAM:C0OPS:1.1","message":"slack:T0TEAM:C0OPS:1.2"}',
        "state": {
            "values": {
                "why": {"why": {"type": "plain_text_input", "value": "it is wrong"}},
                "kind": {"kind": {"type": "static_select", "selected_option": {"value": "number"}}},
                "more": {"more": {"type": "plain_text_input", "value": None}},
                "person": {"person": {"type": "users_select", "selected_user": "U0ANNA"}},
                "nobody": {"nobody": {"type": "users_select", "selected_user": None}},
            }
        },
    },
}


def test_a_dialog_that_was_sent_says_where_it_came_from_and_what_was_entered() -> None:
    sent = events.submission(SENT)
    assert sent is not None
    assert (sent.action, sent.value, sent.thread, sent.message) == (
        "feedback",
        "q",
        "slack:T0TEAM:C0OPS:1.1",
        "slack:T0TEAM:C0OPS:1.2",
    )
    entered = {"why": "it is wrong", "kind": "number", "more": "", "person": "U0ANNA", "nobody": ""}
    assert sent.entered == entered


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"value":"q"}', "null"])
def test_a_dialog_that_is_none_of_ours_is_passed_over(metadata: str) -> None:
    assert events.submission(SENT | {"view": SENT["view"] | {"private_metadata": metadata}}) is None  # type: ignore[operator]


def test_opening_our_home_or_the_conversation_with_us_is_a_press() -> None:
    opened = event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "home"}, "Ev7")
    pressed = events.opened(opened)
    assert pressed == Press("slack:home:Ev7", "home", "", USER, f"slack:{TEAM}:{USER}", "")
    alone = events.opened(event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "messages"}, "Ev8"))
    assert alone == Press("slack:welcome:Ev8", "welcome", "", USER, f"slack:{TEAM}:D1", "")
    assert events.opened(event({"type": "app_home_opened", "user": USER, "channel": "D1", "tab": "about"})) is None


def test_slacks_own_stop_button_stops_its_thread() -> None:
    inner = {"type": "agent_session_stopped", "channel": "C0OPS", "user": USER, "thread_ts": "1.1", "event_ts": "2"}
    halted = events.halted(event(inner | {"streaming_message_ts": []}, "Ev9"))
    assert halted == Stop("slack:halted:Ev9", f"slack:{TEAM}:C0OPS:1.1", USER)


ID = st.text(st.characters(exclude_characters=":", exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(ID, ID, ID)
def test_a_place_comes_back_from_its_text(team: str, channel: str, ts: str) -> None:
    assert parse(str(Place(team, channel, ts))) == Place(team, channel, ts)
    assert parse(str(Place(team, channel))) == Place(team, channel)
