"""Where something is said on Lark, as the one string that the rest of the process passes around."""

import re
from dataclasses import dataclass
from typing import Literal

PREFIX = "lark"

_ID = re.compile(r"[A-Za-z0-9_\-]{1,80}")


@dataclass(frozen=True, slots=True)
class Place:
    """A chat (`oc_…`) or a person (`ou_…`), or with `message` the topic that hangs under that message, or the message
    itself. `app` is the id of our app, which belongs to one company and so stands for it; empty when only the id of a
    chat or person was given."""

    app: str
    chat: str
    message: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (PREFIX, self.app, self.chat, self.message) if part)

    @property
    def kind(self) -> Literal["chat_id", "open_id"]:
        """How Lark calls the kind of id that `chat` is."""
        return "open_id" if self.chat.startswith("ou_") else "chat_id"


def parse(text: str) -> Place:
    """`lark:APP:CHAT:MESSAGE`, `lark:APP:CHAT` or a bare id. Raises ValueError for anything else."""
    parts = text.split(":")
    if not all(_ID.fullmatch(part) for part in parts):
        raise ValueError("not a place on Lark")
    match parts:
        case [chat] if chat.startswith(("oc_", "ou_")):
            return Place("", chat)
        case ["lark", app, chat]:
            return Place(app, chat)
        case ["lark", app, chat, message]:
            return Place(app, chat, message)
        case _:
            raise ValueError("not a place on Lark")
