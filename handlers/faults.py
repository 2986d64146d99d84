"""How a chat platform fails, sorted by what is to be done about it; kept apart from the port that they come out of.

SurfaceError         the platform refused this one call; saying it again is no use
├── SurfaceAway      it cannot be reached, fails or asks to wait: the same call may succeed later
├── PlaceGone        the thread, channel or message is there no longer, so nobody waits for what is being done for it
└── AccessEnded      our access was taken away: nothing gets through until an operator has acted
"""

from handlers.surface import SurfaceError


class SurfaceAway(SurfaceError):
    """Whether the call arrived is not known. `retry_after` is in seconds, None when the platform named no time."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class PlaceGone(SurfaceError):
    """What the call was for was deleted, or we were taken out of it."""


class AccessEnded(SurfaceError):
    """The token was revoked or the app taken out of the workspace."""
