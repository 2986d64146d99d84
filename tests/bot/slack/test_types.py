"""Slack's own types, under the TypeScript compiler: every payload that the tests make, and the manifest."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.slack.collected import shape
from tests.neighbours import programs

pytestmark = pytest.mark.neighbours

ROOT = Path(__file__).parents[3]
UNTYPED = {"data_visualization"}
"""Blocks that Slack takes and its types do not know yet."""
UNKNOWN_SCOPES = {"assistant:write"}
UNKNOWN_EVENTS = {"agent_session_stopped"}
"""What api.slack.com gives out and the types of its client do not know yet."""
TYPES = {"blocks": "KnownBlock", "modal": "ModalView", "home": "HomeView"}
OPTIONS = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,
    "module": "node16",
    "moduleResolution": "node16",
    "target": "es2022",
    "types": [],
}


async def compiled(folder: Path, source: str) -> programs.Done:
    """What the compiler says of a source that may import Slack's packages."""
    (folder / "node_modules").symlink_to(programs.SLACK.parent, target_is_directory=True)
    (folder / "checked.ts").write_text(source, encoding="utf-8")
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": ["checked.ts"]}))
    return await programs.node(programs.COMPILER, "--project", folder / "tsconfig.json", "--pretty", "false")


def typed(payloads: Sequence[Mapping[str, Any]]) -> str:
    """A source in which each payload stands as a literal: only those are held to unknown keys."""
    lines = [f"import type {{ {', '.join(TYPES.values())} }} from '@slack/types';"]
    for number, one in enumerate(payloads):
        kind = TYPES[one["kind"]]
        lines.append(f"export const p{number}: {kind} = {json.dumps(one['payload'])};")
    return "\n".join(lines)


async def collected(folder: Path) -> list[dict[str, Any]]:
    """Every shape of payload that the tests of Slack's surface and of the answers make."""
    file = folder / "payloads.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.fakes.slack.collected", "tests/bot/slack"]
    done = await programs.run(*command, env={"STARWATCH_PAYLOADS": str(file)}, seconds=150.0, folder=ROOT)
    # 1 = a test failed, which the suite itself tells; what the others made is still to be checked
    assert done.code in {0, 1}, done.output[-2_000:]
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.timeout(240)
async def test_every_payload_of_the_tests_has_slacks_types(tmp_path: Path) -> None:
    payloads = [one for one in await collected(tmp_path) if one["payload"]["type"] not in UNTYPED]
    kinds = {one["payload"]["type"] for one in payloads}
    assert kinds >= {"section", "header", "context", "actions", "divider", "table", "modal", "home"}
    done = await compiled(tmp_path, typed(payloads))
    assert done.code == 0, done.output


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "colour": "red"},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x"}, "style": "bad"}],
        },
    ],
)
async def test_the_compiler_finds_what_slack_would_refuse(tmp_path: Path, wrong: dict[str, Any]) -> None:
    done = await compiled(tmp_path, typed([{"kind": "blocks", "payload": shape(wrong)}]))
    assert done.code != 0 and "error TS" in done.output


async def test_the_manifest_is_what_slacks_client_takes(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    scopes, events = manifest["oauth_config"]["scopes"], manifest["settings"]["event_subscriptions"]
    scopes["bot"] = [one for one in scopes["bot"] if one not in UNKNOWN_SCOPES]
    events["bot_events"] = [one for one in events["bot_events"] if one not in UNKNOWN_EVENTS]
    source = (
        "import type { AppsManifestCreateArguments } from '@slack/web-api';\n"
        f"export const manifest: AppsManifestCreateArguments['manifest'] = {json.dumps(manifest)};"
    )
    done = await compiled(tmp_path, source)
    assert done.code == 0, done.output
    misspelt = source.replace("app_mention", "app_mentoin")
    other = tmp_path / "misspelt"
    other.mkdir()
    assert (await compiled(other, misspelt)).code != 0
