"""Investigations of the whole bot: real door, warehouse, writer and store; the model is the strict stand-in."""

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.errors import ModelRefused
from agent.investigation.conclusion import Conclusion
from agent.investigation.result import Investigation
from agent.investigation.run import BY_RULES, MALFORMED, Case
from agent.progress import Progress, TextDiscarded, TextPiece
from agent.receipts import SIGN
from bot.compose import Starwatch, opened
from bot.settings import Settings
from handlers import handle
from handlers.deps import Deps
from handlers.document import Actions
from handlers.flight import Flights
from handlers.purse import Purse
from handlers.surface import Investigate
from sandbox.launch import Endpoint
from tests.agent.investigation.world import conclusion
from tests.bot.conftest import Run
from tests.bot.test_cases import stored
from tests.fakes.messages_server import HttpFault, MessagesServer, Say, Text, Thinking, ToolUse, serving
from tests.fakes.messages_server.script import Step
from tests.fakes.thinking import Surface

OPS = "slack:T1:C0OPS:1766.1"
QUERY_ID = re.compile(r"q-[0-9a-f]{10}")


@pytest.fixture
def settings(warehouse: Endpoint, tmp_path: Path) -> Settings:
    return Settings(
        starrocks_host=warehouse.host,
        starrocks_port=warehouse.port,
        starrocks_user=warehouse.reader[0],
        starrocks_password=SecretStr(warehouse.reader[1]),
        writer_user=warehouse.writer[0],
        writer_password=SecretStr(warehouse.writer[1]),
        database_url=f"sqlite:///{tmp_path}/own.db",
        audit_file=tmp_path / "audit.jsonl",
    )


@pytest.fixture
async def model() -> AsyncIterator[MessagesServer]:
    async with serving(MessagesServer()) as server:
        yield server


@pytest.fixture
def claude(settings: Settings, model: MessagesServer) -> Settings:
    return settings.model_copy(update={"anthropic_api_key": SecretStr(model.key), "anthropic_base_url": model.url})


def planted(truth: dict[str, Any], kind: str) -> str:
    found: str = next(fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == kind)
    return found


def said(done: Investigation) -> Conclusion:
    assert done.checked is not None
    return done.checked.conclusion


async def ignored(progress: Progress) -> None:
    """Progress nobody reads."""


async def investigated(starwatch: Starwatch, cluster: str, **more: Any) -> Investigation:
    return await starwatch.investigations.investigate(Case(cluster), OPS, "U1", ignored, **more)


async def test_what_the_rules_found_is_stored_and_recalled(
    settings: Settings, warehouse: Endpoint, truth: dict[str, Any]
) -> None:
    cluster = planted(truth, "p99_regression")
    async with opened(settings, lambda text: None) as starwatch:
        done = await investigated(starwatch, cluster)
        recalled = await starwatch.tools.call("query_agent_memory", {"cluster": cluster})
        again = await investigated(starwatch, cluster)
    (row,) = await stored(warehouse, done.id)
    assert done.stored
    assert row["cluster_id"] == cluster
    assert "sr_version" in row["root_cause"]
    assert "compare plans" in row["recommended_actions"]
    assert (row["provider"], row["model"], row["input_tokens"]) == ("rules-only", "rules-only", 0)
    assert done.id in recalled.text
    assert "sr_version" in recalled.text
    # the next one knows of this one
    assert any(one.text.startswith("investigated on ") for one in said(again).evidence)
    assert again.id != done.id


async def test_the_sentinels_investigation_is_posted_stored_and_can_be_asked_on(
    settings: Settings, warehouse: Endpoint, truth: dict[str, Any]
) -> None:
    surface = Surface()
    cluster = planted(truth, "error_burst")
    event = Investigate(f"clock:sentinel:2026-11-20T08:15:{cluster}", OPS, "clock", cluster, "sentinel")
    async with opened(settings, lambda text: None) as starwatch:
        deps = Deps(
            surface,
            starwatch.agents,
            starwatch.patrols,
            starwatch.store,
            Flights(),
            lambda: "ref-1",
            answers=starwatch.store.answers,
            results=starwatch.results,
            investigations=starwatch.investigations,
        )
        await handle(event, deps)
        asked = await starwatch.agents.chat(OPS, "which alerts did it have in the last 7 days?", "U1", ignored)
        recalled = await starwatch.tools.call("query_agent_memory", {"cluster": cluster, "limit": 1})
    ((place, document),) = surface.posts
    assert place == OPS
    assert "of the same account share" in document.fallback
    row = next(part for part in document.parts if isinstance(part, Actions))
    assert [one.action for one in row.buttons] == ["answer_sql", "answer_csv", "answer_good", "answer_bad"]
    assert [one.arguments["cluster"] for one in asked.tools if one.name == "query_cluster_alerts"] == [cluster]
    task = f"sentinel:2026-11-20T08:15:{cluster}"
    investigation = re.findall(r"[0-9a-f]{32}", recalled.text)
    rows = [one for key in investigation for one in await stored(warehouse, key)]
    assert task in {one["task_id"] for one in rows}


