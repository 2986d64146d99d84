"""What Lark's error codes mean for us: whether to try again, whom to tell, and what is to be done."""

import re

from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import SurfaceError

STALE_TOKEN = frozenset({99991661, 99991663, 99991664, 99991668, 99991671})
"""The access token is no longer (or not yet) good; a fresh one may be."""
TOO_OFTEN = frozenset({99991400, 230020, 11232, 200740})
"""Asked for too often: by the app, in a chat, or about one card."""
BUSY = frozenset({1500, 2200, 99991401, 230049, 190005})
"""Lark itself is in trouble, or still at work on the same message."""
BAD_CARD = frozenset({230099, 230025, 200621, 200860, 200830, 300301, 300305, 300315})
"""Lark takes exception to what a card holds; the words of it can still go out as text."""
STREAM_CLOSED = frozenset({300309, 200850})
"""The card streams no longer, because it did so for ten minutes or because nothing came."""
BAD_SEQUENCE = 300317
NO_TOPICS = frozenset({230071, 230072})
"""The chat knows no topics, so replies stand in the chat itself."""
NOT_AN_OWN_CARD = frozenset({230001, 200750})
"""The message is not a card that was sent with its content, so that it is updated by another way."""

_GONE = frozenset({230002, 230011, 230050, 230110, 231003, 232006, 232009})
_ENDED = frozenset({10003, 10012, 10013, 10014, 10015, 99991662, 99991665, 99991670, 20012})

_ADVICE = {
    230001: "an argument is not to Lark's liking",
    230002: "add the bot to the chat",
    230006: "switch on the bot ability of the app and publish a version",
    230011: "the message was recalled",
    230013: "the person is outside the app's availability; widen it and publish a version",
    230018: "the chat lets nobody but its administrators speak",
    230027: "the app lacks a scope; docs/lark.md lists them",
    230035: "the bot may not speak in this chat",
    99991672: "the app lacks a scope; grant it and publish a version",
    99991679: "the app lacks a scope; grant it and publish a version",
    99991403: "the company's monthly quota of API calls is used up",
    10003: "check LARK_APP_ID and LARK_APP_SECRET",
    10014: "check LARK_APP_ID and LARK_APP_SECRET",
}

_SCOPE = re.compile(r"\b[a-z]+(?:_[a-z]+)*(?::[a-z_.]+)+\b")


class LarkRefusal(SurfaceError):
    """Lark answered with an error `code`; the text says what to do about it where that is known."""

    def __init__(self, call: str, code: int, said: str = "") -> None:
        advice = _ADVICE.get(code, "")
        scopes = ", ".join(missing_scopes(code, said))
        told = "; ".join(part for part in (advice, f"one of {scopes}" if scopes else "") if part)
        super().__init__(f"Lark refused {call}: {code}" + (f"; {told}" if told else ""))
        self.code = code
        self.scopes = missing_scopes(code, said)


class LarkPlaceGone(LarkRefusal, PlaceGone):
    """The chat, topic or message is there no longer, or not for us."""


class LarkAccessEnded(LarkRefusal, AccessEnded):
    """The app's id and secret open nothing any more."""


def refusal(call: str, code: int, said: str = "", retry_after: float | None = None) -> SurfaceError:
    """The error for a code of Lark's. `said` is Lark's own text; only the names of scopes are taken from it."""
    if code in TOO_OFTEN | BUSY:
        return SurfaceAway(f"Lark asks to wait with {call} ({code})", retry_after)
    kind = LarkPlaceGone if code in _GONE else LarkAccessEnded if code in _ENDED else LarkRefusal
    return kind(call, code, said)


def missing_scopes(code: int, said: str) -> tuple[str, ...]:
    """The scopes of which Lark wants one, where it says so."""
    return tuple(dict.fromkeys(_SCOPE.findall(said))) if code in {99991672, 99991679, 230027} else ()
