"""An investigation that was done: what it came to, and the answer that carries it through a thread."""

from dataclasses import dataclass

from agent.answer import Answer
from agent.investigation.checking import Checked
from agent.investigation.scene import Scene


@dataclass(frozen=True, slots=True)
class Investigation:
    """`answer` has the root cause as its text, and the calls, the cost and the notice of the turn; where it is `failed`
    there is nothing else. `created_at` is ISO UTC text. `degraded`: rules stood in for a model, `stored` is false when
    the warehouse did not take it."""

    id: str
    answer: Answer
    created_at: str
    scene: Scene | None = None
    checked: Checked | None = None
    degraded: bool = False
    stored: bool = True
    task: str = ""
    """What asked for it, when that was no person."""
