"""Several sets of tools as one: the door's own and those of foreign servers, under names that cannot collide."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent.errors import AgentError
from agent.tools import ToolResult, Tools, ToolSpec


class NamesCollide(AgentError):
    """Two tools would have one name; the text names it."""


class Neighbour(Tools, Protocol):
    """The tools of a foreign server."""

    @property
    def names(self) -> frozenset[str]:
        """The names of all tools that the settings allow, offered or not."""
        ...

    def notice(self) -> str:
        """One sentence for the user while the server is not in use, else empty."""
        ...

    async def prepared(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `agent.approval.Acts`."""
        ...

    async def act(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.approval.Acts`."""
        ...


class Toolset:
    """Implements `agent.tools.Tools` and `agent.approval.Acts`. What no foreign server owns is the door's."""

    def __init__(self, own: Tools, foreign: Sequence[Neighbour]) -> None:
        self._own = own
        self._foreign = tuple(foreign)
        self._owners = {name: tools for tools in foreign for name in tools.names}

    async def require_distinct(self) -> None:
        """Raises `NamesCollide`, and `ToolsUnavailable` when the own tools cannot be listed."""
        names = Counter(name for tools in self._foreign for name in tools.names)
        names.update(spec.name for spec in await self._own.specs())
        twice = sorted(name for name, count in names.items() if count > 1)
        if twice:
            raise NamesCollide(f"two tools are called {', '.join(twice)}")

    async def specs(self) -> Sequence[ToolSpec]:
        """The own tools, then those of each foreign server in the order of the settings."""
        parts = await asyncio.gather(self._own.specs(), *(tools.specs() for tools in self._foreign))
        return [spec for part in parts for spec in part]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.tools.Tools`."""
        # Unknown names go to the door as well, whose refusal lists what there is.
        return await self._owners.get(name, self._own).call(name, arguments)

    async def prepared(self, name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `agent.approval.Acts`; the door changes nothing, so only foreign tools act."""
        return await self._owners[name].prepared(name, arguments)

    async def act(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """See `agent.approval.Acts`."""
        return await self._owners[name].act(name, arguments)

    def notices(self) -> tuple[str, ...]:
        """What users should know about servers that are not in use."""
        return tuple(notice for tools in self._foreign if (notice := tools.notice()))
