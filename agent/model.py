"""What a model is to the loop: one request in, one reply out. Claude and the rules-only analyst both are one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agent.messages import Block, Message, text_of
from agent.tools import ToolSpec

Analyst = Literal["claude", "rules-only"]
StopReason = Literal["end_turn", "tool_use", "max_tokens", "refusal", "stop_sequence", "model_context_window_exceeded"]
OnWasted = Callable[[str, "Usage"], None]
"""Hears of tokens that a model took for a try that gave no whole reply: the model's id and the tokens."""

OnText = Callable[[str], Awaitable[None]]
"""Receives each piece of visible text as it arrives, in order. An empty piece takes back what this reply has
streamed so far: it broke off and is being asked for again."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One model call. The tool list stays the same through a turn so that prompt caches hold;
    `may_call_tools=False` is how the last allowed round is made to answer. `seconds_left` is all the time that the
    reply may take, waiting and asking again included; None sets no bound. `on_wasted` hears what broken tries took."""

    system: str
    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    may_call_tools: bool = True
    seconds_left: float | None = None
    on_wasted: OnWasted | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete model reply; `content` is what goes into the history. It may be empty on a refusal."""

    content: tuple[Block, ...]
    stop_reason: StopReason
    model: str
    usage: Usage = field(default_factory=Usage)

    @property
    def text(self) -> str:
        """The visible text of the reply."""
        return text_of(self.content)

    @property
    def tool_calls(self) -> tuple[Block, ...]:
        """The `tool_use` blocks, in the order the model wrote them."""
        return tuple(block for block in self.content if block["type"] == "tool_use")


class Model(Protocol):
    """A thing that thinks. `reply` raises a `agent.errors.ModelError` when there is no whole reply to be had."""

    @property
    def name(self) -> str:
        """The model id shown in footers and stored with reports."""
        ...

    @property
    def analyst(self) -> Analyst:
        """Which kind of analyst this is."""
        ...

    async def reply(self, request: Request, on_text: OnText | None = None) -> Reply:
        """One whole reply to `request`, its visible text also streamed to `on_text`."""
        ...
