"""The command line: every command, its options and its help. The work is in bot/commands/, loaded when a command runs,
so that `--help` never waits for a model SDK or a database."""

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.errors import OperatorError

app = typer.Typer(
    name="starwatch",
    help="Watches a fleet of StarRocks clusters: answers questions about it and patrols it.\n\n"
    "With no settings at all it starts an embedded warehouse with a simulated fleet and needs no key.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")]


def _run(command: str, **options: Any) -> None:
    module = importlib.import_module(f"bot.commands.{command}")
    raise typer.Exit(module.run(**options))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Patrol, two questions, and done; needs no terminal.")] = False,
    seed: Annotated[int, typer.Option(help="Which simulated fleet.")] = 7,
    scenario: Annotated[str, typer.Option(help="Which planted faults; see `starwatch warehouse --help`.")] = "default",
) -> None:
    """Patrol a simulated fleet, then take questions.

    Starts the embedded warehouse; needs no key and no server.
    """
    _run("demo", once=once, seed=seed, scenario=scenario)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know, in your own words.")],
    thread: Annotated[str | None, typer.Option(help="Go on in this thread; it remembers what was said.")] = None,
    json: Json = False,
) -> None:
    """Ask one question about the fleet."""
    _run("ask", question=question, thread=thread, as_json=json)


@app.command()
def investigate(
    cluster: Annotated[str, typer.Argument(help="Its id, the beginning of it, or its name.")],
    json: Json = False,
) -> None:
    """Look into one cluster: cause, evidence, what was ruled out, what to do.

    Exit code 1 when the cluster is not known.
    """
    _run("investigate", cluster=cluster, as_json=json)


@app.command()
def patrol(
    report_type: Annotated[str, typer.Argument(help="morning, evening, weekly or on_demand.")] = "on_demand",
    json: Json = False,
) -> None:
    """Patrol the whole fleet now."""
    _run("patrol", report_type=report_type, as_json=json)


@app.command()
def rules(
    action: Annotated[str, typer.Argument(help="list, or explain with a cluster.")] = "list",
    cluster: Annotated[str | None, typer.Argument(help="Its id, the beginning of it, or its name.")] = None,
    json: Json = False,
) -> None:
    """Show the rules of health, or why a cluster stands where it stands: `rules explain CLUSTER`."""
    _run("rules", action=action, cluster=cluster, as_json=json)


@app.command()
def backtest(
    rules: Annotated[
        str | None, typer.Option(help="A changed rules file (as `agent/patrol/rules.yaml`), or `reference`.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="FILE", help="A changed prompt (as `agent/prompts/patrol.md`).")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Another model id.")] = None,
    days: Annotated[int, typer.Option(min=1, max=31, help="How many days back.")] = 3,
    every: Annotated[int, typer.Option(min=1, max=168, help="Hours between two looks.")] = 12,
    yes: Annotated[bool, typer.Option("--yes", help="Spend what the replay is estimated to cost.")] = False,
    max_usd: Annotated[float | None, typer.Option(min=0.01, help="Spend so many dollars at most.")] = None,
    json: Json = False,
) -> None:
    """Judge the recorded days again by changed rules, prompt or model.

    Tells which flags appear and vanish, and what it cost. With a prompt or a model whole reports are written, by both
    versions: that costs money, which is told first.
    """
    changed = {"rules": rules, "prompt": prompt, "model": model}
    _run("backtest", **changed, days=days, every=every, yes=yes, max_usd=max_usd, as_json=json)


@app.command()
def serve() -> None:
    """Be the bot: answer in Slack and Lark, patrol by the clock.

    Ends on SIGTERM or Ctrl-C.
    """
    _run("serve")


