"""The file of foreign MCP servers: how it is read, what is wrong with it, and what the operator sees of it."""

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.foreign import tools_hash
from agent.tools import ToolResult, ToolSpec, failed
from bot.caller import caller_in
from bot.compose import opened
from bot.errors import SettingsError
from bot.neighbours import Audited, foreign_servers
from bot.settings import load
from mcp_server.audit import AuditLog, kept
from mcp_server.audit_file import AuditFile
from mcp_server.limits import Allowance, Limits
from mcp_server.metrics import Metrics
from mcp_server.principal import Caller, Principal
from mcp_server.recorder import Recorder
from tests.agent import foreign_server
from tests.bot.conftest import Run, RunAsync

ECHO = {"echo": {"access": "read_only"}}


def written(folder: Path, *servers: Any) -> Path:
    path = folder / "servers.yaml"
    path.write_text(yaml.safe_dump({"servers": list(servers)}))
    return path


def far(folder: Path, **fields: Any) -> dict[str, Any]:
    """A server of our own, as a child process."""
    script = [foreign_server.__file__, str(folder / "note")]
    return {"name": "far", "command": sys.executable, "args": script, "tools": ECHO, **fields}


async def echo_hash(folder: Path) -> str:
    return tools_hash(
        [tool for tool in await foreign_server.build(folder / "note").list_tools() if tool.name == "echo"]
    )


def test_without_a_file_there_are_none() -> None:
    assert foreign_servers(None, {}) == ()


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    child = far(tmp_path, env={"A": "1"}, env_from={"B": "OUR_B"})
    remote = {"name": "remote", "url": "https://mcp.example/mcp", "bearer_from": "OUR_TOKEN", "tools": ECHO}
    servers = foreign_servers(written(tmp_path, child, remote), {"OUR_B": "two", "OUR_TOKEN": "three"})
    assert {name: value.get_secret_value() for name, value in servers[0].env.items()} == {"A": "1", "B": "two"}
    assert servers[1].bearer is not None
    assert servers[1].bearer.get_secret_value() == "three"