def script(body: dict[str, Any], last: Callable[[list[str]], Step]) -> Step:
    """A model that reads what is needed, then ends with what `last` makes of the query ids that it saw."""
    results = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    if results:
        return last(QUERY_ID.findall(json.dumps(results)))
    text = body["messages"][0]["content"][0]["text"]
    cluster = re.search(r'"cluster_id": "([0-9a-f-]{36})"', text)
    assert cluster is not None
    calls = tuple(
        ToolUse(name, {"cluster": cluster[1], **more})
        for name, more in (
            ("query_cluster_alerts", {"days": 7}),
            ("query_cluster_metrics", {"metrics": ["starrocks_fe_query_latency_ms_p99"], "hours": 48}),
            ("query_cluster_operations", {"days": 14}),
        )
    )
    return Say((Thinking("look first"), *calls))


def good(ids: list[str], **changed: Any) -> Say:
    items = [
        {"text": f"seen in the {word}", "query_id": ids[at]} for at, word in enumerate(("alerts", "course", "log"))
    ]
    fields = {"evidence": items, "root_cause": "The version change made plans worse.", "severity": "Warning"}
    return Say((Text(conclusion(**(fields | changed))),))


async def test_claude_investigates_and_the_thread_goes_on_from_there(
    claude: Settings, model: MessagesServer, warehouse: Endpoint, truth: dict[str, Any]
) -> None:
    model.decide = lambda body: script(body, good)
    cluster = planted(truth, "p99_regression")
    seen: list[Progress] = []

    async def watching(progress: Progress) -> None:
        seen.append(progress)

    purse = Purse()
    async with opened(claude, lambda text: None) as starwatch:
        done = await starwatch.investigations.investigate(Case(cluster), OPS, "U1", watching, purse=purse)
        model.decide = lambda body: Say((Text("As I said."),))
        await starwatch.agents.chat(OPS, "are you sure?", "U1", ignored)
    assert said(done).label == "High"
    assert (done.answer.analyst, done.answer.rounds, done.degraded) == ("claude", 2, False)
    assert done.answer.dollars is not None and done.answer.dollars > 0
    assert len(purse.spent) == 2
    # nobody watches JSON being written
    assert not [one for one in seen if isinstance(one, TextPiece | TextDiscarded)]
    # investigations and chats know the same schema, read once
    audited = [json.loads(line) for line in (claude.audit_file or Path()).read_text().splitlines()]
    assert [one["tool"] for one in audited].count("discover_schema") == 1
    history = json.dumps(model.requests[-1]["messages"])
    assert "Investigation of" in history
    assert "The version change made plans worse." in history
    assert "are you sure?" in history
    assert model.refusals == []
    (row,) = await stored(warehouse, done.id)
    assert (row["provider"], row["severity"], row["confidence"]) == ("claude", "Warning", 0.8)
    assert row["input_tokens"] > 0


MALFORMED_REPLY = Say((Text("The upgrade, I am sure of it."),))


async def test_a_malformed_conclusion_is_repaired(
    claude: Settings, model: MessagesServer, truth: dict[str, Any]
) -> None:
    asked = 0

    def answer(ids: list[str]) -> Say:
        nonlocal asked
        asked += 1
        return MALFORMED_REPLY if asked == 1 else good(ids)

    model.decide = lambda body: script(body, answer)
    async with opened(claude, lambda text: None) as starwatch:
        done = await investigated(starwatch, planted(truth, "p99_regression"))
    assert said(done).root_cause == "The version change made plans worse."
    assert (asked, done.answer.rounds, done.answer.notice) == (2, 3, "")
    assert model.refusals == []


@pytest.mark.parametrize(
    ("step", "notice"),
    [
        (MALFORMED_REPLY, MALFORMED),
        (Say((Text("I will not."),), stop_reason="refusal"), ModelRefused.user_message),
        (HttpFault(400, "invalid_request_error", "Your credit balance is too low"), "credit"),
    ],
    ids=["malformed twice", "refusing", "over budget"],
)
async def test_without_a_use_of_the_model_the_rules_investigate_and_say_so(
    claude: Settings, model: MessagesServer, warehouse: Endpoint, truth: dict[str, Any], step: Step, notice: str
) -> None:
    model.decide = lambda body: script(body, lambda ids: step) if not isinstance(step, HttpFault) else step
    async with opened(claude, lambda text: None) as starwatch:
        done = await investigated(starwatch, planted(truth, "p99_regression"))
    assert model.requests, "the model was asked"
    assert done.answer.analyst == "rules-only"
    assert notice in done.answer.notice
    assert BY_RULES in done.answer.notice
    assert "sr_version" in said(done).root_cause
    assert len(await stored(warehouse, done.id)) == 1


