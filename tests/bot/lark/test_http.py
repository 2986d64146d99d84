"""Lark's events over HTTP: only what Lark sealed, for us and just now, gets in; and it is answered as Lark wants."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.lark.http import BODY, build_http
from bot.lark.receiver import Receiver
from bot.lark.sealed import Seal, SealBroken
from handlers.surface import Deleted, Event, PatrolRequest, Press, Question, Stop
from tests.bot.lark.conftest import NOW, config
from tests.fakes.lark import APP, BOT, ENCRYPT_KEY, VERIFICATION, EncryptedDoor, FakeLark
from tests.fakes.lark.door import encrypted
from tests.fakes.lark.payloads import challenge, entered, event, menu, message, press, recalled


class Desk:
    """What the process takes in."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.acts: list[Any] = []
        self.noticed: list[tuple[str, str]] = []
        self.known: set[str] = set()
        self.asked: list[str] = []
        self.taken: object = True

    async def submit(self, event: Event) -> object:
        self.events.append(event)
        if isinstance(self.taken, Exception):
            raise self.taken
        return self.taken

    async def act(self, one: Any) -> object:
        self.acts.append(one)
        return None

    async def knows(self, thread: str) -> bool:
        self.asked.append(thread)
        return thread in self.known

    def heard(self, message: str, thread: str) -> None:
        self.noticed.append((message, thread))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def company() -> FakeLark:
    return FakeLark()


def receiver(desk: Desk) -> Receiver:
    return Receiver(APP, BOT, desk.submit, desk.act, desk, desk)


@pytest.fixture
async def door(desk: Desk, company: FakeLark) -> AsyncIterator[EncryptedDoor]:
    door = EncryptedDoor(build_http(config(company), receiver(desk), lambda: NOW), NOW)
    yield door
    await door.close()


