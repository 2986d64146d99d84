"""Results kept for a while, so that a later question can be put to rows that were fetched already."""

import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mcp_server.clock import Seconds
from mcp_server.errors import Code, Refusal
from mcp_server.principal import Caller
from mcp_server.results import Result

MAX_RESULTS = 256
MAX_RESULTS_OF_ONE = 32
MAX_BYTES = 64 * 1024 * 1024
MAX_SECONDS = 3_600.0
_LARGEST_SHARE = 4
_NEAR = 5


@dataclass(frozen=True, slots=True)
class _Kept:
    result: Result
    size: int
    since: float


class Shelf:
    """Bounded in count, bytes and age; oldest out first. A result is its caller's alone: one principal, one thread."""

    def __init__(self, clock: Seconds, *, max_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[Caller, str], _Kept] = OrderedDict()
        self._bytes = 0

    def keep(self, caller: Caller, result: Result) -> Result:
        """The result marked as stored; as it came when it has no rows or would take a quarter of the shelf."""
        size = sum(sum(map(sys.getsizeof, row)) for row in result.rows)
        if not result.rows or size * _LARGEST_SHARE > self._max_bytes:
            return result
        stored = replace(result, stored=True)
        self._kept[caller, result.query_id] = _Kept(stored, size, self._clock())
        self._bytes += size
        self._tidy(caller)
        return stored

    def get(self, caller: Caller, result_id: str) -> Result:
        """What the caller stored under this id. Raises Refusal when that is nothing, whatever others stored."""
        self._tidy(caller)
        kept = self._kept.get((caller, result_id))
        if kept is None:
            near = [identity for _, identity in reversed(list(self._of(caller)))][:_NEAR]
            hint = "run the query again; a result is kept for an hour, for the thread that asked for it"
            reason = "no result is stored under this id"
            raise Refusal("result_id", Code.BAD_ARGUMENT, reason, part=result_id, near=near, hint=hint)
        return kept.result

    def _of(self, caller: Caller) -> Iterator[tuple[Caller, str]]:
        return (key for key in self._kept if key[0] == caller)

    def _tidy(self, caller: Caller) -> None:
        """Drop what is too old, too much for the caller, or too much for all."""
        oldest = self._clock() - MAX_SECONDS
        for key in [key for key, kept in self._kept.items() if kept.since < oldest]:
            self._drop(key)
        for key in list(self._of(caller))[:-MAX_RESULTS_OF_ONE]:
            self._drop(key)
        while len(self._kept) > MAX_RESULTS or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[Caller, str]) -> None:
        self._bytes -= self._kept.pop(key).size
