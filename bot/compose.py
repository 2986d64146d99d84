"""Puts the process together: warehouse, door, model, sessions, patrols. The only module that knows every part."""

import importlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import schema
from agent.charting import Charting
from agent.chat import BYOCAgent
from agent.discovery import Discovery
from agent.investigation.run import InvestigationWriter, Investigator
from agent.loop import Limits
from agent.mcp_connection import ConnectionTimes, McpConnection
from agent.mcp_tools import McpTools
from agent.model import Model
from agent.patrol.evidence import Evidence
from agent.patrol.profiles import profile_of
from agent.patrol.rules import load_rules
from agent.patrol.run import Patrol, ReportWriter
from agent.rules_only import RulesAnalyst, from_rules
from agent.tools import Tools
from agent.toolset import NamesCollide, Neighbour, Toolset
from bot.caller import PATROL, caller_in, reader_in, told
from bot.clock import utc_now
from bot.errors import SettingsError, WarehouseError
from bot.investigations import Investigations
from bot.meters import Metered, Meters
from bot.neighbours import Audited, foreign_servers, neighbours
from bot.paths import audit_file, default_database_url
from bot.prices import load_prices
from bot.results import WarehouseResults
from bot.settings import Settings
from bot.shared_patrols import SharedPatrols
from bot.store import Store, open_store
from bot.thinking import Agents, Models, Patrols
from bot.warehouse import Address, address, door_config, live_endpoints
from bot.writer import NoWriter, WarehouseWriter
from handlers.purse import Thrift
from mcp_server.audit import AuditLog
from mcp_server.audit_file import AuditFile
from mcp_server.door import Door
from mcp_server.errors import Code, DoorError, ScopesInvalid
from mcp_server.limits import Allowance
from mcp_server.principal import EVERYTHING, Caller
from mcp_server.recorder import Recorder
from mcp_server.scope import Scopes, load_scopes
from mcp_server.server import build_server
from sandbox.launch import Options

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Starwatch:
    """The running parts that commands and surfaces use. `database` is the address of our own; `tools` are those
    of the door alone, `recorder` tells its audit."""

    place: Address
    model: Model
    store: Store
    agents: Agents
    patrols: SharedPatrols
    results: WarehouseResults
    database: str
    tools: Tools
    recorder: Recorder
    investigations: Investigations
    door: Door
    meters: Meters


def rules_analyst() -> RulesAnalyst:
    """The analyst that needs no model, judging by the same limits as the patrol."""
    return RulesAnalyst(from_rules(load_rules()))


@asynccontextmanager
async def thinker(settings: Settings) -> AsyncIterator[Model]:
    """Claude when there is a key and it is wanted, else the rules-only analyst."""
    if not settings.uses_claude or settings.anthropic_api_key is None:
        yield rules_analyst()
        return
    # loaded by name only now: the SDK takes seconds and a hundred megabytes that a process without a key never needs
    claude = importlib.import_module("agent.claude")
    config = claude.ClaudeConfig(
        api_key=settings.anthropic_api_key,
        base_url=settings.anthropic_base_url,
        model=settings.model,
        max_tokens=settings.max_output_tokens,
        effort=settings.effort,
    )
    async with claude.Claude(config) as model:
        yield model


@asynccontextmanager
async def thinking(settings: Settings, meters: Meters | None = None) -> AsyncIterator[Models]:
    """Who thinks while all is well, near a limit, and behind it. Without a cheaper one rules are both. Claude's calls
    are counted."""
    rules, prices, counts = rules_analyst(), load_prices(settings.prices), meters or Meters()

    def counted(model: Model) -> Model:
        return Metered(model, counts, prices) if model.analyst == "claude" else model

    async with thinker(settings) as full:
        if settings.cheaper_model is None:
            yield Models(counted(full), rules, rules)
            return
        async with thinker(settings.model_copy(update={"model": settings.cheaper_model})) as cheaper:
            yield Models(counted(full), counted(cheaper), rules)


async def require_readable(door: Door, place: Address) -> None:
    """Raises WarehouseError with the one line that tells the operator which setting to look at."""
    try:
        await door.read("SELECT count(*) AS clusters FROM byoc.clusters", 1)
    except DoorError as error:
        where = f"StarRocks at {place.host}:{place.port}, account {place.reader.user!r}"
        if error.code in {Code.UNKNOWN_TABLE, Code.UNKNOWN_COLUMN}:
            fix = "the fleet's tables are not there; create them with `starwatch init-db` and load them"
        elif error.code is Code.PERMISSION:
            fix = "the account may not SELECT on metrics, byoc and alerts; grant it, or check STARWATCH_STARROCKS_USER"
        else:
            fix = "check STARWATCH_STARROCKS_HOST, _PORT, _USER and _PASSWORD"
        raise WarehouseError(f"{where}: {error.reason}; {fix}") from None


def agents_of(
    settings: Settings,
    models: Models,
    tools: McpTools,
    discovery: Discovery,
    store: Store,
    neighbours_of: Callable[[Caller], Sequence[Neighbour]],
    meters: Meters,
) -> Agents:
    """An agent for any thread and user; all share the connections, the schema text and the store."""
    health_rules = load_rules().describe()
    prices = load_prices(settings.prices)

    def agent_of(thread: str, user: str, thrift: Thrift) -> BYOCAgent:
        model = models.of(thrift)
        caller = caller_in(thread, user)
        toolset = Toolset(Charting(tools.called_by(told(caller))), neighbours_of(caller))
        return BYOCAgent(
            model,
            toolset,
            store=store,
            thread=thread,
            floor=None if model.analyst == "rules-only" else models.rules,
            discovery=discovery,
            health_rules=health_rules,
            max_rounds=settings.max_tool_rounds,
            turn_seconds=settings.turn_seconds,
            notices=toolset.notices,
            acts=toolset,
        )

    return Agents(agent_of, prices, meters)


