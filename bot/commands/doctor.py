"""`starwatch doctor`: looks at every part that the settings name and says what is wrong and what to do."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import ModelError
from agent.messages import user_text
from agent.model import Request
from bot import checkup, running, selfcheck
from bot.compose import door_to, thinker
from bot.errors import OperatorError
from bot.foreign_listing import listed
from bot.lark import service as lark
from bot.neighbours import foreign_servers
from bot.settings import Settings, load
from bot.slack.scopes import missing
from bot.slack.service import reached, slack_config
from bot.terminal import Terminal, console
from bot.warehouse import Address, named
from bot.writer import WarehouseWriter
from handlers.document import Document, Table
from handlers.surface import SurfaceError
from mcp_server.errors import DoorError


@dataclass(frozen=True, slots=True)
class Check:
    """One part looked at. `state` is ok, warning (works, but more may happen than should), wrong, or off (not
    configured, and nothing is wrong with that)."""

    part: str
    state: str
    detail: str


def run(*, as_json: bool) -> int:
    """0 when nothing is wrong, 1 when something is."""
    checks = running.run(_examine(load(os.environ, Path.cwd())))
    if as_json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        rows = tuple((check.part, check.state, check.detail) for check in checks)
        table = Document("doctor", (Table(("part", "state", "detail"), rows),))
        running.run(Terminal(console(), console(stream_is_error=True)).post("", table))
    return int(any(check.state == "wrong" for check in checks))


async def _examine(settings: Settings) -> Sequence[Check]:
    place = named(settings)
    parts: dict[str, Callable[[], Awaitable[tuple[str, str]]]] = {
        **selfcheck.parts(settings),
        "warehouse": lambda: _warehouse(settings),
        "writer account": lambda: _writer(settings),
        **(checkup.parts(place, settings) if place else {}),
        "model": lambda: _model(settings),
        "Slack": lambda: _slack(settings),
        "Lark": lambda: _lark(settings),
        "MCP servers": lambda: _foreign(settings),
    }
    return await asyncio.gather(*(_look(part, look()) for part, look in parts.items()))


async def _look(part: str, look: Awaitable[tuple[str, str]]) -> Check:
    try:
        state, detail = await look
    except OperatorError as error:
        return Check(part, "wrong", str(error))
    return Check(part, state, detail)


async def _warehouse(settings: Settings) -> tuple[str, str]:
    place = named(settings)
    if place is None:
        return "off", "no STARWATCH_STARROCKS_HOST: commands start the embedded warehouse"
    async with door_to(place, settings) as door:
        try:
            newest = await door.read("SELECT max(snapshot_hour) AS newest FROM metrics.amv_hourly_snapshots_v1", 1)
        except DoorError as error:
            return "wrong", f"the fleet's tables are there, but its metrics cannot be read: {error.reason}"
    hour = newest.rows[0][0] if newest.rows else None
    return ("ok", f"{_where(place)}; newest metrics {hour} UTC") if hour else ("wrong", f"{_where(place)}; no metrics")


async def _writer(settings: Settings) -> tuple[str, str]:
    place = named(settings)
    if place is None or place.writer is None:
        return "off", "no STARWATCH_WRITER_USER: reports are posted but not stored in the warehouse"
    await WarehouseWriter(place).check()
    return "ok", f"{place.writer.user} can log in"


async def _model(settings: Settings) -> tuple[str, str]:
    if not settings.uses_claude:
        return "off", "no ANTHROPIC_API_KEY (or STARWATCH_ANALYST=rules): the rules-only analyst answers"
    request = Request(system="Answer with the one word: ready.", messages=[user_text("Are you ready?")])
    async with thinker(settings) as model:
        try:
            reply = await model.reply(request)
        except ModelError as error:
            return "wrong", error.user_message
    return "ok", f"{reply.model} answers"


async def _slack(settings: Settings) -> tuple[str, str]:
    if settings.slack_bot_token is None:
        return "off", "no SLACK_BOT_TOKEN: `starwatch serve` needs it, or LARK_APP_ID"
    slack = await reached(slack_config(settings))
    if lacking := await missing(slack.client):
        return "warning", (
            f"workspace {slack.team}; install the app again with the scopes of manifest.yml, without "
            + "; without ".join(lacking)
        )
    return "ok", f"workspace {slack.team}"


async def _lark(settings: Settings) -> tuple[str, str]:
    if settings.lark_app_id is None:
        return "off", "no LARK_APP_ID: `starwatch serve` answers on Slack alone"
    async with lark.reached(lark.lark_config(settings)) as found:
        try:
            needed, welcome = await lark.lacking(found)
        except SurfaceError as error:
            return "warning", f"bot {found.name}; its scopes cannot be looked at: {error}"
    told = [*_without(lark.NEEDED, needed), *_without(lark.WELCOME, welcome)]
    if told:
        return "wrong" if needed else "warning", f"bot {found.name}; grant in the app's page: {'; '.join(told)}"
    return "ok", f"bot {found.name}, app {found.team}"


def _without(reasons: Mapping[str, str], scopes: Sequence[str]) -> list[str]:
    return [f"{scope} ({reasons[scope]})" for scope in scopes]


async def _foreign(settings: Settings) -> tuple[str, str]:
    listings = await listed(foreign_servers(settings.mcp_servers, os.environ))
    if not listings:
        return "off", "no STARWATCH_MCP_SERVERS: no tools but our own"
    unused = [listing.detail for listing in listings if listing.state != "used"]
    return ("wrong", "; ".join(unused)) if unused else ("ok", f"{', '.join(one.name for one in listings)} in use")


def _where(place: Address) -> str:
    return f"{place.reader.user} at {place.host}:{place.port}"
