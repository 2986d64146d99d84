"""What Slack needs to be reached, and the Web API client made from it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import ClientConnectorError
from pydantic import SecretStr
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

Sleep = Callable[[float], Awaitable[None]]

LONGEST_WAIT = 30
"""Seconds that a rate limit may ask for; a longer one is an error for whoever wanted to post."""


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """`app_token` is needed for Socket Mode, `signing_secret` for events over HTTP. `allowed_link_hosts` are the hosts
    that an answer may link to, their subdomains not included; every other address is shown, but leads nowhere.
    `shared_channels` lets channels shared with other companies ask too."""

    bot_token: SecretStr
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    api_url: str = "https://slack.com/api/"
    allowed_link_hosts: frozenset[str] = frozenset()
    shared_channels: bool = False


class _Retry(AsyncRetryHandler):
    """Two more tries, with a sleep before each that `wait_before` gives in seconds; None means no further try."""

    def __init__(self, sleep: Sleep) -> None:
        super().__init__(max_retry_count=2)
        self._sleep = sleep

    def wait_before(self, response: HttpResponse | None, error: Exception | None) -> float | None:
        raise NotImplementedError

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return self.wait_before(response, error) is not None

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        state.next_attempt_requested = True
        await self._sleep(self.wait_before(response, error) or 0)
        state.increment_current_attempt()


class RateLimitRetry(_Retry):
    """Waits as long as a 429 asks for, and not at all when that is longer than LONGEST_WAIT."""

    def wait_before(self, response: HttpResponse | None, error: Exception | None) -> float | None:
        """The seconds that Slack asks for."""
        return _wait(response) if response is not None and response.status_code == 429 else None


class UnreachedRetry(_Retry):
    """Tries again when no connection came about, so that nothing can have arrived."""

    def wait_before(self, response: HttpResponse | None, error: Exception | None) -> float | None:
        """One second."""
        return 1.0 if isinstance(error, ClientConnectorError) else None


def _wait(response: HttpResponse) -> int | None:
    headers = {name.lower(): values for name, values in response.headers.items()}
    asked = next(iter(headers.get("retry-after", ())), "1")
    return int(asked) if asked.isascii() and asked.isdigit() and int(asked) <= LONGEST_WAIT else None


def web_client(config: SlackConfig, sleep: Sleep = asyncio.sleep) -> AsyncWebClient:
    """A Web API client. It repeats what a rate limit held back or what never reached Slack, and nothing else: a post
    whose reply got lost may have arrived, and a second one would be a double."""
    base = config.api_url if config.api_url.endswith("/") else config.api_url + "/"
    return AsyncWebClient(
        token=config.bot_token.get_secret_value(),
        base_url=base,
        timeout=20,
        retry_handlers=[UnreachedRetry(sleep), RateLimitRetry(sleep)],
    )
