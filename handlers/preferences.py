"""What a channel or a thread was told about how we are to behave in it, under a few names."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

LANGUAGE = "language"
ZONE = "zone"
FOLLOW = "follow"
"""Of a channel: whether replies in our threads are answered without a mention; `off` or nothing."""
CONTEXT = "context"
"""Of a channel: whether what others say in a thread is read along with a question; `off` or nothing."""
MUTED = "muted"
"""Of a thread: `on` when only mentions are answered in it."""
TOLD = "told"
"""Of a thread: the order of the last message up to which it was read."""
OFF, ON = "off", "on"


class Preferences(Protocol):
    """Kept by place, over restarts."""

    async def of(self, place: str) -> Mapping[str, str]:
        """All that is set for a channel or thread. Raises what the database raises."""
        ...

    async def put(self, place: str, name: str, value: str) -> None:
        """Set one; an empty value forgets it."""
        ...


class Passing:
    """Preferences that end with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = defaultdict(dict)

    async def of(self, place: str) -> Mapping[str, str]:
        """See `Preferences`."""
        return dict(self._kept.get(place, {}))

    async def put(self, place: str, name: str, value: str) -> None:
        """See `Preferences`."""
        self._kept[place].pop(name, None)
        if value:
            self._kept[place][name] = value


def channel_of(place: str) -> str:
    """The channel that a thread is in, `surface:team:channel`; a channel is in itself."""
    return ":".join(place.split(":")[:3])
