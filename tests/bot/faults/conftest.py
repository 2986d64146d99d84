"""A bot's whole world on loopback: Slack, the model, the warehouse; all of it strict, and each can be made to fail."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from bot.settings import Settings, environment_names
from sandbox.launch import Endpoint
from tests.bot.test_service import Line
from tests.fakes.messages_server import MessagesServer, Say, Text, ToolUse
from tests.fakes.messages_server import serving as model_serving
from tests.fakes.slack import BOT_TOKEN, SECRET, FakeSlack


def worked(text: str) -> str:
    """The question's number, by which questions and answers are told apart."""
    found = re.search(r"question (\d+)", text)
    return found[1] if found else ""


def two_rounds(body: dict[str, Any]) -> Say:
    """What the model says: a query first, then the answer, which repeats the number of the last question."""
    last = body["messages"][-1]["content"]
    blocks = [last] if isinstance(last, str) else [block.get("text", "") for block in last]
    if any(isinstance(block, dict) and block["type"] == "tool_result" for block in last):
        asked = [worked(str(message["content"])) for message in body["messages"] if message["role"] == "user"]
        return Say((Text(f"Answer {next((number for number in reversed(asked) if number), 'to nobody')}."),))
    assert blocks
    return Say((ToolUse("read_query", {"sql": "SELECT count(*) AS clusters FROM byoc.clusters"}),))


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with FakeSlack().running() as fake:
        yield fake


@pytest.fixture
async def model() -> AsyncIterator[MessagesServer]:
    async with model_serving(MessagesServer(decide=two_rounds)) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient() as one:
        yield one


@pytest.fixture
def settings(warehouse: Endpoint, slack: FakeSlack, model: MessagesServer, tmp_path: Path) -> Settings:
    """The settings of a bot in this process."""
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=slack.base_url,
        anthropic_api_key=SecretStr(model.key),
        anthropic_base_url=model.url,
        http_port=0,
        database_url=f"sqlite:///{tmp_path}/own.db",
    )


@pytest.fixture
def variables(settings: Settings) -> dict[str, str]:
    """The same as the environment of a process; everything else is at its default."""
    told: dict[str, str] = {}
    for name, key in environment_names().items():
        value = getattr(settings, name)
        if value != Settings.model_fields[name].default:
            told[key] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    # port 0 is for tests alone: each start is to find a port
    return told


__all__ = ["Line"]
