"""Server-sent events out of bytes: the same events wherever the network cuts, and an end to what has none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelUnavailable
from agent.sse import MOST_BYTES, Events

STREAM = (
    b'event: message_start\ndata: {"type": "message_start"}\n\n'
    b": a comment\n\n"
    b"event: ping\r\ndata: {}\r\n\r\n"
    b"data:one\ndata: two\n\n"
    b'event: content_block_delta\nid: 7\ndata: {"text": "\xe4\xb8\xad"}\n\n'
)
EVENTS = [
    ("message_start", b'{"type": "message_start"}'),
    ("ping", b"{}"),
    ("", b"one\ntwo"),
    ("content_block_delta", b'{"text": "\xe4\xb8\xad"}'),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    events, edges = Events(), [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]
    assert [event for chunk in chunks for event in events.take(chunk)] == EVENTS


def test_an_event_that_has_not_ended_is_none_yet() -> None:
    events = Events()
    assert list(events.take(b"event: ping\ndata: {}\n")) == []
    assert list(events.take(b"\n")) == [("ping", b"{}")]


@given(st.binary(max_size=200))
def test_no_bytes_of_a_server_break_the_reading(data: bytes) -> None:
    for name, content in Events().take(data + b"\n\n"):
        assert isinstance(name, str)
        assert b"\r\n" not in content


@pytest.mark.parametrize("line", [b"data: " + b"x" * 2**20 + b"\n", b"x" * 2**20], ids=["many lines", "one line"])
def test_an_event_without_an_end_is_given_up(line: bytes) -> None:
    events = Events()
    with pytest.raises(ModelUnavailable, match="too long"):
        for _ in range(MOST_BYTES // 2**20 + 1):
            assert list(events.take(line)) == []
