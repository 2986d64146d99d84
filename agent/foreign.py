"""MCP servers of others: what an operator allows of them, and the hash by which their tools are pinned.

A tool's description is text for the model written by somebody else, so a server is used only while it offers exactly
the descriptions and schemas that an operator has accepted."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from mcp.types import Tool
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from agent.errors import ToolsRefused

Admit = Callable[[str], Awaitable[str]]
"""The guard: an SQL text in, the only text to run out. Raises `ArgumentRefused`."""

Check = Literal["sql", "table", "word"] | tuple[str, ...]
"""What an argument must be: a SELECT that the guard admits, a table (`database.table`) that it lets be read, a plain
word, or one of the listed values."""

MAX_NAME = 64
# Narrow on purpose: some servers paste a word into a statement or a shell line.
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_TABLE = re.compile(r"[A-Za-z_]\w{0,63}\.[A-Za-z_]\w{0,63}", re.ASCII)
_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,30}$"


class ArgumentRefused(Exception):
    """An argument may not be passed on; `text` tells the model why, `data` tells code."""

    def __init__(self, text: str, data: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.text = text
        self.data = data


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AllowedTool(_Frozen):
    """A tool that may be used. `approval` tools change something: they are not offered where nobody can approve
    them. `arguments` that are not named here are passed on as they are, within the tool's own schema."""

    access: Literal["read_only", "approval"]
    arguments: dict[str, Check] = Field(default_factory=dict)


class ForeignServer(_Frozen):
    """A server as the settings name it: a `command` to start or a `url` to connect to, never both."""

    name: Annotated[str, Field(pattern=_NAME)]
    prefix: Annotated[str, Field(pattern=_NAME)] = ""
    command: str | None = None
    args: tuple[str, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)
    url: str | None = None
    bearer: SecretStr | None = None
    tools: Annotated[dict[str, AllowedTool], Field(min_length=1, max_length=64)]
    hash: str = ""
    seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    error_prefix: str = ""
    """Texts that begin so are errors, for servers that do not mark theirs."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError(f"{self.name}: give either a command or a url")
        if self.url is not None and (self.args or self.env):
            raise ValueError(f"{self.name}: args and env belong to a command")
        if self.bearer is not None and self.url is None:
            raise ValueError(f"{self.name}: a bearer token belongs to a url")
        long = [
            name for name in map(self.shown, self.tools) if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_NAME}}}", name)
        ]
        if long:
            raise ValueError(
                f"{self.name}: {long[0]}: a tool's name with its prefix is up to {MAX_NAME} of A-Z a-z 0-9 _ -"
            )
        return self

    def shown(self, tool: str) -> str:
        """The tool's name for the model."""
        return f"{self.prefix or self.name + '_'}{tool}"

    def require_accepted(self, listed: Sequence[Tool]) -> None:
        """Raises ToolsRefused when the allowed tools among `listed` are not those of the pinned hash."""
        offered = {tool.name: tool for tool in listed}
        missing = sorted(set(self.tools) - set(offered))
        if missing:
            raise ToolsRefused(f"{self.name} does not offer {', '.join(missing)}")
        # Over the allowed ones alone, so that a new tool beside them does not switch the server off.
        found = tools_hash([offered[name] for name in self.tools])
        if not self.hash:
            raise ToolsRefused(f"{self.name}: nobody has accepted its tools yet; their hash is {found}", found)
        if found != self.hash:
            raise ToolsRefused(f"{self.name}: a description or schema changed; the new hash is {found}", found)


def tools_hash(tools: Sequence[Tool]) -> str:
    """`sha256:` and 64 hex digits over name, description and input schema, in whatever order they are listed."""
    told = [{"name": tool.name, "description": tool.description, "schema": tool.input_schema} for tool in tools]
    text = json.dumps(sorted(told, key=lambda tool: str(tool["name"])), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def checked(arguments: Mapping[str, Any], checks: Mapping[str, Check], admit: Admit) -> dict[str, Any]:
    """The arguments that may be passed on, SQL replaced by the guard's own text. Raises `ArgumentRefused`."""
    passed = dict(arguments)
    for name, check in checks.items():
        # What is absent or null cannot carry anything; whether it may be is for the tool's own schema to say.
        if passed.get(name) is not None:
            passed[name] = await _checked(name, passed[name], check, admit)
    return passed


async def _checked(name: str, value: Any, check: Check, admit: Admit) -> str:
    if not isinstance(value, str):
        raise _refusal(name, "must be text")
    if check == "sql":
        return await admit(value)
    if check == "table":
        if not _TABLE.fullmatch(value):
            raise _refusal(name, "must be a table, written database.table")
        # some servers put the name into a statement as it is, so it has to be one that may be read
        await admit(f"SELECT 1 AS one FROM {value}")
    elif check == "word":
        if not _WORD.fullmatch(value):
            raise _refusal(name, "must be one plain word")
    elif value not in check:
        raise _refusal(name, f"must be one of {', '.join(check)}")
    return value


def _refusal(name: str, reason: str) -> ArgumentRefused:
    text = f"{name} {reason}"
    return ArgumentRefused(f"BAD_ARGUMENT: {text}", {"code": "bad_argument", "reason": text})
