"""What can go wrong while thinking, as one tree; its branches are named by what the reader can do about it.

AgentError                  `user_message` may be shown in a channel; the exception's own text is for the log alone
├── ModelError              no whole reply is to be had
│   ├── ModelBilling        the account is out of credit or at a spend limit
│   ├── ModelAuthentication the key is missing, wrong or not allowed
│   ├── ModelRateLimited    too many requests; `retry_after` seconds when the provider named them
│   │   └── ModelLimitReached  the same without a time: perhaps the spend cap of the account's tier
│   ├── ModelUnavailable    network, server fault, stalled or broken stream
│   │   ├── ModelOverloaded the provider has no capacity
│   │   └── ModelStalled    it was silent for too long
│   ├── ModelRefused        the model declined to answer
│   ├── ModelTooLong        question plus history, or the answer, does not fit
│   └── ModelOther          the provider rejects the request itself
├── ToolsUnavailable        a tool server cannot be reached
│   ├── ToolTimedOut        it was reached, but gave no answer in time
│   └── ToolsRefused        its tools are not the ones that were accepted (operator)
└── PromptInvalid           a prompt file and its values do not fit together (operator, at start)
"""

from typing import ClassVar


class AgentError(Exception):
    """Root of the tree. `str(error)` is for logs and never for a chat channel."""

    user_message: ClassVar[str] = "Something went wrong while working on this. Please ask again."


class ModelError(AgentError):
    """A model gave no whole reply. `retryable` says whether asking again can help, `most_tries` how often at
    most if that is less than usual, `retry_after` when (seconds)."""

    user_message = "The model gave no answer. Please ask again in a minute."
    retryable: ClassVar[bool] = False
    most_tries: ClassVar[int | None] = None

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ModelBilling(ModelError):
    """Out of credit, or a spend limit is reached; asking again is useless until somebody pays or raises it."""

    user_message = (
        "Claude is not available: the Anthropic account is out of credit or has reached its spend limit. "
        "An administrator can add credit or raise the limit in the Anthropic Console under Billing; then ask again."
    )


class ModelAuthentication(ModelError):
    """The API key is missing, wrong, expired or lacks a permission."""

    user_message = (
        "Claude is not available: the Anthropic API key was not accepted. "
        "An administrator needs to check ANTHROPIC_API_KEY and restart Starwatch."
    )


class ModelRateLimited(ModelError):
    """The account's rate limit is reached."""

    user_message = "Claude is not available: the account's rate limit is reached. Please ask again in a few minutes."
    retryable = True


class ModelLimitReached(ModelRateLimited):
    """A rate limit that names no time to come back, as the monthly spend cap of a tier is told, but gateways' too."""

    user_message = (
        "Claude is not available: a limit of the Anthropic account is reached, either on requests per minute or on "
        "its monthly spend. Please ask again in a few minutes; if it stays so, an administrator can raise the spend "
        "limit or add credit in the Anthropic Console under Billing."
    )


class ModelUnavailable(ModelError):
    """The provider cannot be reached, fails, or stops in the middle of a reply."""

    user_message = "Claude is not available right now: no complete answer came back. Please ask again in a minute."
    retryable = True


class ModelOverloaded(ModelUnavailable):
    """The provider says that it has no capacity at the moment."""

    user_message = "Claude is not available right now: it is overloaded. Please ask again in a few minutes."


class ModelStalled(ModelUnavailable):
    """Nothing came for longer than the watchdog allows. Each try costs that long, so there are only two."""

    most_tries = 2


class ModelRefused(ModelError):
    """The model declined; nothing of its reply may enter a history."""

    user_message = "Claude declined to answer this. Asking about the same thing in other words may help."


class ModelTooLong(ModelError):
    """The request or the answer does not fit the model's limits."""

    user_message = "This is too long for the model. Ask about fewer clusters or a shorter time, or start a new thread."


class ModelOther(ModelError):
    """The provider rejects the request: an unknown model, a setting that it does not take."""

    user_message = (
        "Claude did not accept the request. An administrator needs to check the model settings; the log says more."
    )


class ToolsUnavailable(AgentError):
    """A tool server cannot be reached; `str(error)` names the server and the last fault."""

    user_message = (
        "The fleet's data cannot be reached right now, so there is nothing to answer from. "
        "Check that the warehouse and its MCP server are up, then ask again."
    )


class ToolTimedOut(ToolsUnavailable):
    """A tool gave no answer within its time."""

    user_message = "The fleet's data took too long to answer. Ask about fewer clusters or a shorter time."


class ToolsRefused(ToolsUnavailable):
    """A foreign server does not offer the tools as an operator accepted them; `found` is the hash of what it offers,
    empty when one is missing."""

    def __init__(self, detail: str, found: str = "") -> None:
        super().__init__(detail)
        self.found = found


class PromptInvalid(AgentError):
    """A prompt lacks a value for a placeholder, or was given one that it does not have."""
