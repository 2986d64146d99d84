"""What can go wrong in a patrol, as a branch of the agent's tree (agent/errors.py).

PatrolError
├── RulesInvalid        the rules file is broken; names the key (operator, at start)
├── WarehouseUnreadable no evidence can be had; nothing can be reported (operator and channel)
└── ReportMalformed     a model's report does not have the asked form; says what is wrong (the model, when repairing)
"""

from typing import ClassVar

from agent.errors import AgentError


class PatrolError(AgentError):
    """Root of the patrol's errors."""


class RulesInvalid(PatrolError):
    """The rules file cannot be used; the text names the key and what is wrong with it."""


class WarehouseUnreadable(PatrolError):
    """The door answers no query, so there is no evidence to report on. `user_message` may be shown in a channel."""

    user_message: ClassVar[str] = (
        "The patrol could not read the warehouse, so nothing can be said about the fleet right now. "
        "Check that StarRocks is up and that Starwatch's account may read it, then run the patrol again."
    )


class ReportMalformed(PatrolError):
    """A model's text is not a report; `problems` are sentences a model can act on."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