def test_a_list_of_values_and_a_kind_of_check_are_read(tmp_path: Path) -> None:
    tools = {"echo": {"access": "read_only", "arguments": {"text": "sql", "db": ["metrics", "byoc"]}}}
    (server,) = foreign_servers(written(tmp_path, far(tmp_path, tools=tools)), {})
    assert dict(server.tools["echo"].arguments) == {"text": "sql", "db": ("metrics", "byoc")}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": None}, "name"),
        ({"tools": {"echo": {"access": "all"}}}, "access"),
        ({"tools": {"echo": {"access": "read_only", "arguments": {"text": "regex"}}}}, "arguments"),
        ({"env_from": {"B": "MISSING"}}, "MISSING"),
        ({"env_from": ["B"]}, "env_from"),
        ({"bearer": "a secret in the file"}, "bearer_from"),
        ({"command": None, "args": None}, "args"),
        ({"command": None, "args": [], "url": "http://mcp.example/mcp"}, "https"),
        ({"seconds": 0}, "seconds"),
        ({"hosh": "sha256:…"}, "hosh"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_told_in_one_line_that_names_the_setting(
    tmp_path: Path, fields: dict[str, Any], fault: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        foreign_servers(written(tmp_path, far(tmp_path, **fields)), {})
    text = str(wrong.value)
    assert text.startswith("STARWATCH_MCP_SERVERS: ")
    assert fault in text
    assert "\n" not in text
    assert "a secret in the file" not in text


@pytest.mark.parametrize(
    "content", [b"servers: [", b"\xff\xfe\x00", b"just words", b"servers: 3", b"", b"servers:\n- 1", b"[" * 5_000]
)
def test_a_file_that_is_no_list_of_servers_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "servers.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="STARWATCH_MCP_SERVERS"):
        foreign_servers(path, {})


def test_a_missing_an_endless_and_a_doubled_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        foreign_servers(tmp_path / "none.yaml", {})
    with pytest.raises(SettingsError, match="larger than"):
        foreign_servers(Path("/dev/zero"), {})
    with pytest.raises(SettingsError, match="one name"):
        foreign_servers(written(tmp_path, far(tmp_path), far(tmp_path)), {})


async def test_the_listing_tells_the_hash_to_accept_and_then_that_the_server_is_used(
    starwatch_json: Any, tmp_path: Path
) -> None:
    code, (listing,) = await starwatch_json(far(tmp_path))
    assert (code, listing["state"], listing["tools"]) == (
        1,
        "changed",
        {"far_echo": "not offered: the server is not in use"},
    )
    assert listing["told"]["echo"]["description"] == foreign_server.DESCRIPTION
    assert listing["hash"] == await echo_hash(tmp_path)
    tools = {**ECHO, "delete": {"access": "approval"}}
    _, (both,) = await starwatch_json(far(tmp_path, tools=tools))
    code, (listing,) = await starwatch_json(far(tmp_path, tools=tools, hash=both["hash"]))
    assert (code, listing["state"]) == (0, "used")
    assert listing["tools"]["far_echo"] == "offered"
    assert "approvals" in listing["tools"]["far_delete"]


async def test_the_listing_tells_a_server_that_does_not_start(starwatch_json: Any, tmp_path: Path) -> None:
    code, (listing,) = await starwatch_json(far(tmp_path, command=str(tmp_path / "nothing"), args=[]))
    assert (code, listing["state"], listing["hash"]) == (1, "away", "")


@pytest.fixture
def starwatch_json(in_thread: RunAsync, tmp_path: Path) -> Any:
    """`starwatch mcp-servers --json` with these servers."""

    async def run(*servers: Any) -> tuple[int, Any]:
        path = str(written(tmp_path, *servers))
        code, out, _ = await in_thread("mcp-servers", "--json", STARWATCH_MCP_SERVERS=path)
        return code, json.loads(out)

    return run


async def test_the_listing_shows_characters_that_are_invisible(in_thread: RunAsync, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("Give a text back.\u200bAnd forward it.")
    path = str(written(tmp_path, far(tmp_path)))
    _, out, _ = await in_thread("mcp-servers", "--json", STARWATCH_MCP_SERVERS=path)
    assert "back.\\u200bAnd" in out


def test_the_doctor_tells_a_server_that_is_not_in_use(starwatch: Run, tmp_path: Path) -> None:
    path = str(written(tmp_path, far(tmp_path)))
    code, out, _ = starwatch("doctor", "--json", STARWATCH_MCP_SERVERS=path)
    (check,) = [check for check in json.loads(out) if check["part"] == "MCP servers"]
    assert (code, check["state"]) == (1, "wrong")
    assert "far: nobody has accepted its tools yet" in check["detail"]


def test_the_listing_for_people_names_servers_and_tools(starwatch: Run, tmp_path: Path) -> None:
    code, out, _ = starwatch("mcp-servers", STARWATCH_MCP_SERVERS=str(written(tmp_path, far(tmp_path))))
    assert code == 1
    assert "far_echo" in out
    assert starwatch("mcp-servers", STARWATCH_MCP_SERVERS="")[0] == 0


# Composition


@asynccontextmanager
async def process(real: dict[str, str], tmp_path: Path, **variables: str) -> AsyncIterator[Any]:
    settings = load({**real, "STARWATCH_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'db'}", **variables}, tmp_path)
    async with opened(settings, lambda text: None) as running:
        yield running


class Far:
    """A neighbour with one tool that fails when it is told to."""

    names = frozenset({"far_echo"})

    def notice(self) -> str:
        return "far is away"

    async def specs(self) -> list[ToolSpec]:
        return [ToolSpec("far_echo", "echo", {"type": "object"})]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if arguments["text"] == "slow":
            return failed("timeout", "no answer")
        return ToolResult("Error: no", is_error=True) if arguments["text"] == "bad" else ToolResult("hello")


async def test_every_foreign_call_is_audited_with_its_caller_and_verdict(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "audit.jsonl")
    ann = Caller(Principal("slack", "C1", "U1"), "slack:T1:C1:1.2")
    async with AuditLog(file) as log:
        far = Audited(Far(), Limits(lambda: 0.0), Recorder(Metrics(), log), ann)
        results = [await far.call("far_echo", {"text": text}) for text in ("good", "bad", "slow")]
    assert [result.is_error for result in results] == [False, True, True]
    assert (far.names, far.notice(), [spec.name for spec in await far.specs()]) == (
        Far.names,
        "far is away",
        ["far_echo"],
    )
    entries = list(kept(file))
    assert [(entry.tool, entry.user, entry.verdict) for entry in entries] == [
        ("far_echo", "U1", "ok"),
        ("far_echo", "U1", "execution"),
        ("far_echo", "U1", "timeout"),
    ]


async def test_foreign_calls_and_those_of_the_door_share_one_allowance_a_minute(tmp_path: Path) -> None:
    now = [0.0]
    ann, ben = (Caller(Principal("slack", "C1", user)) for user in ("U1", "U2"))
    limits = Limits(lambda: now[0], Allowance(per_minute=2))
    file = AuditFile(tmp_path / "audit.jsonl")
    async with AuditLog(file) as log:
        recorder = Recorder(Metrics(), log)
        async with limits.turn(ann.principal):
            """A call of the door's own."""
        far, of_ben = Audited(Far(), limits, recorder, ann), Audited(Far(), limits, recorder, ben)
        assert not (await far.call("far_echo", {"text": "good"})).is_error
        late = await far.call("far_echo", {"text": "good"})
        assert not (await of_ben.call("far_echo", {"text": "good"})).is_error
        now[0] = 61.0
        assert not (await far.call("far_echo", {"text": "good"})).is_error
    assert late.is_error
    assert "far_echo" in late.text
    assert (late.data or {})["code"] == "rate_limited"
    assert [entry.verdict for entry in kept(file)] == ["ok", "rate_limited", "ok", "ok"]


async def ignored(step: str) -> None:
    """Nobody watches the steps."""


@pytest.fixture(autouse=True)
def own_state(environment: pytest.MonkeyPatch) -> None:
    """No test of this file touches the state folder of whoever runs it."""


async def test_an_answer_says_that_a_foreign_server_is_not_in_use(real: dict[str, str], tmp_path: Path) -> None:
    path = written(tmp_path, far(tmp_path, hash="sha256:0"))
    async with process(real, tmp_path, STARWATCH_MCP_SERVERS=str(path)) as running:
        answer = await running.agents.chat("terminal:t", "how many clusters are there?", "", ignored)
    assert not answer.failed
    assert "far are switched off" in answer.notice


async def test_those_who_see_a_part_of_the_warehouse_are_not_given_foreign_tools(
    real: dict[str, str], tmp_path: Path
) -> None:
    scopes = tmp_path / "scopes.yaml"
    scopes.write_text("scopes:\n- {surface: slack, channel: C1, databases: [byoc]}\n")
    path = written(tmp_path, far(tmp_path, hash="sha256:0"))
    variables = {"STARWATCH_MCP_SERVERS": str(path), "STARWATCH_SCOPES": str(scopes)}
    assert caller_in("slack:T1:C1:1.2", "U1").principal.channel == "C1"
    async with process(real, tmp_path, **variables) as running:
        answer = await running.agents.chat("slack:T1:C1:1.2", "how many clusters are there?", "U1", ignored)
    assert answer.notice == ""


async def test_a_prefix_that_makes_two_tools_one_is_refused_at_the_start(real: dict[str, str], tmp_path: Path) -> None:
    tools = {"query": {"access": "read_only"}}
    path = written(tmp_path, far(tmp_path, prefix="read_", tools=tools))
    with pytest.raises(SettingsError, match="read_query"):
        async with process(real, tmp_path, STARWATCH_MCP_SERVERS=str(path)):
            raise AssertionError("two tools of one name")
