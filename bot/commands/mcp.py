"""`starwatch mcp`: the door, offered over stdio or HTTP. Over stdio nothing but the protocol may appear on stdout."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from bot import logs, running
from bot.compose import door_to
from bot.errors import SettingsError
from bot.settings import Settings, load
from bot.terminal import Terminal, console
from bot.warehouse import address
from mcp_server.door import Door
from mcp_server.http import HttpConfig, HttpRefused, http_caller, serving
from mcp_server.server import STDIO, build_server
from sandbox.launch import Options


def run(*, http: str | None = None, names: Sequence[str] = ()) -> int:
    """Serves until the client closes stdin or, over HTTP, until SIGTERM or Ctrl-C."""
    return running.run(_serve(http, names))


def http_config(place: str, settings: Settings, names: Sequence[str]) -> HttpConfig:
    """What `[HOST:]PORT` means; an IPv6 address stands in brackets. Raises SettingsError saying what to do instead."""
    host, colon, port = place.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535 or (colon and not host):
        raise SettingsError(f"--http {place}: write PORT or HOST:PORT, e.g. --http 8642")
    try:
        clients = named_tokens(settings.mcp_tokens)
        return HttpConfig(host.strip("[]") or "127.0.0.1", int(port), settings.mcp_token, tuple(names), clients)
    except HttpRefused as error:
        raise SettingsError(f"--http {place}: {error} (STARWATCH_MCP_TOKEN, STARWATCH_MCP_TOKENS, --name)") from None


def named_tokens(setting: SecretStr | None) -> dict[str, SecretStr]:
    """The tokens of named clients by name. Raises SettingsError when the setting is not a list of `name:token`."""
    written = setting.get_secret_value().split(",") if setting is not None else []
    pairs = [entry.strip().partition(":") for entry in written if entry.strip()]
    tokens = {name.strip(): SecretStr(token.strip()) for name, _, token in pairs}
    if len(tokens) < len(pairs) or not all(colon for _, colon, _ in pairs):
        raise SettingsError("STARWATCH_MCP_TOKENS: write name:token, separated by commas; every name once")
    return tokens


async def _serve(http: str | None, names: Sequence[str]) -> int:
    settings = load(os.environ, Path.cwd())
    logs.configure(settings.log_level)
    config = http_config(http, settings, names) if http is not None else None
    progress = Terminal(console(stream_is_error=True), console(stream_is_error=True))
    async with address(settings, Options(), progress.show) as place, door_to(place, settings) as door:
        progress.show("")
        if config is None:
            await build_server(door, STDIO).run_stdio_async()
        else:
            await _over_http(door, config)
    return 0


async def _over_http(door: Door, config: HttpConfig) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    try:
        async with serving(build_server(door, http_caller), config) as url:
            print(f"ready {url}", flush=True)
            await stop.wait()
    except HttpRefused as error:
        raise SettingsError(f"--http: {error}") from None
