"""Posts as steps of a turn: whatever happens to the process, each is made once."""

from handlers.deps import Deps
from handlers.document import Document
from handlers.surface import Mark


async def post(part: str, place: str, document: Document, deps: Deps) -> str:
    """Post `document` as the turn's `part`, a name that no other post of the turn has, and give back its thread.

    Raises SurfaceError.
    """
    turn = deps.turn
    mark = Mark(turn.id, part, turn.repeated) if turn.id else None
    return str(await turn.journal.step(f"post:{part}", lambda: deps.surface.post(place, document, mark)))
