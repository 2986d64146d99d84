"""Lark's side of events over HTTP: encrypted and signed requests to an app."""

import base64
import hashlib
import json
from typing import Any

import httpx2
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad
from starlette.applications import Starlette

from tests.fakes.lark.server import ENCRYPT_KEY


def encrypted(payload: bytes, key: str = ENCRYPT_KEY, iv: bytes = b"0123456789abcdef") -> str:
    """A payload as Lark encrypts it."""
    cipher = AES.new(hashlib.sha256(key.encode()).digest(), AES.MODE_CBC, iv)
    return base64.b64encode(iv + cipher.encrypt(pad(payload, AES.block_size))).decode()


def signed(payload: dict[str, Any], now: int) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request with a payload, made at `now`."""
    body = json.dumps({"encrypt": encrypted(json.dumps(payload).encode())}).encode()
    signature = hashlib.sha256(f"{now}nonce-1{ENCRYPT_KEY}".encode() + body).hexdigest()
    headers = {"X-Lark-Request-Timestamp": str(now), "X-Lark-Request-Nonce": "nonce-1", "X-Lark-Signature": signature}
    return body, headers | {"Content-Type": "application/json"}


class EncryptedDoor:
    """Posts to `/lark/events` of an app in this process, signed at `now` (seconds since the epoch)."""

    def __init__(self, app: Starlette, now: int) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://bot")
        self.now = now

    async def event(self, payload: dict[str, Any], **headers: str) -> httpx2.Response:
        """An event or callback, encrypted and signed."""
        key = headers.pop("encrypted_with", ENCRYPT_KEY)
        body = json.dumps({"encrypt": encrypted(json.dumps(payload).encode(), key)}).encode()
        return await self.send(body, **headers)

    async def send(self, body: bytes, **headers: str) -> httpx2.Response:
        """Any body. `timestamp`, `nonce`, `signature` and `key` override what a right request carries; an empty
        signature is left out."""
        timestamp = headers.pop("timestamp", str(self.now))
        nonce = headers.pop("nonce", "nonce-1")
        key = headers.pop("key", ENCRYPT_KEY)
        signed = hashlib.sha256((timestamp + nonce + key).encode() + body).hexdigest()
        signature = headers.pop("signature", signed)
        sent = {"content-type": "application/json", "x-lark-request-timestamp": timestamp}
        sent |= {"x-lark-request-nonce": nonce, "x-lark-signature": signature}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in (sent | headers).items() if value]
        return await self._client.post("/lark/events", content=body, headers=encoded)

    async def get(self, path: str) -> httpx2.Response:
        """A plain GET."""
        return await self._client.get(path)

    async def close(self) -> None:
        """Let go of the client."""
        await self._client.aclose()
