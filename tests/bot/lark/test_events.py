"""Lark's payloads, one by one: what each becomes, and what becomes of nothing."""

import json

import pytest

from bot.lark import events
from bot.lark.transcript import order_of, words_of
from handlers.buttons import HOME, WELCOME
from handlers.surface import Deleted, PatrolRequest, Press, Question, Stop
from tests.fakes.lark import APP, BOT, FakeLark, Message
from tests.fakes.lark.payloads import BOT_MENTION, USER, entered, menu, message, press, recalled, text

CHAT = f"lark:{APP}:oc_ops"
BUTTON = {"tag": "button", "behaviors": [{"type": "callback", "value": {"action": "go", "value": "v"}}]}


@pytest.fixture
def company() -> FakeLark:
    return FakeLark()


def asked(said: Message, **more: object) -> Question | None:
    return events.question(message(said, **more), APP, BOT)


def test_a_mention_is_a_question_in_a_topic_of_its_own(company: FakeLark) -> None:
    said = company.said("@_user_1 why is prod-1 slow?")
    assert asked(said) == Question(
        f"{CHAT}:{said.id}", f"{CHAT}:{said.id}", USER, "why is prod-1 slow?", order_of(said.created)
    )
    assert events.mentions(message(said), BOT)


def test_a_reply_belongs_to_the_topic_of_the_first_message_whether_lark_names_it_or_not(company: FakeLark) -> None:
    first = company.said("@_user_1 why?")
    reply = company.said("and now?", root=first.id)
    question = asked(reply, mentions=False)
    assert question is not None
    assert (question.thread, question.key) == (f"{CHAT}:{first.id}", f"{CHAT}:{reply.id}")
    assert not events.mentions(message(reply, mentions=False), BOT)


def test_messages_sort_by_when_they_were_sent(company: FakeLark) -> None:
    first, second = asked(company.said("a")), asked(company.said("b"))
    assert first is not None
    assert second is not None
    assert first.order < second.order
    assert order_of(None) < order_of(9) < order_of(10)


def test_a_message_to_us_alone_is_direct(company: FakeLark) -> None:
    question = asked(company.said("hi", chat="oc_p2p_ou_anna"), mentions=False)
    assert question is not None
    assert question.direct


def test_other_people_who_are_mentioned_stay_readable(company: FakeLark) -> None:
    said = company.said("@_user_1 ask @_user_2 please")
    ben = {"key": "@_user_2", "id": {"open_id": "ou_ben"}, "name": "Ben"}
    payload = message(said)
    payload["event"]["message"]["mentions"] = [BOT_MENTION, ben]
    question = events.question(payload, APP, BOT)
    assert question is not None
    assert question.text == "ask @Ben please"


def test_a_mention_of_everybody_is_none_of_us(company: FakeLark) -> None:
    payload = message(company.said("@_all hello"))
    payload["event"]["message"]["mentions"] = [{"key": "@_all", "id": {"open_id": ""}, "name": "all"}]
    assert not events.mentions(payload, BOT)


@pytest.mark.parametrize("more", [{"sender_type": "app"}, {"tenant": "tenant-2"}, {"message_type": "image"}])
def test_bots_other_companies_and_pictures_are_passed_over(company: FakeLark, more: dict[str, str]) -> None:
    assert asked(company.said("hi"), **more) is None


def test_people_of_other_companies_may_ask_where_that_is_wanted(company: FakeLark) -> None:
    payload = message(company.said("hi"), tenant="tenant-2")
    assert events.question(payload, APP, BOT, shared_chats=True) is not None


def test_a_bare_mention_asks_for_help_and_a_very_long_text_says_that_it_was_cut(company: FakeLark) -> None:
    bare, long = asked(company.said("@_user_1")), asked(company.said("x" * 20_000))
    assert bare is not None
    assert long is not None
    assert bare.text == "help"
    assert long.text == "x" * events.LONGEST_QUESTION + " […the message goes on]"


def test_rich_text_is_read_paragraph_by_paragraph() -> None:
    content = {
        "title": "Look",
        "content": [
            [{"tag": "text", "text": "at "}, {"tag": "a", "text": "this"}],
            [{"tag": "at", "user_name": "Ben"}],
        ],
    }
    assert words_of("post", json.dumps(content)) == "Look\nat this\nBen"


@pytest.mark.parametrize("content", ["", "no json", "[1]", "null", "[" * 5000, '{"text": {"a": 1}}'])
def test_content_that_cannot_be_read_harms_nobody(content: str) -> None:
    assert isinstance(words_of("text", content), str)


