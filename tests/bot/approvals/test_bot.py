"""An approval on the whole bot: Slack, a model, a foreign server as a child process, and the audit."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from agent.foreign import tools_hash
from bot.commands import audit
from bot.settings import Settings
from sandbox.launch import Endpoint
from tests.agent import foreign_server
from tests.bot.test_service import MINUTE, at_work, slack
from tests.fakes.messages_server import MessagesServer, Say, Text, ToolUse
from tests.fakes.messages_server import serving as model_serving
from tests.fakes.slack import BOT, BOT_TOKEN, SECRET, FakeSlack, Post, problems
from tests.fakes.slack.payloads import USER, form, mention, press

__all__ = ["slack"]


def deleting(body: dict[str, Any]) -> Say:
    """The model deletes first, and then says what it heard."""
    last = body["messages"][-1]["content"]
    results = [str(block["content"]) for block in last if isinstance(block, dict) and block["type"] == "tool_result"]
    if results:
        return Say((Text(f"The server said: {results[0]}"),))
    return Say((ToolUse("far_delete", {"name": "<!channel> prod-1"}),))


async def servers(folder: Path) -> Path:
    """The settings' file that allows one tool which needs an approval."""
    listed = await foreign_server.build(folder / "note").list_tools()
    accepted = tools_hash([tool for tool in listed if tool.name == "delete"])
    command = {"command": sys.executable, "args": [foreign_server.__file__, str(folder / "note")]}
    far = {"name": "far", **command, "hash": accepted, "tools": {"delete": {"access": "approval"}}}
    path = folder / "servers.yaml"
    path.write_text(yaml.safe_dump({"servers": [far]}))
    return path


def elements(post: Post) -> list[dict[str, Any]]:
    return [element for block in post.blocks if block["type"] == "actions" for element in block["elements"]]


async def test_a_press_on_slack_lets_the_turn_go_on_after_a_restart_and_the_audit_has_it(
    warehouse: Endpoint,
    slack: FakeSlack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with model_serving(MessagesServer(decide=deleting)) as model:
        settings = Settings(
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
            mcp_servers=await servers(tmp_path),
            approvers=f"U0BOSS, {USER}",
            audit_file=tmp_path / "audit.jsonl",
        )
        asked = slack.said(f"<@{BOT}> delete prod-1")
        async with at_work(settings) as (line, _):
            assert await line.event(mention(asked)) == 200
            await slack.until(lambda: any(elements(post) for post in slack.thread(asked.ts)), MINUTE)
            (card,) = [post for post in slack.thread(asked.ts) if elements(post)]
            assert "prod-1" in card.words
            assert "<!channel>" not in json.dumps(card.blocks)
        approve = elements(card)[0]
        async with at_work(settings) as (line, _):
            assert await line.form(form(press(card, approve))) == 200
            said = "The server said: deleted"
            await slack.until(lambda: any(said in post.words for post in slack.thread(asked.ts)), MINUTE)
            await slack.until(lambda: "(done)" in card.words, MINUTE)
    assert elements(card) == []
    assert "Approved by" in card.words
    assert all(problems(post.blocks) == [] for post in slack.posts if post.blocks)
    monkeypatch.setenv("STARWATCH_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    monkeypatch.chdir(tmp_path)
    audit.run(since="1h", thread=None, refused=False, limit=50, as_json=True)
    entries = json.loads(capsys.readouterr().out.splitlines()[-1])["entries"]
    told = [(one["user"], json.loads(one["arguments"])) for one in entries if one["tool"] == "approval"]
    assert [(user, one["outcome"], one["asker"]) for user, one in told] == [
        (USER, "approved", USER),
        (USER, "done", USER),
    ]
    assert len({one["hash"] for _, one in told}) == 1
    assert [one["verdict"] for one in entries if one["tool"] == "far_delete"] == ["ok"]
