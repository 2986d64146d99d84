"""Replies put together from events: only whole ones come out, whatever order or garbage goes in."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelUnavailable
from agent.stream import ReplyBuilder
from tests.fakes.messages_server.script import Say, Text, Thinking, ToolUse, events

SAY = Say((Thinking("hm"), Text("looking"), ToolUse("double", {"a": [1, {"b": "x"}]}, id="t1")))
WHOLE = [data for _, data in events(SAY, "m", "msg_1")]


DEEP = '{"a": ' + "[" * 5000 + "]" * 5000 + "}"


def built(sent: list[dict[str, Any]]) -> ReplyBuilder:
    builder = ReplyBuilder()
    for event in copy.deepcopy(sent):
        builder.take(event)
    return builder


def test_unknown_events_and_fields_are_passed_over() -> None:
    reply = built(WHOLE).reply()
    assert [sorted(block) for block in reply.content] == [
        ["signature", "thinking", "type"],
        ["text", "type"],
        ["id", "input", "name", "type"],
    ]
    assert reply.tool_calls[0]["input"] == {"a": [1, {"b": "x"}]}


def test_blocks_of_an_unknown_type_are_left_out() -> None:
    start = {"type": "content_block_start", "index": 9, "content_block": {"type": "novelty", "x": 1}}
    assert built([*WHOLE[:-2], start, *WHOLE[-2:]]).reply() == built(WHOLE).reply()


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_no_prefix_of_a_stream_is_a_reply(length: int) -> None:
    builder = built(WHOLE[:length])
    assert not builder.complete
    with pytest.raises(ModelUnavailable):
        builder.reply()


@pytest.mark.parametrize("lost", ["message_start", "message_delta", "message_stop"])
def test_a_reply_without_its_beginning_its_reason_or_its_end_is_none(lost: str) -> None:
    rest = [event for event in WHOLE if event["type"] != lost]
    assert len(rest) == len(WHOLE) - 1
    builder = built(rest)
    assert not builder.complete
    with pytest.raises(ModelUnavailable):
        builder.reply()


@pytest.mark.parametrize("reason", [None, ""])
def test_a_reason_that_says_nothing_is_no_reason_and_takes_none_back(reason: str | None) -> None:
    empty = {"type": "message_delta", "delta": {"stop_reason": reason}}
    without = [empty if event["type"] == "message_delta" else event for event in WHOLE]
    assert not built(without).complete
    again = [*WHOLE[:-1], empty, WHOLE[-1]]
    assert built(again).reply() == built(WHOLE).reply()


def test_arguments_given_at_the_start_of_a_block_are_taken() -> None:
    call = {"type": "tool_use", "id": "t", "name": "double", "input": {"a": 1}}
    sent = [
        WHOLE[0],
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_stop", "index": 0},
        *WHOLE[-2:],
    ]
    assert built(sent).reply().tool_calls == (call,)


@pytest.mark.parametrize(
    "text", ['{"a": ', "[1]", "7", "{'a': 1}", '{"a": 1} {"a": 2}', '{"a": NaN}', '{"a": 1e999}', DEEP]
)
def test_arguments_that_are_no_object_spoil_the_reply(text: str) -> None:
    delta = {"type": "input_json_delta", "partial_json": text}
    sent = [
        WHOLE[0],
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "d"}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        *WHOLE[-2:],
    ]
    with pytest.raises(ModelUnavailable):
        built(sent).reply()


@given(st.lists(st.integers(0, len(WHOLE) - 1), max_size=40))
def test_events_lost_or_in_disorder_never_give_half_a_call(order: list[int]) -> None:
    builder = ReplyBuilder()
    try:
        for index in order:
            builder.take(copy.deepcopy(WHOLE[index]))
        reply = builder.reply()
    except ModelUnavailable:
        return
    assert {0, len(WHOLE) - 2, len(WHOLE) - 1} <= set(order)
    assert all(isinstance(block["input"], dict) for block in reply.tool_calls)


def test_halves_of_a_character_are_joined_and_single_ones_replaced() -> None:
    say = Say((Text("disk \ud83d\ude00 \ud83d full"), ToolUse("double", {"name": "\ude00"}, id="t1")))
    reply = built([data for _, data in events(say, "m", "msg_1")]).reply()
    assert reply.text == "disk \U0001f600 � full"
    assert reply.tool_calls[0]["input"] == {"name": "�"}
    reply.text.encode()


def replaced(sent: list[dict[str, Any]], place: int, name: str, value: Any) -> list[dict[str, Any]]:
    """The events with every field `name` anywhere inside the one at `place` set to `value`, or left out."""

    def over(part: Any) -> Any:
        if isinstance(part, dict):
            kept = {key: over(item) for key, item in part.items() if key != name or value is not ...}
            return {key: value if key == name else item for key, item in kept.items()}
        return [over(item) for item in part] if isinstance(part, list) else part

    events = copy.deepcopy(sent)
    events[place % len(events)] = over(events[place % len(events)])
    return events


NAMES = ("type", "index", "id", "name", "text", "thinking", "signature", "delta", "content_block", "partial_json",
         "stop_reason", "usage", "model", "message", "input")  # fmt: skip
ODD = (..., None, 7, True, [], {}, ["x"], {"x": 1}, "", "\ud800", "tool_use", "text", "redacted_thinking", 1e308)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(NAMES), st.sampled_from(ODD)), min_size=1, max_size=3))
def test_events_with_odd_fields_give_a_sendable_reply_or_a_fault_that_is_known(
    changes: list[tuple[int, str, Any]],
) -> None:
    sent = WHOLE
    for place, name, value in changes:
        sent = replaced(sent, place, name, value)
    builder = ReplyBuilder()
    try:
        for event in sent:
            builder.take(event)
    except (ModelUnavailable, ValueError, KeyError, TypeError, AttributeError):
        return  # the client takes these of an event for a garbled stream
    try:
        reply = builder.reply()
    except ModelUnavailable:
        return  # and nothing else of the end
    for block in reply.content:
        assert isinstance(block.get("text", ""), str)
        if block["type"] == "tool_use":
            assert isinstance(block["input"], dict)
            assert all(isinstance(block[field], str) for field in ("id", "name"))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "name": "double", "input": {}},
        {"type": "tool_use", "id": "t", "input": {}},
        {"type": "tool_use", "id": 5, "name": "double"},
        {"type": "redacted_thinking"},
        {"type": "text", "text": ["x"]},
        {"type": ["text"]},
    ],
)
def test_a_block_that_no_request_could_carry_spoils_the_reply(block: dict[str, Any]) -> None:
    with pytest.raises(ModelUnavailable):
        built([WHOLE[0], {"type": "content_block_start", "index": 0, "content_block": block}, *WHOLE[-2:]]).reply()


def test_a_text_block_may_begin_without_its_text() -> None:
    sent = [
        WHOLE[0],
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "content_block_stop", "index": 0},
        *WHOLE[-2:],
    ]
    assert built(sent).reply().content == ({"type": "text", "text": "hello"},)