async def test_a_mention_is_admitted_noticed_and_acknowledged(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    said = company.said("@_user_1 why?")
    answer = await door.event(message(said))
    assert (answer.status_code, answer.json()) == (200, {})
    [question] = desk.events
    assert isinstance(question, Question)
    assert desk.noticed == [(question.key, question.thread)]


async def test_a_reply_in_a_topic_of_ours_needs_no_mention_and_one_elsewhere_is_none_of_our_business(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    first = company.said("@_user_1 why?")
    reply = message(company.said("and now?", root=first.id), mentions=False)
    await door.event(reply)
    assert desk.events == []
    desk.known.add(f"lark:{APP}:oc_ops:{first.id}")
    await door.event(reply)
    assert len(desk.events) == 1
    await door.event(message(company.said("hello all"), mentions=False))
    assert len(desk.events) == 1
    # for what begins no topic of ours the database is not asked: groups may talk a lot
    assert set(desk.asked) == desk.known


async def test_a_message_to_us_alone_needs_no_mention(desk: Desk, door: EncryptedDoor, company: FakeLark) -> None:
    await door.event(message(company.said("hi", chat="oc_p2p_ou_anna"), mentions=False))
    assert len(desk.events) == 1


async def test_stop_patrol_recall_press_menu_and_welcome_go_where_they_belong(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    await door.event(message(company.said("@_user_1 stop")))
    await door.event(message(company.said("@_user_1 /patrol now")))
    await door.event(recalled(company.said("oh")))
    value = {"action": "go", "value": "v"}
    button = {"tag": "button", "behaviors": [{"type": "callback", "value": value}]}
    assert (await door.event(press(company.said("card"), button))).json() == {}
    await door.event(press(company.said("card"), button, tenant="tenant-2"))
    await door.event(menu("patrol_evening"))
    await door.event(menu("home"))
    await door.event(entered())
    assert [type(one) for one in desk.acts] == [Stop, Deleted, Press, Press, Press, Press]
    assert [type(one) for one in desk.events] == [PatrolRequest, PatrolRequest]


async def test_a_kind_that_nobody_waits_for_is_acknowledged_or_lark_would_send_it_again(
    desk: Desk, door: EncryptedDoor
) -> None:
    answer = await door.event(event("im.chat.updated_v1", {"chat_id": "oc_ops"}))
    assert (answer.status_code, desk.events, desk.acts) == (200, [], [])


async def test_what_cannot_be_admitted_is_not_acknowledged_and_the_reason_stays_with_us(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    desk.taken = RuntimeError("password of the database")
    answer = await door.event(message(company.said("@_user_1 why?")))
    assert answer.status_code == 500
    assert "password" not in answer.text


async def test_the_address_is_proved_to_lark_with_and_without_a_signature(door: EncryptedDoor) -> None:
    for headers in ({}, {"signature": ""}):
        answer = await door.event(challenge(), **headers)
        assert (answer.status_code, answer.json()) == (200, {"challenge": "challenge-1"})
    assert (await door.event(challenge("another token"))).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"key": "another key"},
        {"encrypted_with": "another key"},
        {"timestamp": str(NOW - 301)},
        {"timestamp": str(NOW + 301)},
        {"timestamp": ""},
        {"timestamp": "soon"},
        {"timestamp": "9" * 40},
    ],
)
async def test_a_request_whose_seal_does_not_hold_is_refused_with_nothing_said(
    desk: Desk, door: EncryptedDoor, company: FakeLark, headers: dict[str, str]
) -> None:
    answer = await door.event(message(company.said("@_user_1 why?")), **headers)
    assert (answer.status_code, answer.text) == (401, "invalid request")
    assert desk.events == []


async def test_a_request_that_is_a_little_late_or_early_is_taken(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    for moment in (NOW - 299, NOW + 299):
        await door.event(message(company.said("@_user_1 why?")), timestamp=str(moment))
    assert len(desk.events) == 2


async def test_a_payload_for_another_app_is_refused(desk: Desk, door: EncryptedDoor, company: FakeLark) -> None:
    payload = message(company.said("@_user_1 why?"))
    payload["header"]["token"] = "another"
    assert (await door.event(payload)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"encrypt": "%%"}', b'{"encrypt": ""}', b'{"encrypt": 1}'])
async def test_a_body_that_is_not_encrypted_is_refused(door: EncryptedDoor, body: bytes) -> None:
    assert (await door.send(body)).status_code == 401


async def test_a_plain_event_is_refused_even_when_it_is_signed(
    desk: Desk, door: EncryptedDoor, company: FakeLark
) -> None:
    body = json.dumps(message(company.said("@_user_1 why?"))).encode()
    assert (await door.send(body)).status_code == 401
    assert desk.events == []


async def test_a_body_without_end_is_read_no_further(door: EncryptedDoor) -> None:
    assert (await door.send(b"x" * (BODY + 1))).status_code == 413


@pytest.mark.parametrize("inner", [{}, {"message": None}, {"message": {}, "sender": []}])
async def test_a_sealed_payload_of_a_shape_that_nobody_knows_harms_nobody(
    door: EncryptedDoor, inner: dict[str, Any]
) -> None:
    assert (await door.event(event("im.message.receive_v1", inner))).status_code == 400


async def test_a_door_that_is_shut_sends_lark_elsewhere(desk: Desk, company: FakeLark) -> None:
    door = EncryptedDoor(build_http(config(company), receiver(desk), lambda: NOW, shut=lambda: True), NOW)
    assert (await door.event(message(company.said("@_user_1 why?")))).status_code == 503
    assert (await door.get("/healthz")).status_code == 503
    assert desk.events == []
    await door.close()


async def test_health_is_told_without_a_seal(door: EncryptedDoor) -> None:
    assert (await door.get("/healthz")).text == "ok"
    assert (await door.get("/lark/events")).status_code == 405


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"encrypt_key": None}, "LARK_ENCRYPT_KEY"),
        ({"encrypt_key": SecretStr("")}, "LARK_ENCRYPT_KEY"),
        ({"verification_token": None}, "LARK_VERIFICATION_TOKEN"),
    ],
)
def test_without_its_secrets_the_entrance_stays_shut(
    desk: Desk, company: FakeLark, more: dict[str, Any], name: str
) -> None:
    with pytest.raises(SettingsError, match=name):
        build_http(config(company, **more), receiver(desk))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200), signature=st.text(max_size=70), timestamp=st.text(max_size=15))
def test_no_request_at_all_gets_through_a_seal_or_breaks_it(body: bytes, signature: str, timestamp: str) -> None:
    headers = {"x-lark-signature": signature, "x-lark-request-timestamp": timestamp}
    with pytest.raises(SealBroken):
        Seal(ENCRYPT_KEY, VERIFICATION).opened(body, headers, NOW)


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=100), cut=st.integers(1, 64))
def test_ciphertext_that_decrypts_to_anything_is_refused_unless_it_is_the_proof_of_an_address(
    payload: bytes, cut: int
) -> None:
    for sealed in (encrypted(payload), encrypted(payload)[:-cut]):
        body = json.dumps({"encrypt": sealed}).encode()
        with pytest.raises(SealBroken):
            Seal(ENCRYPT_KEY, VERIFICATION).opened(body, {}, NOW)


def test_a_seal_without_a_key_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="encrypt key"):
        Seal("", VERIFICATION)
