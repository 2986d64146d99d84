"""Finding the cluster a person means: by UUID, by the beginning of one, or by name."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mcp_server.errors import Code, Refusal
from mcp_server.results import Result, plain

_PREFIX_CHARS = 6
_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster by id and name; `state` is active, stopped or deleted."""

    id: str
    name: str
    state: str

    @property
    def active(self) -> bool:
        """Neither stopped nor deleted."""
        return self.state == "active"


class Directory:
    """Index of all clusters, read again after `max_age` seconds."""

    def __init__(
        self, load: Callable[[], Awaitable[Result]], clock: Callable[[], float], *, max_age: float = 300.0
    ) -> None:
        self._load = load
        self._clock = clock
        self._max_age = max_age
        self._loading = asyncio.Lock()
        self._read_at = float("-inf")
        self._clusters: tuple[Cluster, ...] = ()

    async def find(self, wanted: str) -> Cluster:
        """The cluster meant by a UUID, six or more characters of one, or a name in any case.

        Of several clusters with one name the only active one is meant. Raises Refusal with candidates otherwise.
        """
        clusters = await self._all()
        key = wanted.strip().lower()
        matches = _matches(key, clusters)
        active = [cluster for cluster in matches if cluster.active]
        if len(matches) == 1 or len(active) == 1:
            return (active or matches)[0]
        if matches:
            near = [_named(cluster) for cluster in (active or matches)[:_CANDIDATES]]
            reason = f"{len(matches)} clusters match"
            raise _refusal(reason, wanted, near, "name one of them by its UUID")
        raise _refusal(
            "there is no such cluster", wanted, _nearest(key, clusters), "use a UUID, its beginning, or a name"
        )

    async def _all(self) -> tuple[Cluster, ...]:
        async with self._loading:
            if self._clock() - self._read_at > self._max_age:
                result = await self._load()
                self._clusters = tuple(
                    Cluster(str(identity), str(name or ""), str(state)) for identity, name, state in result.rows
                )
                self._read_at = self._clock()
            return self._clusters


def _matches(key: str, clusters: tuple[Cluster, ...]) -> list[Cluster]:
    exact = [cluster for cluster in clusters if key in (cluster.id.lower(), cluster.name.lower())]
    if exact or len(key) < _PREFIX_CHARS:
        return exact
    return [cluster for cluster in clusters if cluster.id.lower().startswith(key)]


def _nearest(key: str, clusters: tuple[Cluster, ...]) -> list[str]:
    active = {cluster.name.lower(): cluster for cluster in reversed(clusters) if cluster.active}
    inside = [name for name in active if key and key in name][:_CANDIDATES]
    return [_named(active[name]) for name in inside or difflib.get_close_matches(key, active, 5, 0.4)]


def _named(cluster: Cluster) -> str:
    state = "" if cluster.active else f", {cluster.state}"
    return f"{plain(cluster.name)[:60]} ({cluster.id}{state})"


def _refusal(reason: str, wanted: str, near: list[str], hint: str) -> Refusal:
    return Refusal("cluster", Code.BAD_ARGUMENT, reason, part=wanted, near=near, hint=hint)
