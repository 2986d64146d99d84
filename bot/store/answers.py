"""Answers that were given, so that their buttons work after a restart, and what people thought of them."""

from collections.abc import Sequence
from dataclasses import asdict

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Now
from bot.store.database import Database
from bot.store.errors import StoreUnwritable
from bot.store.tables import AnswerRow, JudgementRow
from handlers.kept import Judgement, KeptAnswer, Verdict, kept_of

log = structlog.get_logger()


class Answers:
    """Implements `handlers.deps.Answers`. What reads raises StoreUnreadable."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def keep(self, answer: KeptAnswer) -> bool:
        """Whether the answer is kept. A database that takes nothing costs an answer its buttons and nothing else."""
        row = {"answer_id": answer.id, "created_at": self._now(), "body": answer.body()}
        try:
            async with self._database.writing() as session:
                await self._database.add_new(session, AnswerRow, row)
        except StoreUnwritable as fault:
            log.warning("an answer goes out without buttons", answer=answer.id, why=str(fault))
            return False
        return True

    async def find(self, answer_id: str) -> KeptAnswer | None:
        """The answer, None when it was never kept or is forgotten."""
        async with self._database.reading() as session:
            row = await session.get(AnswerRow, answer_id)
        return kept_of(row.answer_id, row.body) if row else None

    async def judge(self, answer_id: str, user: str, verdict: Verdict, reason: str) -> bool:
        """Note a verdict, the latest of each person; False when the answer is forgotten. Raises StoreUnwritable."""
        async with self._database.writing() as session:
            # asked in the same transaction: between the two the answer could be forgotten
            if await session.get(AnswerRow, answer_id) is None:
                return False
            await self._note(session, {"answer_id": answer_id, "user": user, "verdict": verdict}, reason)
        return True

    async def _note(self, session: AsyncSession, told: dict[str, str], reason: str) -> None:
        row = {**told, "reason": reason, "at": self._now()}
        statement = self._database.insert(JudgementRow, row)
        changed = {"verdict": row["verdict"], "at": row["at"]} | ({"reason": reason} if reason else {})
        await session.execute(
            statement.on_conflict_do_update(index_elements=[JudgementRow.answer_id, JudgementRow.user], set_=changed)
        )

    async def judgements(self, limit: int, verdict: Verdict | None = None) -> Sequence[Judgement]:
        """The latest verdicts, newest first."""
        query = select(JudgementRow, AnswerRow).join(AnswerRow, AnswerRow.answer_id == JudgementRow.answer_id)
        if verdict is not None:
            query = query.where(JudgementRow.verdict == verdict)
        newest = query.order_by(JudgementRow.at.desc(), JudgementRow.answer_id, JudgementRow.user).limit(limit)
        async with self._database.reading() as session:
            rows = (await session.execute(newest)).all()
        return [_judgement(judged, answer) for judged, answer in rows]


def told(judgement: Judgement) -> dict[str, object]:
    """A judgement as JSON."""
    return asdict(judgement)


def _judgement(judged: JudgementRow, answer: AnswerRow) -> Judgement:
    verdict: Verdict = "good" if judged.verdict == "good" else "bad"
    kept = kept_of(answer.answer_id, answer.body)
    return Judgement(kept, judged.user, verdict, judged.reason, f"{judged.at:%Y-%m-%d %H:%M}")
