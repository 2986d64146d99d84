"""Slack's events over HTTP. Nothing is parsed before its signature holds, and bodies are bounded."""

import json
from collections.abc import Callable
from time import time

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import Clock, SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.slack.config import SlackConfig

BODY = 1024 * 1024
"""Bytes of a request that are read."""


class _Now(Clock):
    """The verifier's clock, passed in."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


def build_http(config: SlackConfig, app: AsyncApp, now: Callable[[], float] = time) -> Starlette:
    """POST /slack/events for events, commands and buttons, GET /healthz. `now` gives seconds since the epoch.

    Raises SettingsError when there is no signing secret to check requests with.
    """
    if config.signing_secret is None or not config.signing_secret.get_secret_value().strip():
        raise SettingsError("SLACK_SIGNING_SECRET: is missing; events over HTTP cannot be trusted without it")
    verifier = SignatureVerifier(config.signing_secret.get_secret_value(), _Now(now))
    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        body = await _bounded(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        if not _authentic(verifier, request, body):
            return PlainTextResponse("invalid request", status_code=401)
        if not _readable(request, body):
            return PlainTextResponse("bad request", status_code=400)
        return await handler.handle(request)

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", health)])


async def _bounded(request: Request) -> bytes | None:
    body = bytearray()
    # Counted as it comes: a content-length is only what the sender says of itself.
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            return None
    request._body = bytes(body)  # where Starlette itself keeps a body that was read; the adapter asks for it again
    return request._body


def _authentic(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    # the verifier raises on a timestamp that is no number and on letters outside ASCII
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
        return False
    try:
        return bool(verifier.is_valid(body, timestamp, signature))
    except UnicodeDecodeError:
        return False


def _readable(request: Request, body: bytes) -> bool:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return True
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
