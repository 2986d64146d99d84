"""A message in a channel of the stand-in."""

from dataclasses import dataclass, field
from typing import Any

TEAM, BOT, BOT_ID = "T0TEAM", "U0BOT", "B0BOT"


@dataclass(slots=True)
class Post:
    """One message in a channel, ours or a person's; `user` is who wrote it."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    user: str = BOT
    streaming: bool = False
    files: list[str] = field(default_factory=list)

    @property
    def is_plan(self) -> bool:
        """Whether it says what is being done, for as long as it lasts: it comes when work takes a while, and goes."""
        return any(block.get("type") == "plan" for block in self.blocks)

    @property
    def words(self) -> str:
        """Everything that can be read in the message's blocks, or its text when it has none."""
        return "\n".join(_texts(self.blocks)) or self.text


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
