"""Lark's seal on a request: who may have sent it, when, and what is in it."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from Crypto.Cipher import AES
from Crypto.Util.Padding import unpad

FRESH = 300
"""Seconds that a request may be old, or ahead of our clock."""
_BLOCK = AES.block_size


class SealBroken(Exception):
    """A request that Lark did not send, did not send now, or did not send to us; the text is for our log."""


class Seal:
    """Checks and opens requests with the two secrets of the app's page. `encrypt_key` is never empty: without one
    Lark signs nothing, and anybody could send."""

    def __init__(self, encrypt_key: str, verification_token: str) -> None:
        if not encrypt_key:
            raise ValueError("requests without an encrypt key cannot be trusted")
        self._key = encrypt_key
        self._token = verification_token
        self._cipher_key = hashlib.sha256(encrypt_key.encode()).digest()

    def opened(self, body: bytes, headers: Mapping[str, str], now: float) -> Mapping[str, Any]:
        """The payload of a request at `now` (seconds since the epoch). The names of `headers` are in lower case. Raises
        SealBroken."""
        signature = headers.get("x-lark-signature")
        if signature is not None:
            self._check(signature, body, headers, now)
        payload = self._decrypted(body)
        # only this one kind comes unsigned, when the address is entered on the app's page; it does nothing
        if signature is None and payload.get("type") != "url_verification":
            raise SealBroken("not signed")
        told = payload.get("token") or (payload.get("header") or {}).get("token")
        if not hmac.compare_digest(str(told or "").encode(), self._token.encode()):
            raise SealBroken("the verification token is another one")
        return payload

    def _check(self, signature: str, body: bytes, headers: Mapping[str, str], now: float) -> None:
        timestamp, nonce = headers.get("x-lark-request-timestamp", ""), headers.get("x-lark-request-nonce", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise SealBroken("no timestamp")
        if abs(now - int(timestamp)) > FRESH:
            raise SealBroken("not fresh")
        wanted = hashlib.sha256((timestamp + nonce + self._key).encode() + body).hexdigest()
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise SealBroken("the signature does not hold")

    def _decrypted(self, body: bytes) -> Mapping[str, Any]:
        try:
            sealed = base64.b64decode(json.loads(body)["encrypt"], validate=True)
            cipher = AES.new(self._cipher_key, AES.MODE_CBC, sealed[:_BLOCK])
            payload = json.loads(unpad(cipher.decrypt(sealed[_BLOCK:]), _BLOCK))
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            raise SealBroken("not encrypted with our key") from None
        if not isinstance(payload, dict):
            raise SealBroken("no object")
        return payload
