"""From the provider's errors to ours: one table, whether the error came as a status, in a stream or from the socket.

Running out of money has four shapes: status 402; status 400 that says so in its sentence alone, for credit and for a
limit set by oneself; status 429 with a spend code; and, at a tier's cap, status 429 that names no time to come back."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2

from agent.errors import (
    ModelAuthentication,
    ModelBilling,
    ModelError,
    ModelLimitReached,
    ModelOther,
    ModelOverloaded,
    ModelRateLimited,
    ModelStalled,
    ModelTooLong,
    ModelUnavailable,
)

_BY_TYPE: Mapping[str, type[ModelError]] = {
    "billing_error": ModelBilling,
    "authentication_error": ModelAuthentication,
    "permission_error": ModelAuthentication,
    "rate_limit_error": ModelRateLimited,
    "overloaded_error": ModelOverloaded,
    "api_error": ModelUnavailable,
    "timeout_error": ModelUnavailable,
    "request_too_large": ModelTooLong,
}
_BY_STATUS: Mapping[int, type[ModelError]] = {
    401: ModelAuthentication,
    402: ModelBilling,
    403: ModelAuthentication,
    408: ModelUnavailable,
    409: ModelUnavailable,
    413: ModelTooLong,
    429: ModelRateLimited,
    529: ModelOverloaded,
}
_SPEND_CODES = frozenset({
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "linked_organization_spend_limit_reached",
    "linked_organization_billing_unavailable",
    "organization_on_hold",
})  # fmt: skip
# Two conditions have nothing but their sentence to be told by.
_SPEND_WORDS = re.compile(r"credit balance|spend(ing)? limit|usage limits?|billing", re.IGNORECASE)
_LENGTH_WORDS = re.compile(r"prompt is too long|exceeds? the (maximum|context)", re.IGNORECASE)

NETWORK_FAULTS = (anthropic.AnthropicError, httpx2.HTTPError, OSError, asyncio.TimeoutError, ValueError)
"""All that reading a reply may raise, timeouts, broken encodings and unparsable events included."""


def kind_of(status: int, kind: str, code: str, text: str) -> type[ModelError]:
    """The branch of the tree for a provider's error. `status` is 200 for an error inside a stream."""
    # First of all, because the statuses and types that go with these codes say rate limit or permission.
    if code in _SPEND_CODES:
        return ModelBilling
    # Also before the tables: one type covers no money, too long, and a defect of ours.
    if status == 400 or kind == "invalid_request_error":
        if _SPEND_WORDS.search(text):
            return ModelBilling
        return ModelTooLong if _LENGTH_WORDS.search(text) else ModelOther
    if found := _BY_TYPE.get(kind) or _BY_STATUS.get(status):
        return found
    return ModelUnavailable if status >= 500 else ModelOther


def from_event(event: Mapping[str, Any]) -> ModelError:
    """The error for an `error` event in a stream that had begun well."""
    error = event.get("error") or {}
    kind, details = str(error.get("type", "")), error.get("details") or {}
    # A stream breaks off for reasons of the server's, so an unknown kind is worth another try.
    found = kind_of(500, kind, str(details.get("error_code", "")), str(error.get("message", "")))
    return found(f"error in stream: {kind}: {error.get('message', '')}"[:500])


def from_exception(error: BaseException) -> ModelError:
    """The error for whatever the SDK or its transport raised."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, anthropic.APIStatusError):
        return _from_status(error)
    if isinstance(error, anthropic.CredentialsError):
        return ModelAuthentication(f"{type(error).__name__}: {error}"[:500])
    if isinstance(error, (TimeoutError, httpx2.TimeoutException, anthropic.APITimeoutError)):
        return ModelStalled(f"{type(error).__name__}: nothing came in time")
    # Without a status there is only the network: refused, dropped, reset, stalled, or cut in the middle of an event.
    return ModelUnavailable(f"{type(error).__name__}: {error}"[:500])


def _from_status(error: anthropic.APIStatusError) -> ModelError:
    found = kind_of(error.status_code, error.type or "", error.error_code or "", error.api_message or error.message)
    retry_after = _seconds(error.response.headers.get("retry-after"))
    # A limit that passes says when; one that does not is a cap that somebody has to raise.
    if found is ModelRateLimited and retry_after is None:
        found = ModelBilling if _SPEND_WORDS.search(error.api_message or "") else ModelLimitReached
    detail = f"{error.status_code} {error.type} {error.error_code or ''} {error.request_id}: {error.api_message}"
    return found(detail[:500], retry_after=retry_after)


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header) if header else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
