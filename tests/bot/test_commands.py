"""The command line as an operator meets it: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from sandbox.launch import Endpoint

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An empty folder, an own state folder, and none of the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch


@pytest.fixture
def starwatch(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def run(*words: str, **variables: str) -> tuple[int, str, str]:
        environment.setattr(sys, "argv", ["starwatch", *words])
        for name, value in variables.items():
            environment.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


@pytest.fixture
def real(warehouse: Endpoint) -> dict[str, str]:
    """The settings that name the embedded warehouse as if it were somebody's StarRocks."""
    return {
        "STARWATCH_STARROCKS_HOST": warehouse.host,
        "STARWATCH_STARROCKS_PORT": str(warehouse.port),
        "STARWATCH_STARROCKS_USER": warehouse.reader[0],
        "STARWATCH_STARROCKS_PASSWORD": warehouse.reader[1],
        "STARWATCH_WRITER_USER": warehouse.writer[0],
        "STARWATCH_WRITER_PASSWORD": warehouse.writer[1],
    }


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
    for command in ("demo", "ask", "patrol", "serve", "mcp", "init-db", "doctor", "warehouse"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["demo", "ask", "patrol", "serve", "mcp", "init-db", "doctor", "warehouse"])
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


def test_init_db_shows_its_statements_without_touching_anything(starwatch: Run) -> None:
    code, out, _ = starwatch("init-db", "--show")
    assert code == 0
    for name in ("amv_hourly_snapshots_v1", "clusters", "patrol_reports"):
        assert name in out


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "STARWATCH_STARROCKS_HOST: is missing"),
        ({"STARWATCH_STARROCKS_HOST": "h", "STARWATCH_STARROCKS_USER": "u"}, "STARWATCH_ADMIN_USER: is missing"),
    ],
)
def test_init_db_without_an_account_says_which_setting_is_missing(
    starwatch: Run, variables: dict[str, str], named: str
) -> None:
    code, out, err = starwatch("init-db", **variables)
    assert (code, out) == (2, "")
    assert named in one_line(err)


def test_init_db_with_an_account_that_may_not_create_names_the_statement(starwatch: Run, real: dict[str, str]) -> None:
    admin = {"STARWATCH_ADMIN_USER": "reader", "STARWATCH_ADMIN_PASSWORD": "reader"}
    code, out, err = starwatch("init-db", **real, **admin)
    assert (code, out) == (2, "")
    assert "refused 'CREATE DATABASE" in err.splitlines()[-1]


def test_doctor_says_what_works_and_what_is_off(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("doctor", "--json", **real)
    states = {check["part"]: check["state"] for check in json.loads(out)}
    assert code == 0
    assert states == {"own database": "ok", "warehouse": "ok", "writer account": "ok", "model": "off", "Slack": "off"}


def test_doctor_names_what_is_wrong_and_exits_with_one(starwatch: Run, real: dict[str, str]) -> None:
    code, out, _ = starwatch("doctor", "--json", **(real | {"STARWATCH_WRITER_PASSWORD": "no"}))
    checks = {check["part"]: check for check in json.loads(out)}
    assert code == 1
    assert checks["writer account"]["state"] == "wrong"
    assert "STARWATCH_WRITER_USER" in checks["writer account"]["detail"]
    assert checks["warehouse"]["state"] == "ok"
