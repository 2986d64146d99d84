"""Slack's side of the HTTP transport: signed requests to an app."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx2
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from tests.fakes.slack.server import SECRET


def signed_headers(body: bytes, now: int) -> dict[str, str]:
    """The headers of an event made at `now` (seconds since the epoch)."""
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=str(now), body=body) or ""
    stamped = {"x-slack-request-timestamp": str(now), "x-slack-signature": signature}
    return stamped | {"content-type": "application/json"}


class SignedDoor:
    """Posts to `/slack/events` of an app in this process, signed at `now` (seconds since the epoch)."""

    def __init__(self, app: Starlette, now: int) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://bot")
        self.now = now

    async def event(self, payload: dict[str, Any], **headers: str) -> httpx2.Response:
        """An event."""
        return await self.send(json.dumps(payload).encode(), "application/json", **headers)

    async def form(self, fields: dict[str, str]) -> httpx2.Response:
        """A command or an interaction."""
        return await self.send(urlencode(fields).encode(), "application/x-www-form-urlencoded")

    async def send(self, body: bytes, content_type: str = "application/json", **headers: str) -> httpx2.Response:
        """Any body. `timestamp`, `signature` and `secret` override what a right request carries."""
        timestamp = headers.pop("timestamp", str(self.now))
        verifier = SignatureVerifier(headers.pop("secret", SECRET))
        signature = headers.pop("signature", None)
        if signature is None:
            signature = verifier.generate_signature(timestamp=timestamp, body=body) or ""
        sent = {"content-type": content_type, "x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in (sent | headers).items()]
        return await self._client.post("/slack/events", content=body, headers=encoded)

    async def get(self, path: str) -> httpx2.Response:
        """A plain GET."""
        return await self._client.get(path)

    async def close(self) -> None:
        """Let go of the client."""
        await self._client.aclose()
