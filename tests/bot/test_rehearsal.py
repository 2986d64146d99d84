"""A backtest with models: its cost told and agreed to before, kept within, and the replay itself by the command."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from agent.model import Usage
from agent.patrol.profiles import own
from agent.patrol.rehearsal import Version
from agent.patrol.rules import load_rules
from agent.progress import Spent
from agent.prompts import Prompt
from agent.tools import Tools
from bot.errors import OperatorError
from bot.prices import load_prices
from bot.rehearsal import Consent, Estimate, Rehearsal, estimated
from tests.agent.doubles import ScriptedModel, say
from tests.agent.patrol.courses import AS_OF
from tests.agent.patrol.test_evidence import HOT, cid
from tests.agent.patrol.test_rehearsal import flag, report
from tests.agent.patrol.warehouse import Cluster, FleetTools
from tests.bot.conftest import Run, RunAsync
from tests.fakes.messages_server import MessagesServer, Say, Text, ToolUse, serving

SONNET, OPUS, HAIKU = "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5"
PRICES = load_prices()
KNOWN, UNKNOWN = Estimate(12, 1_000_000, 2.5), Estimate(12, 1_000_000, None, "somebody's")


def version(model: ScriptedModel, rounds: int = 10, text: str = "p" * 2_500) -> Version:
    rules = load_rules()
    return Version("v", model, Prompt("p", "{health_rules} {max_rounds}" + text), own(rules), rules, rounds)


async def test_the_estimate_grows_with_moments_rounds_prompt_and_price() -> None:
    tools = FleetTools([Cluster(cid(1))])

    async def cost(name: str, moments: int = 1, **more: Any) -> float:
        found = await estimated([version(ScriptedModel(name=name), **more)], tools, moments, PRICES)
        assert found.dollars is not None
        return found.dollars

    one = await cost(SONNET)
    assert 0.05 < one < 1.0
    assert await cost(SONNET, 6) == pytest.approx(6 * one, rel=1e-3)
    assert await cost(HAIKU) == pytest.approx(one / 2, rel=1e-3)
    assert await cost(SONNET, rounds=2) < one < await cost(SONNET, text="p" * 25_000)
    assert await cost(SONNET, rounds=50) == one


async def test_the_estimate_asks_no_model_and_says_whose_price_is_unknown() -> None:
    model = ScriptedModel(name="somebody's")
    both = [version(ScriptedModel(name=SONNET)), version(model)]
    found = await estimated(both, FleetTools([Cluster(cid(1))]), 3, PRICES)
    assert (found.reports, found.dollars, found.model) == (6, None, "somebody's")
    assert found.tokens > 0 and model.requests == []


@pytest.mark.parametrize(
    ("consent", "estimate"),
    [
        (Consent(True, None, None), KNOWN),
        (Consent(True, None, None), UNKNOWN),
        (Consent(False, 1.0, None), KNOWN),
        (Consent(False, None, lambda asked: True), KNOWN),
    ],
)
def test_what_was_agreed_to_is_spent(consent: Consent, estimate: Estimate) -> None:
    consent.require(estimate)


@pytest.mark.parametrize(
    ("consent", "estimate", "said"),
    [
        (Consent(False, None, None), KNOWN, r"12 reports, about 1,000,000 tokens, about \$2\.50; say --yes"),
        (Consent(False, None, lambda asked: False), KNOWN, "say --yes"),
        (Consent(False, None, None), UNKNOWN, "an unknown amount"),
        (Consent(True, 1.0, None), UNKNOWN, "the price of somebody's is unknown"),
    ],
)
def test_what_was_not_agreed_to_is_not_spent(consent: Consent, estimate: Estimate, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        consent.require(estimate)


def test_whoever_sits_there_is_asked_with_the_figures() -> None:
    asked: list[str] = []
    Consent(False, None, lambda text: not asked.append(text)).require(KNOWN)  # type: ignore[func-returns-value]
    assert asked == ["12 reports, about 1,000,000 tokens, about $2.50. Go on?"]


@asynccontextmanager
async def past(at: datetime) -> AsyncIterator[Tools]:
    yield FleetTools([Cluster(cid(1), "hot", HOT)])


async def seen(at: datetime) -> None:
    """Tells nobody."""


def by_tokens(spent: Any) -> float | None:
    """A cent for a token."""
    return sum(one.usage.input_tokens + one.usage.output_tokens for one in spent) / 100


@pytest.mark.parametrize(
    ("most", "each", "moments", "whole"),
    [(None, 9.9, 3, True), (0.66, 0.1, 3, True), (0.65, 0.1, 2, False), (0.3, 0.25, 1, False), (0.3, 0.35, 0, False)],
)
async def test_a_replay_ends_before_the_moment_that_would_cost_too_much(
    most: float | None, each: float, moments: int, whole: bool
) -> None:
    # eleven tokens for each report, two of them a moment: 22 cents
    models = [ScriptedModel(*[say(report(flag(cid(1)))) for _ in range(3)]) for _ in range(2)]
    rehearsal = Rehearsal((version(models[0]), version(models[1])), past, by_tokens, most)
    times = [AS_OF - timedelta(hours=12 * back) for back in (2, 1, 0)]
    assert await rehearsal.run(times, seen, each) is whole
    before, after = rehearsal.told
    assert [one.at for one in before] == [one.at for one in after] == times[:moments]
    assert rehearsal.cost() == pytest.approx(0.22 * moments)
    assert [len(model.requests) for model in models] == [moments, moments]


def test_a_cost_is_that_of_all_calls_so_far() -> None:
    rehearsal = Rehearsal((version(ScriptedModel()), version(ScriptedModel())), past, PRICES.dollars)
    assert rehearsal.cost() == 0.0
    assert PRICES.dollars([Spent(HAIKU, Usage(1_000_000))]) == 1.0


FLAGGED = re.compile(r"^- ([0-9a-f-]{6,36}) \"", re.MULTILINE)
NEWEST = "SELECT max(snapshot_hour) AS newest, now() AS present FROM metrics.amv_hourly_snapshots_v1"


def evidence_of(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"][0]["text"])


def results_of(body: dict[str, Any]) -> str:
    return json.dumps([message["content"] for message in body["messages"] if message["role"] == "user"][1:])


def reporter(body: dict[str, Any]) -> Say:
    """Looks at the clock of the warehouse, then reports: the one model all that the evidence flags, the other less."""
    if len(body["messages"]) == 1:
        return Say((ToolUse("read_query", {"sql": NEWEST}),))
    flagged = FLAGGED.findall(evidence_of(body))
    if body["model"] == SONNET:
        return Say((Text(report(*(flag(one) for one in flagged))),))
    first = flag(flagged[0], "Warning", lowered_because="it is a load test") if flagged else flag("nowhere")
    return Say((Text(report(first, narrative="There were 91234.5 of them.")),))


async def test_a_prompt_and_a_model_are_replayed_side_by_side_and_see_no_later_than_their_moment(
    in_thread: RunAsync, real: dict[str, str], tmp_path: Path
) -> None:
    shipped = resources.files("agent.prompts").joinpath("patrol.md").read_text(encoding="utf-8")
    (tmp_path / "shorter.md").write_text(shipped + "\nBe shorter.\n", encoding="utf-8")
    server = MessagesServer(decide=reporter)
    async with serving(server):
        variables = real | {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        words = ("backtest", "--prompt", str(tmp_path / "shorter.md"), "--model", OPUS, "--days", "2", "--every", "24")
        code, out, err = await in_thread(*words, "--json", "--yes", **variables)
        assert code == 0, err
        asked = len(server.requests)
        code, lines, err = await in_thread(*words, "--max-usd", "0.01", **variables)
        assert code == 0, err
    # a budget below the first moment asks no model at all
    assert len(server.requests) == asked
    assert "ended after 0 of 2 moments: the next might go beyond --max-usd" in lines
    told = json.loads(out)
    assert [len(told[part]) for part in ("now", "changed", "differences")] == [2, 2, 2]
    for before, after in zip(told["now"], told["changed"], strict=True):
        assert (before["refused"], before["left_out"], before["lowered"]) == (0, 0, [])
        assert after["unbound"] == 1 and after["analyst"] == "claude"
        assert {one["model"] for one in before["spent"]} == {SONNET}
        assert {one["model"] for one in after["spent"]} == {OPUS}
    (last, change) = told["now"][-1], told["differences"][-1]
    assert len(change["vanished"]) == len(last["flags"]) - 1 > 0
    assert told["changed"][-1]["lowered"][0]["told"] == "Warning"
    assert told["summary"][0].startswith(f"as it is ({SONNET}): ")
    assert told["summary"][1].startswith(f"changed ({OPUS}): ")
    assert not server.refusals
    systems = {body["model"]: str(body["system"]) for body in server.requests}
    assert "Be shorter." in systems[OPUS] and "Be shorter." not in systems[SONNET]
    # two moments a day apart: what the model read of the warehouse ends at each, and so does its present
    for body in server.requests:
        if len(body["messages"]) > 1:
            moment = datetime.fromisoformat(before_of(body, told))
            assert results_of(body).count(f"{moment:%Y-%m-%d %H:%M:%S}") >= 2


def before_of(body: dict[str, Any], told: dict[str, Any]) -> str:
    """The moment that a request is about."""
    return next(one["at"] for one in told["now"] if one["at"][:16] in evidence_of(body))


def test_without_a_key_it_says_what_is_missing(starwatch: Run, real: dict[str, str]) -> None:
    code, out, err = starwatch("backtest", "--model", OPUS, **real)
    assert (code, out) == (2, "")
    assert "need a model to write reports; set ANTHROPIC_API_KEY" in err


async def test_for_people_it_is_told_moment_by_moment_and_version_by_version(
    in_thread: RunAsync, real: dict[str, str], tmp_path: Path
) -> None:
    rules = resources.files("agent.patrol").joinpath("rules.yaml").read_text(encoding="utf-8")
    (tmp_path / "same.yaml").write_text(rules, encoding="utf-8")
    server = MessagesServer(decide=reporter)
    async with serving(server):
        variables = real | {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        words = ("--rules", str(tmp_path / "same.yaml"), "--model", OPUS, "--days", "1", "--every", "24")
        code, out, err = await in_thread("backtest", *words, "--max-usd", "100", **variables)
    assert code == 0, err
    moment, *changes, ours, theirs = out.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:00 UTC", moment)
    kinds = {line[:4] for line in changes}
    assert kinds <= {"  + ", "  - ", "  ~ ", "  v "} and {"  - ", "  ~ "} <= kinds
    assert any(re.fullmatch(r"  ~ [\w-]+ \([0-9a-f]{8}\): Critical -> Warning", line) for line in changes)
    assert re.match(rf"as it is \({SONNET}\): \d+ flags in 1 reports, 0 without evidence, 0 flagged", ours)
    assert re.search(r"1 of 1 figures unbound; 2 model calls, 1 tool calls, \d+ tokens, \$0\.\d\d, [\d.]+ s$", theirs)


async def test_nothing_is_spent_that_nobody_agreed_to(in_thread: RunAsync, real: dict[str, str]) -> None:
    server = MessagesServer(decide=reporter)
    async with serving(server):
        variables = real | {"ANTHROPIC_API_KEY": server.key, "ANTHROPIC_BASE_URL": server.url}
        code, out, err = await in_thread("backtest", "--model", OPUS, "--days", "1", **variables)
    assert (code, out) == (2, "")
    assert re.search(r"this takes 4 reports, about [\d,]+ tokens, about \$\d\.\d\d; say --yes", err)
    assert server.requests == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("no places", "wants {health_rules}, {max_rounds}"), ("{health_rules} {max_rounds} {name}", "other placeholders")],
)
def test_a_prompt_that_does_not_fit_is_one_line(starwatch: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.md").write_text(text, encoding="utf-8")
    code, _, err = starwatch("backtest", "--prompt", str(tmp_path / "own.md"), ANTHROPIC_API_KEY="sk-none")
    assert code == 2 and said in err and "Traceback" not in err


def test_a_backtest_of_nothing_says_what_can_be_changed(starwatch: Run, tmp_path: Path) -> None:
    assert "name --rules, --prompt or --model" in starwatch("backtest")[2]
    assert "cannot be read" in starwatch("backtest", "--prompt", str(tmp_path / "none.md"))[2]
