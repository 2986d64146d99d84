"""How a command's coroutine is run: one event loop, and a failure of many tasks shown as the one that matters."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bot.errors import OperatorError

Result = TypeVar("Result")


def _operator_error(group: BaseExceptionGroup[BaseException]) -> OperatorError | None:
    found = group.subgroup(OperatorError)
    while found is not None and found.exceptions:
        first = found.exceptions[0]
        if isinstance(first, OperatorError):
            return first
        found = first if isinstance(first, BaseExceptionGroup) else None
    return None


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """The coroutine's result. An OperatorError inside a task group is raised as itself."""
    try:
        return asyncio.run(work)
    except BaseExceptionGroup as group:
        if (error := _operator_error(group)) is not None:
            raise error from None
        raise
