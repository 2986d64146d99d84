"""Posts as steps of a turn: whatever happens to the process, each is made once."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from agent.journal import Json
from handlers.deps import Deps
from handlers.document import Document
from handlers.surface import Mark, Posted


async def post(part: str, place: str, document: Document, deps: Deps) -> Posted:
    """Post `document` as the turn's `part`, a name that no other post of the turn has.

    Raises SurfaceError.
    """
    return await once(part, lambda: deps.surface.post(place, document, mark_of(part, deps)), deps)


async def once(part: str, work: Callable[[], Awaitable[Posted]], deps: Deps) -> Posted:
    """What `work` posts as the turn's `part`; what it posted the first time when the turn is repeated."""

    async def posted() -> Json:
        return asdict(await work())

    told = await deps.turn.journal.step(f"post:{part}", posted)
    return Posted(told["thread"], tuple(told["messages"]))


def mark_of(part: str, deps: Deps) -> Mark | None:
    """How a post of this turn is found again; None outside a queue, where nothing is repeated."""
    turn = deps.turn
    return Mark(turn.id, part, turn.repeated) if turn.id else None
