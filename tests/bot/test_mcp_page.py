"""docs/mcp.md says what the code does."""

import re
from pathlib import Path

from agent.foreign import AllowedTool, ForeignServer
from bot.neighbours import foreign_servers
from mcp_server.guides import TABLE_URI
from mcp_server.server import SCHEMA_URI

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_the_example_of_a_foreign_server_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "servers.yaml"
    path.write_text(example)
    (server,) = foreign_servers(path, {"STARWATCH_STARROCKS_PASSWORD": "secret"})
    assert set(server.tools) == {"analyze_query", "table_overview", "db_summary"}


def test_every_key_of_the_file_is_explained() -> None:
    keys = set(
        re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")))
    )
    fields = (set(ForeignServer.model_fields) | set(AllowedTool.model_fields)) - {"bearer", "access"}
    assert keys == fields | {"env_from", "bearer_from"}


def test_resources_and_prompt_are_named() -> None:
    for name in (SCHEMA_URI, TABLE_URI, "cluster_review", "starwatch mcp-servers"):
        assert name in PAGE
