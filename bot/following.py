"""Which threads are answered in without a mention: those we take part in, unless they are muted or their channel is."""

from typing import Protocol

from handlers.preferences import FOLLOW, MUTED, OFF, ON, Preferences, channel_of


class Known(Protocol):
    """The threads that we take part in."""

    async def knows(self, thread: str) -> bool:
        """Whether something was asked or posted by us in this thread."""
        ...


class Following:
    """What a surface asks before it takes a reply for a question."""

    def __init__(self, known: Known, preferences: Preferences) -> None:
        self._known = known
        self._preferences = preferences

    async def knows(self, thread: str) -> bool:
        """Whether a reply in this thread needs no mention. Raises what the database raises."""
        if not await self._known.knows(thread):
            return False
        if (await self._preferences.of(thread)).get(MUTED) == ON:
            return False
        return (await self._preferences.of(channel_of(thread))).get(FOLLOW) != OFF
