"""Calls to Lark: the token that they carry, the limits that they keep, and what is tried again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.lark import api as calls
from bot.lark.api import LarkApi
from bot.lark.faults import LarkRefusal
from handlers.faults import AccessEnded, SurfaceAway
from handlers.surface import SurfaceError
from tests.bot.lark.conftest import Time, config
from tests.fakes.lark import FakeLark, Scripted

INFO = "/open-apis/bot/v3/info"
MESSAGES = "/open-apis/im/v1/messages"


@pytest.fixture
async def api(lark: FakeLark, time: Time) -> AsyncIterator[LarkApi]:
    api = LarkApi(config(lark), clock=time.clock, sleep=time.sleep)
    yield api
    await api.close()


def said(text: str = '{"text": "hi"}', uuid: str = "u-1") -> dict[str, str]:
    return {"receive_id": "oc_ops", "msg_type": "text", "content": text, "uuid": uuid}


async def posted(api: LarkApi, **body: str) -> str:
    told = await api.call(
        "POST", MESSAGES, said() | body, params={"receive_id_type": "chat_id"}, budget="message", place="oc_ops"
    )
    return str(told["message_id"])


async def test_one_token_serves_many_calls_also_those_that_begin_together(lark: FakeLark, api: LarkApi) -> None:
    await asyncio.gather(*(api.call("GET", INFO) for _ in range(10)))
    assert len(lark.tokens) == 1


async def test_a_token_is_replaced_before_it_runs_out(lark: FakeLark, api: LarkApi, time: Time) -> None:
    await api.call("GET", INFO)
    time.now += lark.expire - calls.EARLY - 1
    await api.call("GET", INFO)
    assert len(lark.tokens) == 1
    time.now += 2
    await api.call("GET", INFO)
    assert len(lark.tokens) == 2


async def test_a_token_that_lark_took_away_is_replaced_at_once(lark: FakeLark, api: LarkApi) -> None:
    await api.call("GET", INFO)
    lark.tokens.append("another one")
    await api.call("GET", INFO)
    assert len(lark.tokens) == 3


async def test_an_app_that_is_refused_is_told_so_and_its_secret_is_not(lark: FakeLark, api: LarkApi) -> None:
    lark.secret = "another one"
    with pytest.raises(AccessEnded, match="LARK_APP_SECRET") as told:
        await api.call("GET", INFO)
    assert "the-app-secret" not in str(told.value)


async def test_a_scope_that_is_missing_is_named(lark: FakeLark, api: LarkApi) -> None:
    lark.scopes -= {"im:message", "im:message:send_as_bot"}
    with pytest.raises(LarkRefusal, match="one of im:message, im:message:send_as_bot") as told:
        await posted(api)
    assert told.value.scopes == ("im:message", "im:message:send_as_bot")


async def test_a_call_that_never_reached_lark_is_made_again(time: Time, lark: FakeLark) -> None:
    lark.domain = "http://127.0.0.1:1"
    nowhere = LarkApi(config(lark), clock=time.clock, sleep=time.sleep)
    with pytest.raises(SurfaceAway, match="could not be reached"):
        await nowhere.call("GET", INFO)
    assert time.slept == [1.0]
    await nowhere.close()


async def test_a_reply_that_got_lost_is_asked_for_again_only_where_that_makes_no_double(
    lark: FakeLark, api: LarkApi
) -> None:
    await api.call("GET", INFO)
    lark.fail("messages.create", Scripted(lost=True))
    await posted(api)
    assert len(lark.posts) == 1
    lark.fail("reactions.create", Scripted(lost=True))
    with pytest.raises(SurfaceAway):
        reaction = {"reaction_type": {"emoji_type": "OnIt"}}
        await api.call("POST", f"{MESSAGES}/{lark.posts[0].id}/reactions", reaction)
    assert len(lark.reactions) == 1


async def test_a_page_instead_of_an_answer_is_no_answer(lark: FakeLark, api: LarkApi) -> None:
    await api.call("GET", INFO)
    lark.fail("bot.info", Scripted(status=502, html=True))
    with pytest.raises(SurfaceAway, match="HTTP 502"):
        await api.call("GET", INFO)


async def test_a_limit_without_a_time_is_waited_a_second_and_one_too_long_not_at_all(
    lark: FakeLark, api: LarkApi, time: Time
) -> None:
    lark.fail("messages.create", Scripted(99991400, "limit", 400))
    await posted(api)
    assert time.slept == [1.0]
    lark.fail("messages.create", Scripted(99991400, "limit", 429, {"x-ogw-ratelimit-reset": "45"}))
    with pytest.raises(SurfaceAway) as told:
        await posted(api, uuid="u-2")
    assert told.value.retry_after == 45
    assert time.slept == [1.0]


async def test_after_three_limits_in_a_row_the_caller_is_told(lark: FakeLark, api: LarkApi) -> None:
    lark.fail("messages.create", *[Scripted(230020, "limit", 400)] * 3)
    with pytest.raises(SurfaceAway):
        await posted(api)
    assert len(lark.called("messages.create")) == 3


async def test_messages_of_one_chat_never_pass_five_in_a_second(lark: FakeLark, api: LarkApi, time: Time) -> None:
    moments = []
    for number in range(20):
        await posted(api, uuid=f"u-{number}")
        moments.append(time.now)
    for first, sixth in zip(moments, moments[5:], strict=False):
        assert sixth - first >= 1


async def test_an_address_in_an_error_has_no_ids_in_it(lark: FakeLark, api: LarkApi) -> None:
    with pytest.raises(SurfaceError) as told:
        await api.call("DELETE", f"{MESSAGES}/om_12345")
    assert "om_12345" not in str(told.value)
