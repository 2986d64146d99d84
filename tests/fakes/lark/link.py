"""The far end of Lark's long connection: frames of its protocol over a web socket."""

import asyncio
import base64
import json
from typing import Any

from aiohttp import WSMsgType, web
from lark_oapi.ws.pb.pbbp2_pb2 import Frame

from tests.fakes.lark.server import FakeLark


class Link:
    """Serves the connections of a fake. `closed` counts those that the app ended with a close frame."""

    def __init__(self, lark: FakeLark) -> None:
        self._lark = lark
        self.sockets: list[web.WebSocketResponse] = []
        self.acks: dict[str, dict[str, Any]] = {}
        self.pings = 0
        self.closed = 0
        lark.link = self._serve

    async def deliver(self, payload: dict[str, Any], message_id: str = "m-1", *, parts: int = 1) -> None:
        """Send a payload in so many frames over the newest connection."""
        await self._lark.until(lambda: bool(self.sockets) and not self.sockets[-1].closed)
        raw = json.dumps(payload).encode()
        size = -(-len(raw) // parts)
        for number in range(parts):
            frame = Frame()
            frame.SeqID, frame.LogID, frame.service, frame.method = 1, 1, 7, 1
            headers = {"type": "event", "message_id": message_id, "sum": str(parts), "seq": str(number)}
            for key, value in (headers | {"trace_id": "t-1"}).items():
                header = frame.headers.add()
                header.key, header.value = key, value
            frame.payload = raw[number * size : (number + 1) * size]
            await self.sockets[-1].send_bytes(frame.SerializeToString())

    async def acknowledged(self, message_id: str = "m-1") -> dict[str, Any]:
        """What the app answered to a delivery: `code`, and `data` decoded."""
        await self._lark.until(lambda: message_id in self.acks)
        return self.acks[message_id]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await self._lark.changed()
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await self._heard(message.data)
        self.closed += socket.close_code == 1000
        await self._lark.changed()
        return socket

    async def _heard(self, data: bytes) -> None:
        frame = Frame()
        frame.ParseFromString(data)
        headers = {header.key: header.value for header in frame.headers}
        if frame.method == 0:
            self.pings += headers["type"] == "ping"
        else:
            told = json.loads(frame.payload)
            encoded = told.get("data")
            told["data"] = json.loads(base64.b64decode(encoded)) if encoded else None
            self.acks[headers["message_id"]] = told
        await self._lark.changed()


async def drop(link: Link) -> None:
    """End the newest connection from Lark's side."""
    socket = link.sockets[-1]
    await socket.close(code=1012)
    await asyncio.sleep(0)
