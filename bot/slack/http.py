"""Slack's events over HTTP. Nothing is parsed before its signature holds, and bodies are bounded."""

import hmac
import json
from collections.abc import Callable
from time import time

import structlog
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import Clock, SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.slack.config import SlackConfig

log = structlog.get_logger()

BODY = 1024 * 1024
"""Bytes of a request that are read."""
SKEW = 300
"""Seconds that Slack's clock and ours may differ; the verifier refuses requests beyond it, as they may be replayed."""
TOLD_EVERY = 60.0
"""Seconds between two lines about a clock that is wrong."""


class _Now(Clock):
    """The verifier's clock, passed in."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class _Skew:
    """Tells of requests that Slack signed and only a clock speaks against: it is ours that is wrong then, or somebody
    plays an old request again; every event is refused until it is put right."""

    def __init__(self, secret: str, now: Callable[[], float]) -> None:
        self._signer = SignatureVerifier(secret, _Now(now))
        self._now = now
        self._told: float | None = None

    def tell(self, body: bytes, timestamp: str, signature: str) -> None:
        """Log it, at most once a minute."""
        now, skew = self._now(), self._now() - int(timestamp)
        right = self._signer.generate_signature(timestamp=timestamp, body=body) or ""
        if abs(skew) <= SKEW or not hmac.compare_digest(right, signature):
            return
        if self._told is None or abs(now - self._told) >= TOLD_EVERY:
            self._told = now
            log.error("a signed request is refused for its time: set this machine's clock", clock_skew=round(skew))


def build_http(
    config: SlackConfig, app: AsyncApp, now: Callable[[], float] = time, shut: Callable[[], bool] = lambda: False
) -> Starlette:
    """POST /slack/events for events, commands and buttons, GET /healthz. `now` gives seconds since the epoch. Once it
    is `shut` everything is answered with 503, so that Slack delivers again and a load balancer looks elsewhere.

    Raises SettingsError when there is no signing secret to check requests with.
    """
    if config.signing_secret is None or not config.signing_secret.get_secret_value().strip():
        raise SettingsError("SLACK_SIGNING_SECRET: is missing; events over HTTP cannot be trusted without it")
    verifier = SignatureVerifier(config.signing_secret.get_secret_value(), _Now(now))
    skew = _Skew(config.signing_secret.get_secret_value(), now)
    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        if shut():
            return _gone()
        body = await _bounded(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        if not _authentic(verifier, skew, request, body):
            return PlainTextResponse("invalid request", status_code=401)
        if not _readable(request, body):
            return PlainTextResponse("bad request", status_code=400)
        return await handler.handle(request)

    async def health(request: Request) -> Response:
        return _gone() if shut() else PlainTextResponse("ok")

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", health)])


def _gone() -> Response:
    return PlainTextResponse("stopping", status_code=503, headers={"retry-after": "5", "connection": "close"})


async def _bounded(request: Request) -> bytes | None:
    body = bytearray()
    # Counted as it comes: a content-length is only what the sender says of itself.
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            return None
    request._body = bytes(body)  # where Starlette itself keeps a body that was read; the adapter asks for it again
    return request._body


def _authentic(verifier: SignatureVerifier, skew: _Skew, request: Request, body: bytes) -> bool:
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    # the verifier raises on a timestamp that is no number and on letters outside ASCII
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
        return False
    try:
        if verifier.is_valid(body, timestamp, signature):
            return True
        skew.tell(body, timestamp, signature)
    except UnicodeDecodeError:
        pass  # no text, so nothing that Slack signed
    return False


def _readable(request: Request, body: bytes) -> bool:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return True
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
