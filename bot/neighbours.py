"""Foreign MCP servers: read from the file that the settings name, started or connected, and guarded."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

import schema
from agent.foreign import Admit, ArgumentRefused, ForeignServer
from agent.foreign_tools import ForeignTools, foreign_connection
from agent.tools import ToolResult, ToolSpec
from agent.toolset import Neighbour
from agent.untrusted import visible
from bot.errors import SettingsError
from bot.settings import BaseUrl
from mcp_server.errors import Code, DoorError, RateLimited, Refusal
from mcp_server.guard import Guard
from mcp_server.limits import Limits
from mcp_server.principal import Caller
from mcp_server.recorder import Recorder

KEY = "STARWATCH_MCP_SERVERS"
MOST_SERVERS = 16

_MAX_BYTES = 256 * 1024
_REASON = 200
_ROWS = 1_000
"""Rows to which a foreign server's SQL is limited."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    servers: list[dict[str, Any]] = Field(max_length=MOST_SERVERS)


def foreign_servers(path: Path | None, environ: Mapping[str, str]) -> tuple[ForeignServer, ...]:
    """The servers of a YAML file, see docs/mcp.md; none without a file.

    `env_from` and `bearer_from` name variables of `environ`, so that the file holds no secret. Raises SettingsError
    with one line that names the key and the fix.
    """
    if path is None:
        return ()
    try:
        file = _File.model_validate(_read(path))
        servers = tuple(_server(entry, environ) for entry in file.servers)
    except ValidationError as error:
        raise SettingsError(f"{KEY}: {path}: {_fault(error)}") from None
    names = [server.name for server in servers]
    if len(set(names)) < len(names):
        raise SettingsError(f"{KEY}: {path}: two servers have one name; rename one")
    return servers


@asynccontextmanager
async def neighbours(
    servers: Sequence[ForeignServer], *, approvable: bool = False
) -> AsyncIterator[tuple[ForeignTools, ...]]:
    """The tools of the servers, which run while the context is open. Nothing here waits for them to be up.
    `approvable` = somebody can approve the calls of those that change something."""
    admit = guarded(Guard(schema.TABLES))
    async with AsyncExitStack() as stack:
        found = []
        for server in servers:
            connection = await stack.enter_async_context(foreign_connection(server))
            found.append(ForeignTools(server, connection, admit, approvable=approvable))
        yield tuple(found)


Call = Callable[[str, Mapping[str, Any]], Awaitable[ToolResult]]


class Audited:
    """Implements `agent.toolset.Neighbour` for one caller: each call is counted and noted as those of the door,
    so that what one person may ask in a minute does not grow with the number of servers."""

    def __init__(self, tools: Neighbour, limits: Limits, recorder: Recorder, caller: Caller) -> None:
        self._tools = tools
        self._limits = limits
        self._recorder = recorder
        self._caller = caller

    @property
    def names(self) -> frozenset[str]:
        """See `Neighbour`."""
        return self._tools.names

    def notice(self) -> str:
        """See `Neighbour`."""
        return self._tools.notice()

    async def specs(self) -> Sequence[ToolSpec]:
        """See `agent.tools.Tools`."""
        return await self._tools.specs()

    async def prepared(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `agent.approval.Acts`."""
        return await self._tools.prepared(name, arguments)

    async def act(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.approval.Acts`. Counts against nobody's minute: people let it through one by one."""
        return await self._noted(name, arguments, self._tools.act)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.tools.Tools`."""
        try:
            async with self._limits.turn(self._caller.principal):
                return await self._noted(name, arguments, self._tools.call)
        except RateLimited as error:
            error.about(name)
            self._recorder.refused(self._caller, name, arguments, error)
            return ToolResult(error.text(), is_error=True, data=error.data())

    async def _noted(self, name: str, arguments: Mapping[str, Any], call: Call) -> ToolResult:
        result = ToolResult("")
        # the recorder learns of a failure as the door does: by an error that passes it
        with contextlib.suppress(_CallFailed), self._recorder.call(self._caller, name, arguments, []):
            result = await call(name, arguments)
            if result.is_error:
                code = str((result.data or {}).get("code"))
                raise _CallFailed(Code(code) if code in set(Code) else Code.EXECUTION, visible(result.text)[:_REASON])
        return result


class _CallFailed(DoorError):
    """A foreign call that ended with an error result."""


def guarded(guard: Guard) -> Admit:
    """The door's guard for SQL that others run; it is shortened to 1,000 rows."""

    async def admit(sql: str) -> str:
        try:
            return (await guard.admit_async(sql, _ROWS)).sql
        except Refusal as refusal:
            raise ArgumentRefused(refusal.text(), refusal.data()) from None

    return admit


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise SettingsError(f"{KEY}: {path}: is larger than {_MAX_BYTES // 1024} KB")
        return yaml.safe_load(content)
    except OSError as error:
        raise SettingsError(f"{KEY}: {path}: cannot be read ({error.strerror or type(error).__name__})") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{KEY}: {path}{where}: is no YAML; correct it there") from None


def _server(entry: Mapping[str, Any], environ: Mapping[str, str]) -> ForeignServer:
    fields = dict(entry)
    name = str(fields.get("name", "a server without a name"))
    borrowed = fields.pop("env_from", None) or {}
    if not isinstance(borrowed, dict):
        raise SettingsError(f"{KEY}: {name}: env_from maps the server's variable to one of Starwatch's environment")
    if borrowed:
        given = {str(key): _variable(name, source, environ) for key, source in borrowed.items()}
        fields["env"] = {**(fields.get("env") or {}), **given}
    if "bearer" in fields:
        raise SettingsError(f"{KEY}: {name}: write bearer_from and the name of a variable; the file holds no secret")
    if (source := fields.pop("bearer_from", None)) is not None:
        fields["bearer"] = _variable(name, source, environ)
    if isinstance(fields.get("url"), str):
        TypeAdapter(BaseUrl).validate_python(fields["url"])
    return ForeignServer.model_validate(fields)


def _variable(server: str, name: Any, environ: Mapping[str, str]) -> str:
    value = environ.get(str(name))
    if not value:
        raise SettingsError(f"{KEY}: {server}: the environment variable {name} is missing or empty")
    return value


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(map(str, first["loc"]))
    return ": ".join(filter(None, (key, first["msg"].removeprefix("Value error, "))))