async def require_distinct(tools: McpTools, foreign: Sequence[Neighbour]) -> None:
    """Raises SettingsError when a foreign tool would have the name of another tool."""
    try:
        await Toolset(Charting(tools), foreign).require_distinct()
    except NamesCollide as error:
        raise SettingsError(f"STARWATCH_MCP_SERVERS: {error}; give the server another prefix") from None


def scopes_of(settings: Settings) -> Scopes:
    """Who may see what. Raises SettingsError with the one line that tells what to correct in the file."""
    if settings.scopes is None:
        return Scopes()
    try:
        return load_scopes(settings.scopes, schema.TABLES)
    except ScopesInvalid as error:
        raise SettingsError(f"STARWATCH_SCOPES: {error}") from None


@asynccontextmanager
async def door_to(place: Address, settings: Settings, until: datetime | None = None) -> AsyncIterator[Door]:
    """An opened door whose account was seen to work; all that is read through it is audited. `until` is the moment
    (aware) that it shows in place of the present; clusters' own front ends, which know no past, are not asked then."""
    allowance = Allowance(per_minute=settings.calls_per_minute)
    config = door_config(place, settings, {} if until else live_endpoints(settings, os.environ))
    scopes = replace(scopes_of(settings), until=until)
    async with (
        AuditLog(AuditFile(audit_file(settings))) as audit,
        Door(config, allowance=allowance, audit=audit, scopes=scopes) as door,
    ):
        await require_readable(door, place)
        yield door


def investigations_of(
    settings: Settings,
    models: Models,
    tools: McpTools,
    discovery: Discovery,
    store: Store,
    neighbours_of: Callable[[Caller], Sequence[Neighbour]],
    writer: InvestigationWriter,
    sees_all: Callable[[str, str], bool],
    meters: Meters,
) -> Investigations:
    """An investigator for any thread and user, judging by the same profile as the patrols."""
    profile = profile_of(settings.rules, load_rules())

    def investigator_of(thread: str, user: str, thrift: Thrift) -> Investigator:
        caller = caller_in(thread, user)
        # who may see all is shown the whole look anyway, and it is not held against their calls of a minute
        looker = tools.called_by(told(PATROL if sees_all(thread, user) else caller))

        async def look(now: datetime) -> Evidence:
            return await profile.look(looker, now, ())

        return Investigator(
            models.of(thrift),
            Toolset(Charting(tools.called_by(told(caller))), neighbours_of(caller)),
            look=look,
            store=store,
            thread=thread,
            writer=writer,
            discovery=discovery,
            limits=Limits(rounds=settings.max_tool_rounds, seconds=settings.turn_seconds),
        )

    return Investigations(investigator_of, load_prices(settings.prices), meters)


def patrols_of(
    settings: Settings,
    models: Models,
    tools: McpTools,
    store: Store,
    writer: ReportWriter,
    sees_all: Callable[[str, str], bool],
    meters: Meters,
) -> SharedPatrols:
    """A patrol for any thrift, done once however many ask for it at the same time."""

    def patrol_of(thrift: Thrift) -> Patrol:
        return Patrol(
            models.of(thrift),
            tools.called_by(told(PATROL)),
            writer=writer,
            max_rounds=settings.max_patrol_rounds,
            predictions=store.predictions,
            profile=profile_of(settings.rules, load_rules()),
            reports=store.findings,
            last=store.findings,
        )

    return SharedPatrols(Patrols(patrol_of, sees_all, meters), store.database, store.blobs, utc_now)


@asynccontextmanager
async def opened(settings: Settings, on_progress: Progress, options: Options | None = None) -> AsyncIterator[Starwatch]:
    """Everything but a surface, until the context ends. `options` are those of the embedded warehouse, if it is used.

    Raises OperatorError when something cannot be used as configured; nothing is left running then.
    """
    database, meters = settings.database_url or default_database_url(os.environ), Meters()
    scopes, servers = scopes_of(settings), foreign_servers(settings.mcp_servers, os.environ)
    async with (
        open_store(database, utc_now) as store,
        address(settings, options or Options(), on_progress) as place,
        door_to(place, settings) as door,
        McpConnection(
            lambda: build_server(door), name="starwatch", times=ConnectionTimes(call=settings.query_seconds + 10)
        ) as connection,
        neighbours(servers, approvable=bool(settings.approvers)) as foreign,
        thinking(settings, meters) as models,
    ):
        tools = McpTools(connection)
        discovery = Discovery(tools)
        await require_distinct(tools, foreign)
        writer = WarehouseWriter(place) if place.writer else NoWriter()

        def sees_all(channel: str, user: str) -> bool:
            return scopes.of(reader_in(channel, user)) == EVERYTHING

        def neighbours_of(caller: Caller) -> Sequence[Neighbour]:
            # foreign servers know no scopes, so they are for those who may see everything
            whole = scopes.of(caller.principal) == EVERYTHING
            return tuple(Audited(far, door.limits, door.recorder, caller) for far in foreign) if whole else ()

        agents = agents_of(settings, models, tools, discovery, store, neighbours_of, meters)
        investigations = investigations_of(
            settings, models, tools, discovery, store, neighbours_of, writer, sees_all, meters
        )
        results = WarehouseResults(tools, scopes.of)
        patrols = patrols_of(settings, models, tools, store, writer, sees_all, meters)
        yield Starwatch(
            place,
            models.full,
            store,
            agents,
            patrols,
            results,
            database,
            tools,
            door.recorder,
            investigations,
            door,
            meters,
        )