@app.command()
def mcp(
    http: Annotated[
        str | None,
        typer.Option(metavar="[HOST:]PORT", help="Serve over HTTP here, not stdio; 0 = any free port."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="A further host name by which HTTP clients reach this server; repeatable.")
    ] = None,
) -> None:
    """Serve the warehouse tools to MCP clients, over stdio or HTTP.

    Beyond loopback HTTP clients must bring STARWATCH_MCP_TOKEN as bearer token.
    """
    _run("mcp", http=http, names=tuple(name or ()))


@app.command("mcp-servers")
def mcp_servers(json: Json = False) -> None:
    """List the foreign MCP servers of STARWATCH_MCP_SERVERS.

    Starts each, shows its tools, and tells the hash by which changed tools are accepted. Exit code 1 when one is not in
    use.
    """
    _run("mcp_servers", as_json=json)


@app.command("init-db")
def init_db(
    show: Annotated[bool, typer.Option("--show", help="Print the statements and change nothing.")] = False,
    print_grants: Annotated[
        bool, typer.Option("--print-grants", help="Print what creates the two users and their limits; change nothing.")
    ] = False,
    reader: Annotated[str, typer.Option(help="Name of the read-only user in --print-grants.")] = "starwatch",
    writer: Annotated[str, typer.Option(help="Name of the user that stores reports.")] = "starwatch_writer",
    group: Annotated[str, typer.Option(help="Name of the resource group.")] = "starwatch",
    host: Annotated[str, typer.Option(help="Where the users may come from; % = anywhere.")] = "%",
) -> None:
    """Create the three databases in your StarRocks.

    They are metrics, byoc and alerts; existing tables stay as they are.
    """
    _run("init_db", show=show, print_grants=print_grants, reader=reader, writer=writer, group=group, host=host)


@app.command()
def audit(
    since: Annotated[str, typer.Option(metavar="AGE", help="How far back, e.g. 30m, 1h, 7d.")] = "1d",
    thread: Annotated[str | None, typer.Option(help="Only calls asked in this thread.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only calls that were refused or failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many calls.")] = 200,
    json: Json = False,
) -> None:
    """Show who asked what of the warehouse, and what became of it.

    Reads STARWATCH_AUDIT_FILE; oldest first, times in UTC.
    """
    _run("audit", since=since, thread=thread, refused=refused, limit=limit, as_json=json)


@app.command()
def feedback(
    bad: Annotated[bool, typer.Option("--bad", help="Only thumbs down.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    json: Json = False,
) -> None:
    """Show what people thought of answers, newest first."""
    _run("feedback", verdict="bad" if bad else None, limit=limit, as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """Check settings, warehouse, model, Slack and Lark.

    Exit code 1 when something is wrong.
    """
    _run("doctor", as_json=json)


@app.command()
def warehouse(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 = any free one.")] = 9030,
    seed: Annotated[int, typer.Option(help="Which simulated fleet.")] = 7,
    clusters: Annotated[int, typer.Option(min=1, max=5000, help="Active clusters.")] = 170,
    days: Annotated[int, typer.Option(min=2, max=400, help="Days of hourly metrics.")] = 30,
    scenario: Annotated[
        str,
        typer.Option(help="default, none, decoys, random:N, rough:N, rough-decoys, or the name of one kind of fault."),
    ] = "default",
    truth_file: Annotated[Path | None, typer.Option(help="Write what was planted to this JSON file.")] = None,
    load: Annotated[Path | None, typer.Option(help="Serve your own export: one CSV or Parquet file per table.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="No tables; admin/admin may create them (init-db).")] = False,
) -> None:
    """Serve the embedded warehouse to MySQL clients."""
    _run(
        "warehouse",
        port=port,
        seed=seed,
        clusters=clusters,
        days=days,
        scenario=scenario,
        truth_file=truth_file,
        load=load,
        empty=empty,
    )


def main() -> None:
    """Run the command; a problem that the operator can fix is one line on stderr and exit code 2."""
    try:
        app(prog_name="starwatch")
    except OperatorError as error:
        print(f"starwatch: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
