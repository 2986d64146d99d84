"""A card that changes in front of the reader: one card entity of CardKit, which streams text and is redrawn at last."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.lark.api import LarkApi
from bot.lark.faults import BAD_SEQUENCE, STREAM_CLOSED, LarkRefusal

log = structlog.get_logger()

CARDS = "/open-apis/cardkit/v1/cards"
CONVERT = f"{CARDS}/id_convert"

_EPOCH = 1_767_225_600.0
"""2026-01-01 UTC. Sequences count from here, five in a second, so that a process that takes over a card after a crash
begins above whatever the one before had reached; they end within 31 bits in 2039."""
_LEAP = 100_000


class Entity:
    """Every change of one card has a greater sequence number than all before it. `now` is in seconds since the
    epoch."""

    def __init__(self, api: LarkApi, card_id: str, now: Callable[[], float] = time.time) -> None:
        self._api = api
        self.card_id = card_id
        self._now = now
        self._sequence = 0

    @classmethod
    async def created(cls, api: LarkApi, card: Mapping[str, Any], now: Callable[[], float] = time.time) -> "Entity":
        """A new one, that can be sent in one message. Raises SurfaceError."""
        told = await api.call("POST", CARDS, {"type": "card_json", "data": json.dumps(card, ensure_ascii=False)})
        return cls(api, str(told["card_id"]), now)

    @classmethod
    async def of(cls, api: LarkApi, message_id: str, now: Callable[[], float] = time.time) -> "Entity":
        """The one that a message of ours holds. Raises SurfaceError when it holds none."""
        told = await api.call("POST", CONVERT, {"message_id": message_id})
        return cls(api, str(told["card_id"]), now)

    @property
    def content(self) -> str:
        """What a message is sent with to hold this card."""
        return json.dumps({"type": "card", "data": {"card_id": self.card_id}})

    async def stream(self, element_id: str, text: str) -> None:
        """Show all of a text so far in one component; what Lark has closed meanwhile is opened again. Raises
        SurfaceError."""
        path = f"{CARDS}/{self.card_id}/elements/{element_id}/content"
        try:
            await self._change("PUT", path, {"content": text})
        except LarkRefusal as refusal:
            if refusal.code not in STREAM_CLOSED:
                raise
            log.info("a card was closed by Lark and is opened again", card=self.card_id, code=refusal.code)
            await self._settings(streaming=True)
            await self._change("PUT", path, {"content": text})

    async def replace(self, card: Mapping[str, Any]) -> None:
        """Show another card in its place, for good. Raises SurfaceError."""
        await self._settings(streaming=False)
        data = json.dumps(card, ensure_ascii=False)
        await self._change("PUT", f"{CARDS}/{self.card_id}", {"card": {"type": "card_json", "data": data}})

    async def _settings(self, *, streaming: bool) -> None:
        settings = json.dumps({"config": {"streaming_mode": streaming}})
        await self._change("PATCH", f"{CARDS}/{self.card_id}/settings", {"settings": settings})

    async def _change(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        try:
            await self._once(method, path, body)
        except LarkRefusal as refusal:
            if refusal.code != BAD_SEQUENCE:
                raise
            # somebody was further: a process that was restarted faster than its clock had caught up
            self._sequence += _LEAP
            await self._once(method, path, body)

    async def _once(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        self._sequence = max(self._sequence + 1, int((self._now() - _EPOCH) * 5), 1)
        told = {**body, "sequence": self._sequence}
        await self._api.call(method, path, told, budget="card", place=self.card_id)
