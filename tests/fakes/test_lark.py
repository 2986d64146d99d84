"""The stand-in for Lark is strict: what Lark refuses, it refuses."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from tests.fakes.lark import APP, SECRET, FakeLark
from tests.fakes.lark.cards import problems
from tests.fakes.lark.state import pings

IM, KIT = "/open-apis/im/v1", "/open-apis/cardkit/v1"
CARD = {"schema": "2.0", "body": {"elements": [{"tag": "markdown", "content": "hi", "element_id": "md"}]}}
STREAMING = CARD | {"config": {"streaming_mode": True}}


class Clock:
    """Time that tests set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def lark(clock: Clock) -> AsyncIterator[FakeLark]:
    async with FakeLark(clock=clock).running() as lark:
        yield lark


class Caller:
    """Calls the stand-in as an app does; gives code and data."""

    def __init__(self, lark: FakeLark, client: httpx2.AsyncClient, clock: Clock) -> None:
        self._lark = lark
        self._client = client
        self._clock = clock

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        self._clock.now += more.pop("later", 2)
        token = more.pop("token", self._lark.tokens[-1] if self._lark.tokens else "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        told = await self._client.request(method, self._lark.domain + path, json=body, headers=headers, **more)
        answer = told.json()
        return answer["code"], answer.get("data") or {}

    async def posted(self, kind: str = "text", content: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
        body = {"receive_id": "oc_ops", "msg_type": kind, "content": json.dumps(content or {"text": "hi"})}
        later = {"later": more.pop("later")} if "later" in more else {}
        return await self("POST", f"{IM}/messages", body | more, params={"receive_id_type": "chat_id"}, **later)

    async def card(self, content: dict[str, Any]) -> str:
        _, told = await self("POST", f"{KIT}/cards", {"type": "card_json", "data": json.dumps(content)})
        return str(told["card_id"])


@pytest.fixture
async def call(lark: FakeLark, clock: Clock) -> AsyncIterator[Caller]:
    async with httpx2.AsyncClient() as client:
        caller = Caller(lark, client, clock)
        await caller("POST", "/open-apis/auth/v3/tenant_access_token/internal", {"app_id": APP, "app_secret": SECRET})
        yield caller


async def test_without_a_good_token_nothing_is_done(call: Caller, lark: FakeLark) -> None:
    assert (await call("GET", "/open-apis/bot/v3/info", token=""))[0] == 99991661
    assert (await call("GET", "/open-apis/bot/v3/info", token="t-0"))[0] == 99991663
    assert (await call("GET", "/open-apis/bot/v3/info"))[0] == 0


async def test_a_scope_that_was_not_granted_shuts_the_call(call: Caller, lark: FakeLark) -> None:
    lark.scopes.clear()
    assert (await call.posted())[0] == 99991672


async def test_unknown_addresses_and_arguments_are_refused(call: Caller) -> None:
    assert (await call("GET", "/open-apis/im/v2/messages"))[0] == 99991404
    assert (await call.posted(colour="red"))[0] == 99992402
    assert (await call("PATCH", f"{IM}/messages/om_1", {}))[0] == 99992402


async def test_a_message_goes_only_where_the_bot_is_and_the_form_is_right(call: Caller) -> None:
    assert (await call.posted())[0] == 0
    assert (await call.posted(receive_id="oc_elsewhere"))[0] == 230002
    assert (await call.posted("text", {"words": "hi"}))[0] == 230001
    assert (await call.posted("post", {"zh_cn": {"content": [[{"tag": "script"}]]}}))[0] == 230001
    assert (await call.posted("file", {"file_key": "file_9"}))[0] == 230001
    assert (await call.posted("sticker", {}))[0] == 230001
    assert (await call.posted("text", {"text": "x" * 160_000}))[0] == 230025
    assert (await call.posted(uuid="u" * 51))[0] == 230001


async def test_the_same_uuid_is_the_same_message(call: Caller, lark: FakeLark) -> None:
    first, second = await call.posted(uuid="u-1"), await call.posted(uuid="u-1")
    assert first == second
    assert len(lark.posts) == 1


async def test_a_chat_takes_five_messages_in_a_second_and_a_card_ten_changes(call: Caller) -> None:
    codes = [(await call.posted(later=0))[0] for _ in range(6)]
    assert codes == [0] * 5 + [230020]
    card = await call.card(STREAMING)
    codes = [(await streamed(call, card, n, later=0))[0] for n in range(1, 12)]
    assert codes == [0] * 10 + [99991400]


async def streamed(call: Caller, card: str, sequence: int, **more: Any) -> tuple[int, dict[str, Any]]:
    element = more.pop("element", "md")
    body = {"content": more.pop("content", "so far"), "sequence": sequence}
    return await call("PUT", f"{KIT}/cards/{card}/elements/{element}/content", body, **more)


async def test_a_card_streams_for_ten_minutes_in_growing_numbers_only(call: Caller) -> None:
    card = await call.card(STREAMING)
    assert (await streamed(call, card, 0))[0] == 300317
    assert (await streamed(call, card, 5))[0] == 0
    assert (await streamed(call, card, 5))[0] == 300317
    assert (await streamed(call, card, 6, element="other"))[0] == 300313
    assert (await streamed(call, card, 7, later=601))[0] == 300309
    settings = {"settings": json.dumps({"config": {"streaming_mode": True}}), "sequence": 8}
    assert (await call("PATCH", f"{KIT}/cards/{card}/settings", settings))[0] == 0
    assert (await streamed(call, card, 9))[0] == 0
    assert (await streamed(call, await call.card(CARD), 1))[0] == 300309


async def test_a_card_entity_is_sent_once_and_redrawn_by_its_own_interface(call: Caller, lark: FakeLark) -> None:
    card = await call.card(CARD)
    content = {"type": "card", "data": {"card_id": card}}
    code, sent = await call.posted("interactive", content)
    assert code == 0
    assert (await call.posted("interactive", content))[0] == 230099
    message = f"{IM}/messages/{sent['message_id']}"
    assert (await call("PATCH", message, {"content": json.dumps(CARD)}))[0] == 230001
    found = await call("POST", f"{KIT}/cards/id_convert", {"message_id": sent["message_id"]})
    assert found[1] == {"card_id": card}
    redrawn = {"card": {"type": "card_json", "data": json.dumps(CARD)}, "sequence": 1}
    assert (await call("PUT", f"{KIT}/cards/{card}", redrawn))[0] == 0
    assert (await call("PUT", f"{KIT}/cards/nothing", redrawn))[0] == 300302
    assert lark.posts[0].updates == 1


async def test_a_card_that_is_wrong_anywhere_is_refused_where_it_comes_in(call: Caller, lark: FakeLark) -> None:
    wrong = {"schema": "2.0", "body": {"elements": [{"tag": "img", "img_key": "img_9", "alt": text("a")}]}}
    assert problems(wrong) == []  # only the company knows its images
    assert (await call.posted("interactive", wrong))[0] == 230099
    code, sent = await call.posted("interactive", CARD)
    assert code == 0
    patched = {"content": json.dumps({"schema": "2.0", "body": {"elements": [{"tag": "blink"}]}})}
    assert (await call("PATCH", f"{IM}/messages/{sent['message_id']}", patched))[0] == 230099
    assert (await call("PATCH", f"{IM}/messages/{sent['message_id']}", {"content": "no json"}))[0] == 230001
    assert lark.posts[0].shows == CARD


async def test_messages_of_others_and_those_taken_back_cannot_be_touched(call: Caller, lark: FakeLark) -> None:
    theirs = lark.said("hi")
    assert (await call("DELETE", f"{IM}/messages/{theirs.id}"))[0] == 230026
    assert (await call("PATCH", f"{IM}/messages/{theirs.id}", {"content": json.dumps(CARD)}))[0] == 230027
    _, ours = await call.posted()
    assert (await call("DELETE", f"{IM}/messages/{ours['message_id']}"))[0] == 0
    assert (await call("GET", f"{IM}/messages/{ours['message_id']}"))[0] == 230011
    assert (await call("GET", f"{IM}/messages/om_nothing"))[0] == 231003


async def test_reactions_are_of_known_kinds_and_belong_to_their_message(call: Caller, lark: FakeLark) -> None:
    message = f"{IM}/messages/{lark.said('hi').id}/reactions"
    assert (await call("POST", message, {"reaction_type": {"emoji_type": "EYES"}}))[0] == 231001
    _, put = await call("POST", message, {"reaction_type": {"emoji_type": "OnIt"}})
    assert (await call("DELETE", f"{IM}/messages/om_9/reactions/{put['reaction_id']}"))[0] == 231011


@pytest.mark.parametrize(
    ("kind", "content", "texts", "notifies"),
    [
        ("text", {"text": "<at user_id='all'>"}, [], True),
        ("text", {"text": "&#60;at user_id='all'>"}, [], False),
        ("post", {"zh_cn": {"content": [[{"tag": "text", "text": "<at id=all>"}]]}}, [], False),
        ("post", {"zh_cn": {"content": [[{"tag": "at", "user_id": "all"}]]}}, [], True),
        ("post", {"zh_cn": {"content": [[{"tag": "md", "text": "<at id=all>"}]]}}, [], True),
        ("interactive", {}, ["so <at id=all></at>"], True),
        ("interactive", {}, ["so &#60;at id=all&#62;"], False),
    ],
)
def test_it_knows_what_notifies_people(kind: str, content: Any, texts: list[str], notifies: bool) -> None:
    assert pings(kind, content, texts) is notifies


def text(words: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": words}


def element(**properties: Any) -> dict[str, Any]:
    return {"schema": "2.0", "body": {"elements": [properties]}}


def callback() -> dict[str, Any]:
    return {"behaviors": [{"type": "callback", "value": {}}]}


BUTTON: dict[str, Any] = {"tag": "button", "text": text("Go"), **callback()}
OPTIONS = [{"text": text("a"), "value": "1"}]


@pytest.mark.parametrize(
    "card",
    [
        element(tag="markdown", content=1),
        element(tag="div"),
        element(tag="div", text=text("")),
        element(tag="column_set", columns=[]),
        element(tag="column_set", columns=[{"tag": "column", "elements": []}]),
        element(
            tag="column_set", columns=[{"tag": "column", "elements": [{"tag": "table", "columns": [], "rows": []}]}]
        ),
        element(tag="table", columns=[{"name": "a", "data_type": "text"}], rows=[{"b": "1"}]),
        element(tag="table", columns=[{"name": "a", "data_type": "text"}], rows=[{"a": 1}]),
        element(tag="table", columns=[{"name": "a", "data_type": "blob"}], rows=[]),
        element(tag="chart", chart_spec={"type": "radar", "data": {"values": []}}),
        element(tag="chart", chart_spec={"type": "line", "data": []}, aspect_ratio="3:2"),
        element(**(BUTTON | {"type": "loud"})),
        element(**(BUTTON | {"behaviors": [{"type": "callback", "value": "text"}]})),
        element(**(BUTTON | {"form_action_type": "submit"})),
        element(**(BUTTON | {"text": text("x" * 151)})),
        element(tag="select_static", placeholder=text("a"), options=[], **callback()),
        element(tag="select_static", placeholder=text("a"), options=OPTIONS * 2, **callback()),
        element(tag="select_static", placeholder=text("a"), options=OPTIONS, required=True, **callback()),
        element(tag="form", name="f", elements=[{"tag": "input", "max_length": 2_000, "name": "i"}]),
        element(tag="form", name="f", elements=[BUTTON]),
        element(tag="form", elements=[BUTTON | {"name": "s", "form_action_type": "submit"}]),
        {"schema": "2.0", "config": {"update_multi": False}},
        {"schema": "2.0", "header": {"title": "words"}},
        {"schema": "2.0", "body": {"elements": [], "colour": "red"}},
        "a card",
    ],
)
def test_a_card_of_a_form_that_lark_does_not_know_is_refused(card: Any) -> None:
    assert problems(card) != []


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        element(**BUTTON),
        element(tag="select_static", placeholder=text("a"), options=OPTIONS, **callback()),
        element(tag="form", name="f", elements=[BUTTON | {"name": "s", "form_action_type": "submit"}]),
        element(tag="table", columns=[{"name": "a", "data_type": "text"}], rows=[{"a": "1"}, {}]),
        {"schema": "2.0"},
    ],
)
def test_a_card_of_a_known_form_is_taken(card: Any) -> None:
    assert problems(card) == []


async def test_a_test_can_wait_for_what_the_stand_in_is_told(call: Caller, lark: FakeLark) -> None:
    seen: Callable[[], bool] = lambda: bool(lark.posts)  # noqa: E731  read more easily here
    with pytest.raises(TimeoutError):
        await lark.until(seen, 0.01)
    await call.posted()
    await lark.until(seen)
