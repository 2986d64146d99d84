"""The refusal of a malformed request, as the API words it."""

from collections.abc import Collection, Mapping
from typing import Any


class Refused(Exception):
    """Becomes an error response of this status and type."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind


def require(condition: object, message: str) -> None:
    """Refuse the request unless the condition holds."""
    if not condition:
        raise Refused(message)


def only_keys(value: Any, place: str, known: Collection[str], required: Collection[str] = ()) -> Mapping[str, Any]:
    """The value as an object with no unknown and no missing key."""
    require(isinstance(value, dict), f"{place}: Input should be a valid dictionary")
    for key in value:
        require(key in known, f"{place}.{key}: Extra inputs are not permitted")
    for key in required:
        require(key in value, f"{place}.{key}: Field required")
    found: Mapping[str, Any] = value
    return found