async def test_invented_figures_receipts_ids_and_severities_do_not_pass(
    claude: Settings, model: MessagesServer, truth: dict[str, Any]
) -> None:
    invented = {
        "severity": "Critical",
        "root_cause": "31337 statements run wild.",
        "evidence": [{"text": "seen", "query_id": "q-ffffffffff"}],
        "unknown": ["what deadbee5-d9cb-469f-a165-70867728950e does"],
        "confidence": 1.0,
    }
    model.decide = lambda body: script(body, lambda ids: good(ids, **invented))
    async with opened(claude, lambda text: None) as starwatch:
        done = await investigated(starwatch, planted(truth, "p99_regression"))
    assert said(done).root_cause == f"31337{SIGN} statements run wild."
    assert said(done).severity == "Warning"
    assert said(done).evidence[0].query_id == ""
    assert said(done).unknown == []
    assert said(done).label == "Low"
    assert done.checked is not None
    assert (done.checked.withheld, done.checked.refused) == ("Critical", 1)


async def test_a_purse_that_is_empty_is_answered_by_rules(
    claude: Settings, model: MessagesServer, truth: dict[str, Any]
) -> None:
    async with opened(claude, lambda text: None) as starwatch:
        done = await investigated(starwatch, planted(truth, "fe_heap"), purse=Purse("rules"))
    assert model.requests == []
    assert (done.answer.analyst, done.degraded) == ("rules-only", False)
    assert said(done).severity == "Critical"


async def test_nobody_investigates_what_they_may_not_see(
    settings: Settings, truth: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text('scopes:\n  - {surface: slack, channel: C0OPS, accounts: [nobodysid]}\n  - {surface: "*"}\n')
    cluster = planted(truth, "p99_regression")
    async with opened(settings.model_copy(update={"scopes": path}), lambda text: None) as starwatch:
        done = await investigated(starwatch, cluster)
        open_to_all = await starwatch.investigations.investigate(Case(cluster), "slack:T1:C0ELSE:1766.2", "U1", ignored)
    assert said(open_to_all).severity == "Warning"
    shown = "" if done.checked is None else done.checked.conclusion.model_dump_json()
    assert "sr_version" not in shown
    assert "p99" not in shown
    assert done.answer.failed or said(done).severity == "Unknown"


async def test_three_in_a_row_are_not_refused_for_the_look_at_the_fleet(
    settings: Settings, truth: dict[str, Any]
) -> None:
    async with opened(settings, lambda text: None) as starwatch:
        for kind in ("fe_heap", "error_burst", "p99_regression"):
            done = await investigated(starwatch, planted(truth, kind))
            assert not done.answer.failed
            assert not [trace for trace in done.answer.tools if trace.is_error]


def test_the_command_prints_one_json_object(starwatch: Run, real: dict[str, str], truth: dict[str, Any]) -> None:
    cluster = planted(truth, "routine_load_stuck")
    code, out, _ = starwatch("investigate", cluster[:12], "--json", **real)
    told = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert told["cluster_id"] == cluster
    assert told["conclusion"]["severity"] == "Critical"
    assert "routine load jobs are paused" in told["conclusion"]["root_cause"]
    assert told["conclusion"]["label"] in {"Medium", "High"}
    assert {one["query_id"] for one in told["conclusion"]["evidence"]} <= {one["query_id"] for one in told["queries"]}


def test_the_command_for_people_ends_with_how_to_go_on(
    starwatch: Run, real: dict[str, str], truth: dict[str, Any]
) -> None:
    code, out, err = starwatch("investigate", planted(truth, "node_down"), **real)
    assert code == 0
    assert "Root cause" in out
    assert "Ruled out" in out
    assert "rules only" in out
    assert "go on with: starwatch ask --thread terminal:" in err


def test_an_unknown_cluster_is_told_and_is_exit_one(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("investigate", "no-such-cluster", "--json", **real)
    assert code == 1
    assert json.loads(out)["conclusion"]["severity"] == "Unknown"


def test_who_named_no_cluster_is_told_where_names_are(starwatch: Run, real: dict[str, str]) -> None:
    code, out, err = starwatch("investigate", "no-such-cluster", **real)
    assert code == 1
    assert "no-such-cluster" in out
    assert "`starwatch patrol` tells the names" in err
    assert "go on with" not in err