def test_a_word_stops_and_a_typed_command_asks_for_a_patrol(company: FakeLark) -> None:
    for word in ("stop", "Stop!", "停止"):
        question = asked(company.said(f"@_user_1 {word}"))
        assert question is not None
        assert events.stop(question) == Stop(question.key, question.thread, USER)
    question = asked(company.said("@_user_1 /patrol morning please"))
    assert question is not None
    assert events.stop(question) is None
    assert events.typed_patrol(question) == PatrolRequest(question.key, CHAT, USER, "morning please")
    other = asked(company.said("/patrolling"))
    assert other is not None
    assert events.typed_patrol(other) is None


def test_a_recalled_message_is_known_by_its_key(company: FakeLark) -> None:
    said = company.said("never mind")
    place = f"{CHAT}:{said.id}"
    assert events.recalled(recalled(said), APP) == Deleted(place, place, "")


def test_a_press_says_what_was_pressed_where_and_by_whom(company: FakeLark) -> None:
    card = company.said("a card")
    where = f"{CHAT}:{card.id}"
    found = events.press(press(card, BUTTON), APP)
    assert found == Press(
        f"lark:action:{APP}:ev-3",
        "go",
        "v",
        USER,
        where,
        where,
        trigger="c-295ee57216a5dc9de90fefd0aadb4b1d7d",
        order=order_of("1766000000123"),
    )


def test_what_a_card_says_of_its_origin_counts_more_than_where_it_stands(company: FakeLark) -> None:
    value = {"action": "why", "value": "a-1", "thread": f"{CHAT}:om_7", "message": f"{CHAT}:om_8"}
    sent = {"tag": "button", "behaviors": [{"type": "callback", "value": value}]}
    form = {"why": "too slow", "kind": None}
    found = events.press(press(company.said("form"), sent, form_value=form, name="submit"), APP)
    assert isinstance(found, Press)
    assert (found.thread, found.message) == (f"{CHAT}:om_7", f"{CHAT}:om_8")
    assert found.entered == {"why": "too slow", "kind": ""}


def test_a_choice_from_a_menu_carries_what_was_chosen(company: FakeLark) -> None:
    value = {"action": "snooze"}
    chosen = {"tag": "select_static", "behaviors": [{"type": "callback", "value": value}]}
    found = events.press(press(company.said("card"), chosen, option="8h"), APP)
    assert isinstance(found, Press)
    assert (found.action, found.value) == ("snooze", "8h")


def test_the_stop_button_of_a_growing_card_stops(company: FakeLark) -> None:
    value = {"action": "stop", "value": "", "thread": f"{CHAT}:om_7"}
    stop = {"tag": "button", "behaviors": [{"type": "callback", "value": value}]}
    found = events.press(press(company.said("card"), stop), APP)
    assert found == Stop(f"lark:action:{APP}:ev-3", f"{CHAT}:om_7", USER)


@pytest.mark.parametrize("value", [None, "text", {}, {"other": 1}])
def test_a_press_of_nothing_of_ours_or_by_another_company_is_passed_over(company: FakeLark, value: object) -> None:
    foreign = {"tag": "button", "behaviors": [{"type": "callback", "value": value}]}
    assert events.press(press(company.said("card"), foreign), APP) is None
    assert events.press(press(company.said("card"), BUTTON, tenant="tenant-2"), APP) is None


def test_the_menu_asks_for_patrols_and_for_our_home() -> None:
    here = f"lark:{APP}:{USER}"
    assert events.menu(menu("patrol"), APP) == PatrolRequest(f"lark:menu:{APP}:ev-4", here, USER, "")
    asked_for = events.menu(menu("patrol_morning"), APP)
    assert isinstance(asked_for, PatrolRequest)
    assert asked_for.words == "morning"
    home = events.menu(menu("help"), APP)
    assert isinstance(home, Press)
    assert (home.action, home.message) == (HOME, "")
    assert events.menu(menu("somebody's"), APP) is None


def test_who_opens_our_chat_is_welcomed_under_one_key_always() -> None:
    first, again = events.entered(entered(), APP), events.entered(entered(event_id="ev-9"), APP)
    place = f"lark:{APP}:{USER}"
    home = Press(f"lark:welcome:{APP}:{USER}", HOME, "", USER, place, "")
    assert first == again == (home, Press(f"lark:prompts:{APP}:{USER}", WELCOME, "", USER, place, ""))


def test_what_a_fake_says_is_what_lark_says() -> None:
    assert json.loads(text("a")) == {"text": "a"}
    assert events.kind(menu("x")) == events.MENU
    assert events.kind({}) == events.event_id({}) == ""
