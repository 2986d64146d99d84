"""An answer is kept before it is posted: its buttons must find it from the first moment on."""

import hashlib

from agent.answer import Answer
from handlers.deps import Deps
from handlers.kept import kept

_ID = 20


async def keep(thread: str, user: str, question: str, answer: Answer, deps: Deps) -> str:
    """The id under which the answer is kept; empty when it is not, and so has no buttons. A repeated turn keeps the
    same answer under the same id."""
    if deps.answers is None or deps.results is None or answer.failed:
        return ""
    turn = deps.turn.id
    answer_id = hashlib.sha256(turn.encode()).hexdigest()[:_ID] if turn else f"a-{deps.new_reference()}"
    return answer_id if await deps.answers.keep(kept(answer_id, thread, user, question, answer)) else ""
