"""Reading of packets never waits for bytes that are not there."""

import asyncio
import struct
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ProtocolError
from sandbox.wire.packets import MAX_PACKET, PacketStream, Payload, WatchedReader, lenint, lenstr


class Sink(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return True


def stream_of(data: bytes) -> tuple[PacketStream, Sink]:
    loop = asyncio.get_running_loop()
    reader, sink = WatchedReader(), Sink()
    reader.feed_data(data)
    reader.feed_eof()
    writer = asyncio.StreamWriter(sink, asyncio.StreamReaderProtocol(reader), reader, loop)
    return PacketStream(reader, writer), sink


@given(st.integers(min_value=0, max_value=2**63))
def test_a_length_survives_the_wire(number: int) -> None:
    payload = Payload(lenint(number))
    assert payload.lenint() == number
    assert payload.left == 0


@given(st.binary(max_size=70_000))
def test_a_string_survives_the_wire(text: bytes) -> None:
    assert Payload(lenstr(text) + b"more").lenstr() == text


@given(st.binary(max_size=40), st.lists(st.sampled_from(["lenint", "lenstr", "until_zero"]), min_size=41, max_size=41))
def test_any_bytes_end_in_values_or_a_protocol_error(data: bytes, reads: list[str]) -> None:
    payload = Payload(data)
    with pytest.raises(ProtocolError):
        for read in reads:
            getattr(payload, read)()
    assert 0 <= payload.left <= len(data)


@given(st.binary(min_size=1, max_size=8))
def test_a_length_beyond_the_packet_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Payload(data).take(len(data) + 1)


async def test_a_message_of_two_frames_is_one_message() -> None:
    body = bytes(0xFFFFFF)
    stream, _ = stream_of(b"\xff\xff\xff\x00" + body + b"\x03\x00\x00\x01end")
    assert await stream.read(limit=1 << 25) == body + b"end"


async def test_a_message_over_the_limit_is_refused_before_it_is_read() -> None:
    stream, _ = stream_of(b"\xff\xff\xff\x00")
    with pytest.raises(ProtocolError, match="larger than allowed"):
        await stream.read(limit=1000)
    assert MAX_PACKET == 16 * 1024 * 1024


async def test_a_packet_that_breaks_off_is_a_protocol_error() -> None:
    stream, _ = stream_of(b"\x05\x00\x00\x00ab")
    with pytest.raises(ProtocolError, match="gone"):
        await stream.read()


async def test_a_long_message_is_written_in_frames_with_sequence_numbers() -> None:
    stream, sink = stream_of(b"")
    stream.write(bytes(0xFFFFFF) + b"x")
    await stream.flush()
    assert sink.written[:4] == b"\xff\xff\xff\x00"
    assert sink.written[4 + 0xFFFFFF :] == b"\x01\x00\x00\x01x"


async def test_a_message_of_exactly_one_frame_is_followed_by_an_empty_one() -> None:
    stream, sink = stream_of(b"")
    stream.write(bytes(0xFFFFFF))
    await stream.flush()
    assert sink.written[4 + 0xFFFFFF :] == b"\x00\x00\x00\x01"


async def test_a_vanished_client_is_noticed_while_nobody_reads() -> None:
    reader = WatchedReader()
    assert not reader.gone.is_set()
    reader.set_exception(ConnectionResetError())
    assert reader.gone.is_set()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.integers(1, 7))
async def test_messages_arrive_whole_however_the_network_cuts_them(messages: list[bytes], step: int) -> None:
    reader = WatchedReader()
    stream = PacketStream(reader, cast(asyncio.StreamWriter, None))
    sent = b"".join(struct.pack("<I", len(one))[:3] + bytes([n & 255]) + one for n, one in enumerate(messages))
    for start in range(0, len(sent), step):
        reader.feed_data(sent[start : start + step])
    reader.feed_eof()
    assert [await stream.read() for _ in messages] == messages
    with pytest.raises(ProtocolError):
        await stream.read()
