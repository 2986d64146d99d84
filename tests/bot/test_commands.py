"""The command line as an operator meets it: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.bot.conftest import Run


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


def test_help_loads_neither_a_model_sdk_nor_a_database() -> None:
    script = (
        "import sys; sys.argv = ['starwatch', '--help']\n"
        "from bot.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'anthropic', 'duckdb', 'mcp', 'sqlalchemy', 'slack_bolt', 'numpy', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in (
        "demo",
        "ask",
        "patrol",
        "serve",
        "mcp",
        "mcp-servers",
        "init-db",
        "doctor",
        "warehouse",
        "audit",
        "feedback",
        "rules",
        "backtest",
    ):
        assert command in done.stdout


@pytest.mark.parametrize(
    "command", ["demo", "ask", "patrol", "serve", "mcp", "mcp-servers", "init-db", "doctor", "warehouse", "audit"]
)
def test_every_command_has_help(starwatch: Run, command: str) -> None:
    code, out, _ = starwatch(command, "--help")
    assert code == 0
    assert "Usage: starwatch" in out


def test_a_patrol_is_one_json_object_and_nothing_else(
    starwatch: Run, real: dict[str, str], truth: dict[str, Any]
) -> None:
    code, out, _ = starwatch("patrol", "on_demand", "--json", **real)
    report = json.loads(out)
    assert code == 0
    assert out.count("\n") == 1
    assert report["report_type"] == "on_demand"
    assert {flag["cluster_id"] for flag in report["flagged_clusters"]} >= set(truth["must_flag"])
    assert not {flag["cluster_id"] for flag in report["flagged_clusters"]} & set(truth["must_not_flag"])
    assert set(report["usage"]) >= {"rounds", "tool_calls", "input_tokens", "output_tokens", "seconds"}


def test_a_patrol_for_people_names_what_it_flags(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("patrol", "morning", **real)
    assert code == 0
    assert "Morning patrol" in out
    assert "rules only" in out


def test_the_rules_are_listed_in_both_profiles(starwatch: Run) -> None:
    code, out, _ = starwatch("rules", "list")
    assert code == 0
    assert "error_share_pct" in out
    assert "query_errors_7d: Warning ≥ 10,000, Critical ≥ 50,000" in out
    code, out, _ = starwatch("rules", "--json")
    assert set(json.loads(out)) == {"own", "reference"}


def test_a_cluster_is_explained_by_both_profiles(starwatch: Run, real: dict[str, str], truth: dict[str, Any]) -> None:
    cluster = truth["must_flag"][0]
    code, out, _ = starwatch("rules", "explain", cluster, **real)
    assert code == 0
    assert cluster in out
    assert "rule: " in out
    assert "by the reference platform's rules: " in out
    code, out, _ = starwatch("rules", "explain", cluster, "--json", **real)
    assert json.loads(out)["own"]["identity"]["cluster_id"] == cluster


def test_the_recorded_days_are_judged_again_by_changed_rules(
    starwatch: Run, real: dict[str, str], tmp_path: Path
) -> None:
    code, out, _ = starwatch("backtest", "--rules", "reference", "--days", "1", "--every", "24", **real)
    assert code == 0
    assert "the rules of today: " in out
    assert "  + " in out
    same = resources.files("agent.patrol").joinpath("rules.yaml").read_text(encoding="utf-8")
    (tmp_path / "same.yaml").write_text(same, encoding="utf-8")
    code, out, err = starwatch("backtest", "--rules", str(tmp_path / "same.yaml"), "--days", "1", "--json", **real)
    assert code == 0, err
    told = json.loads(out)
    assert [len(told[part]) for part in ("now", "changed", "differences")] == [2, 2, 2]
    assert not any(one["appeared"] or one["vanished"] or one["graded"] for one in told["differences"])


@pytest.mark.parametrize(("text", "said"), [("version: 7", "rules.yaml, "), (None, "cannot be read")])
def test_rules_that_cannot_be_used_are_one_line(starwatch: Run, tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    code, out, err = starwatch("backtest", "--rules", str(tmp_path / "own.yaml"))
    assert (code, out) == (2, "")
    assert said in one_line(err)


@pytest.mark.parametrize("words", [("explain",), ("list", "x"), ("forget", "x")])
def test_rules_said_wrongly_are_one_line(starwatch: Run, words: tuple[str, ...]) -> None:
    code, out, err = starwatch("rules", *words)
    assert (code, out) == (2, "")
    assert "rules explain CLUSTER" in one_line(err)


def test_a_patrol_by_the_reference_profile_says_so(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("patrol", "--json", STARWATCH_RULES="reference", **real)
    report = json.loads(out)
    assert code == 0
    assert "classified by the rules of the reference platform" in report["fleet_narrative"]


def test_a_question_is_answered_and_the_thread_goes_on(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("ask", "--json", "--thread", "t1", "Which clusters are the worst right now?", **real)
    first = json.loads(out)
    assert (code, first["failed"], first["thread"]) == (0, False, "t1")
    assert first["queries"]
    code, out, _ = starwatch("ask", "--json", "--thread", "t1", "and the alerts of the first one?", **real)
    second = json.loads(out)
    assert code == 0
    assert [query["tool"] for query in second["queries"]] == ["query_cluster_alerts"]


def test_a_question_for_people_ends_with_how_to_go_on(starwatch: Run, real: dict[str, str]) -> None:
    code, out, err = starwatch("ask", "--thread", "t2", "How many clusters are there?", **real)
    assert code == 0
    assert out.strip()
    assert 'starwatch ask --thread t2 "…"' in err


@pytest.mark.parametrize("command", [("ask", "hello"), ("patrol", "morning"), ("mcp",)])
@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"STARWATCH_STARROCKS_PASSWORD": "wrong"}, "STARWATCH_STARROCKS_HOST, _PORT, _USER and _PASSWORD"),
        ({"STARWATCH_STARROCKS_PORT": "1"}, "STARWATCH_STARROCKS_HOST, _PORT, _USER and _PASSWORD"),
        ({"STARWATCH_STARROCKS_PORT": "many"}, "STARWATCH_STARROCKS_PORT"),
        ({"STARWATCH_PORT": "9030"}, "did you mean STARWATCH_"),
    ],
)
def test_a_warehouse_that_cannot_be_used_is_one_line_and_exit_two(
    starwatch: Run, real: dict[str, str], command: tuple[str, ...], broken: dict[str, str], named: str
) -> None:
    code, out, err = starwatch(*command, **(real | broken))
    assert (code, out) == (2, "")
    assert named in one_line(err.splitlines()[-1] + "\n")
    assert "wrong" not in err


def test_an_unknown_report_type_is_refused_before_anything_starts(starwatch: Run, tmp_path: Path) -> None:
    code, out, err = starwatch("patrol", "hourly", "--json")
    assert (code, out) == (2, "")
    assert "'hourly' is unknown; use one of morning, evening, weekly, on_demand" in one_line(err)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("command", [("ask", "hello"), ("patrol", "morning"), ("mcp",)])
def test_a_broken_file_of_scopes_is_one_line_and_exit_two(
    starwatch: Run, real: dict[str, str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text("scopes:\n  - {surface: slack, acounts: [a]}\n")
    code, out, err = starwatch(*command, **(real | {"STARWATCH_SCOPES": str(path)}))
    assert (code, out) == (2, "")
    assert "STARWATCH_SCOPES: " in one_line(err.splitlines()[-1] + "\n")
    assert "scopes.0.acounts: no such key" in err


def test_a_channel_is_answered_from_its_own_part_of_the_fleet(
    starwatch: Run, real: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "scopes.yaml"
    path.write_text("scopes: [{surface: slack, channel: C1, accounts: [nobody000]}]")
    scoped = real | {"STARWATCH_SCOPES": str(path)}
    question = "How many clusters are there?"
    code, out, _ = starwatch("ask", "--json", "--thread", "slack:T:C1:1", question, **scoped)
    assert code == 0
    assert "nobody000" in json.loads(out)["queries"][0]["sql"]
    code, out, _ = starwatch("ask", "--json", "--thread", "t9", question, **scoped)
    assert code == 0
    assert "nobody000" not in out


def test_a_broken_settings_file_is_one_line_and_exit_two(starwatch: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STARWATCH_MODEL=x\n= nonsense 'here\n")
    code, out, err = starwatch("ask", "hello")
    assert (code, out) == (2, "")
    assert ".env, line 2" in one_line(err)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "SLACK_BOT_TOKEN: is missing"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN: is missing"),
    ],
)
def test_serving_without_tokens_says_which_one_is_missing(
    starwatch: Run, variables: dict[str, str], named: str
) -> None:
    code, out, err = starwatch("serve", **variables)
    assert (code, out) == (2, "")
    assert named in one_line(err)
