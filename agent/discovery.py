"""The warehouse's schema as text for the system prompt, asked for once per process and then always the same bytes."""

import asyncio

from agent.tools import Tools

DISCOVERY_TOOL = "discover_schema"
NOT_READ = "(The schema could not be read. Use discover_schema and describe_table before writing SQL.)"


class Discovery:
    """Shared by all threads of a process. A failed attempt is not kept, so the next turn tries again."""

    def __init__(self, tools: Tools, max_chars: int = 24_000) -> None:
        self._tools = tools
        self._max_chars = max_chars
        self._text = ""
        self._lock = asyncio.Lock()

    async def text(self) -> str:
        """The schema, cut to `max_chars`; a sentence saying so when it cannot be had."""
        # Threads that begin together wait for one answer instead of each asking for the same.
        async with self._lock:
            if not self._text:
                result = await self._tools.call(DISCOVERY_TOOL, {})
                if result.is_error or not result.text.strip():
                    return NOT_READ
                self._text = result.text[: self._max_chars]
            return self._text
