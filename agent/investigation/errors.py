"""What can go wrong in an investigation, as a branch of the agent's tree (agent/errors.py).

InvestigationError
└── ConclusionMalformed  a model's conclusion does not have the asked form; says what is wrong (the model)
"""

from agent.errors import AgentError


class InvestigationError(AgentError):
    """Root of the errors of investigations."""


class ConclusionMalformed(InvestigationError):
    """A model's text is no conclusion; `problems` are sentences that a model can act on."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
