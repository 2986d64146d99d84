"""Lark's events and card callbacks over HTTP. Nothing is acted on before its seal holds, and bodies are bounded."""

from collections.abc import Callable
from time import time

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.lark.config import LarkConfig
from bot.lark.receiver import Receiver
from bot.lark.sealed import Seal, SealBroken

log = structlog.get_logger()

BODY = 1024 * 1024
"""Bytes of a request that are read."""
PATH = "/lark/events"

_MALFORMED = (KeyError, TypeError, AttributeError, ValueError)


def build_http(
    config: LarkConfig, receiver: Receiver, now: Callable[[], float] = time, shut: Callable[[], bool] = lambda: False
) -> Starlette:
    """POST /lark/events for events and callbacks, GET /healthz. `now` gives seconds since the epoch. Once it is `shut`
    everything is answered with 503, so that Lark delivers again and a load balancer looks elsewhere.

    Raises SettingsError when there is no key or token to check requests with.
    """
    key = config.encrypt_key.get_secret_value() if config.encrypt_key else ""
    token = config.verification_token.get_secret_value() if config.verification_token else ""
    if not key or not token:
        missing = "LARK_VERIFICATION_TOKEN" if key else "LARK_ENCRYPT_KEY"
        raise SettingsError(f"{missing}: is missing; events over HTTP cannot be trusted without it")
    seal = Seal(key, token)

    async def events(request: Request) -> Response:
        if shut():
            return PlainTextResponse("going away", status_code=503)
        body = await _bounded(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        try:
            payload = seal.opened(body, request.headers, now())
        except SealBroken as broken:
            log.warning("a request was refused", why=str(broken))
            return PlainTextResponse("invalid request", status_code=401)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))})
        try:
            return JSONResponse(dict(await receiver.take(payload)))
        except _MALFORMED:
            log.exception("a delivery could not be read")
            return PlainTextResponse("bad request", status_code=400)

    async def health(request: Request) -> Response:
        return PlainTextResponse("going away", status_code=503) if shut() else PlainTextResponse("ok")

    return Starlette(routes=[Route(PATH, events, methods=["POST"]), Route("/healthz", health)])


async def _bounded(request: Request) -> bytes | None:
    body = bytearray()
    # counted as it comes: a content-length is only what the sender says of itself
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY:
            return None
    return bytes(body)
