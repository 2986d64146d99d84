"""One table from the provider's errors to ours: by status, in a stream, and from a network that breaks."""

from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.claude_faults import NETWORK_FAULTS, from_event, from_exception, kind_of
from agent.errors import (
    ModelAuthentication,
    ModelBilling,
    ModelError,
    ModelOther,
    ModelOverloaded,
    ModelRateLimited,
    ModelStalled,
    ModelTooLong,
    ModelUnavailable,
)

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/messages")


@pytest.mark.parametrize(
    ("status", "kind", "code", "text", "found"),
    [
        (400, "invalid_request_error", "", "Your credit balance is too low", ModelBilling),
        (400, "invalid_request_error", "", "You have reached your specified API usage limits", ModelBilling),
        (400, "invalid_request_error", "", "prompt is too long: 212000 tokens", ModelTooLong),
        (400, "invalid_request_error", "", "input exceeds the context window", ModelTooLong),
        (400, "invalid_request_error", "", "messages.1: tool_use without tool_result", ModelOther),
        (400, "", "", "", ModelOther),
        (401, "authentication_error", "", "invalid x-api-key", ModelAuthentication),
        (402, "", "", "", ModelBilling),
        (403, "permission_error", "organization_on_hold", "no permission", ModelBilling),
        (403, "permission_error", "", "no permission", ModelAuthentication),
        (404, "not_found_error", "", "model: nope", ModelOther),
        (413, "request_too_large", "", "", ModelTooLong),
        (418, "", "", "", ModelOther),
        (429, "rate_limit_error", "", "slow down", ModelRateLimited),
        (429, "rate_limit_error", "enforced_spend_limit_reached", "slow down", ModelBilling),
        (500, "api_error", "", "", ModelUnavailable),
        (500, "something_new", "", "", ModelUnavailable),
        (529, "overloaded_error", "", "", ModelOverloaded),
        (503, "", "", "<html>", ModelUnavailable),
    ],
)
def test_an_error_is_told_by_code_then_sentence_then_type_then_status(
    status: int, kind: str, code: str, text: str, found: type[ModelError]
) -> None:
    assert kind_of(status, kind, code, text) is found


@given(st.integers(400, 599), st.text(max_size=30), st.text(max_size=30), st.text(max_size=80))
def test_every_error_has_a_branch_of_its_own_tree(status: int, kind: str, code: str, text: str) -> None:
    assert issubclass(kind_of(status, kind, code, text), ModelError)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"error": {"type": "overloaded_error", "message": "Overloaded"}}, ModelOverloaded),
        ({"error": {"type": "api_error", "message": "Internal"}}, ModelUnavailable),
        ({"error": {"type": "novel_error", "message": "?"}}, ModelUnavailable),
        ({"error": {"type": "invalid_request_error", "message": "credit balance"}}, ModelBilling),
        ({"error": {"type": "x", "details": {"error_code": "organization_on_hold"}}}, ModelBilling),
        ({"error": {}}, ModelUnavailable),
        ({"error": None}, ModelUnavailable),
        ({}, ModelUnavailable),
    ],
)
def test_an_error_inside_a_stream_is_told_by_its_event(event: dict[str, Any], found: type[ModelError]) -> None:
    assert type(from_event(event)) is found


def test_the_detail_of_an_error_has_an_end() -> None:
    assert len(str(from_event({"error": {"type": "api_error", "message": "x" * 100_000}}))) == 500


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (TimeoutError(), ModelStalled),
        (httpx2.ReadTimeout("slow", request=REQUEST), ModelStalled),
        (anthropic.APITimeoutError(REQUEST), ModelStalled),
        (httpx2.ConnectError("refused", request=REQUEST), ModelUnavailable),
        (httpx2.RemoteProtocolError("cut", request=REQUEST), ModelUnavailable),
        (anthropic.APIConnectionError(request=REQUEST), ModelUnavailable),
        (ConnectionResetError("reset"), ModelUnavailable),
        (OSError("no route"), ModelUnavailable),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), ModelUnavailable),
        (ValueError("no JSON"), ModelUnavailable),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else type(one).__name__,
)
def test_whatever_the_network_raises_is_a_fault_of_the_model(error: Exception, found: type[ModelError]) -> None:
    assert isinstance(error, NETWORK_FAULTS)
    assert type(from_exception(error)) is found


def test_a_fault_that_is_known_already_stays_as_it_is() -> None:
    known = ModelBilling("no money")
    assert from_exception(known) is known


def status_error(status: int, *, retry_after: str | None, message: str) -> anthropic.APIStatusError:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": message}}
    response = httpx2.Response(status, headers=headers, json=body, request=REQUEST)
    return anthropic.RateLimitError(message, response=response, body=body)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("0.5", 0.5), ("-1", None), ("inf", None), ("nan", None), ("soon", None), ("", None)],
)
def test_a_time_to_come_back_is_believed_when_it_is_one(header: str, seconds: float | None) -> None:
    assert from_exception(status_error(429, retry_after=header, message="slow")).retry_after == seconds


def test_a_limit_that_names_no_time_and_speaks_of_money_is_billing() -> None:
    assert type(from_exception(status_error(429, retry_after=None, message="spend limit reached"))) is ModelBilling
