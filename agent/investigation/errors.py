"""What can go wrong in an investigation, as a branch of the agent's tree (agent/errors.py).

InvestigationError
├── SceneUnreadable      the fleet cannot be looked at, so there is nothing to investigate from (channel)
└── ConclusionMalformed  a model's conclusion does not have the asked form; says what is wrong (the model)
"""

from typing import ClassVar

from agent.errors import AgentError


class InvestigationError(AgentError):
    """Root of the errors of investigations."""


class SceneUnreadable(InvestigationError):
    """The door answers no query. `user_message` may be shown in a channel."""

    user_message: ClassVar[str] = (
        "The warehouse could not be read, so nothing can be said about this cluster right now. "
        "Check that StarRocks is up and that Starwatch's account may read it, then ask again."
    )


class ConclusionMalformed(InvestigationError):
    """A model's text is no conclusion; `problems` are sentences that a model can act on."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
