"""What each user, channel and workspace used today, so that the gate can hold them to their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Literal

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Now
from bot.store.database import Database
from bot.store.tables import SeenRow, UsageRow

Scope = Literal["user", "channel", "workspace"]


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose purse it is. `name` as the surface names it."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class Usage:
    """An amount used, or a limit to it. `micro_dollars` are millionths of a US dollar."""

    turns: int = 0
    tokens: int = 0
    micro_dollars: int = 0

    def reaches(self, limit: "Usage") -> bool:
        """Whether any of the three is at its limit or beyond; a limit of 0 is none."""
        pairs = (
            (self.turns, limit.turns),
            (self.tokens, limit.tokens),
            (self.micro_dollars, limit.micro_dollars),
        )
        return any(0 < most <= used for used, most in pairs)

    def share(self, limit: "Usage") -> float:
        """How much of the tighter one of the limits of tokens and money is used; 0 where neither is set."""
        pairs = ((self.tokens, limit.tokens), (self.micro_dollars, limit.micro_dollars))
        return max((used / most for used, most in pairs if most), default=0.0)


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of a wish to begin a turn. `full` is the payer whose limit is reached: then nothing was counted.
    `share` is how much of the tightest limit of tokens or money was used before, over all payers."""

    full: Payer | None = None
    share: float = 0.0


class Usages:
    """The purses of the day; a day begins at midnight UTC."""

    def __init__(self, database: Database, now: Now) -> None:
        self._database = database
        self._now = now

    async def of(self, payers: Sequence[Payer]) -> Mapping[Payer, Usage]:
        """What each used today."""
        async with self._database.reading() as session:
            return await self._used(session, payers)

    async def begin(self, key: str, payers: Sequence[Payer], limits: Mapping[Scope, Usage]) -> Begun:
        """Count one turn to every payer, unless one of them is at its limit. The same `key` is counted once. Turns
        begun side by side cannot pass a limit of turns together.
        """
        async with self._database.writing() as session:
            if await session.get(SeenRow, f"begun:{key}") is not None:
                return Begun(share=_share(await self._used(session, payers), limits))
            # the counting comes first: it locks the rows that the judgement is about
            await self._add(session, payers, Usage(turns=1))
            used = await self._used(session, payers)
            for payer in payers:
                before = Usage(used[payer].turns - 1, used[payer].tokens, used[payer].micro_dollars)
                if payer.scope in limits and before.reaches(limits[payer.scope]):
                    await session.rollback()
                    return Begun(full=payer, share=1.0)
            await self._database.add_new(session, SeenRow, {"key": f"begun:{key}", "seen_at": self._now()})
        return Begun(share=_share(used, limits))

    async def today(self, scope: Scope) -> Mapping[str, Usage]:
        """What each payer of a scope used today, by name."""
        query = select(UsageRow).where(UsageRow.day == self._today(), UsageRow.scope == scope)
        async with self._database.reading() as session:
            return {row.name: Usage(row.turns, row.tokens, row.micro_dollars) for row in await session.scalars(query)}

    async def charge(self, key: str, payers: Sequence[Payer], usage: Usage) -> bool:
        """Add what a turn used to every payer; False when `key` was charged before."""
        async with self._database.writing() as session:
            if not await self._database.add_new(session, SeenRow, {"key": f"paid:{key}", "seen_at": self._now()}):
                return False
            await self._add(session, payers, usage)
        return True

    async def _add(self, session: AsyncSession, payers: Sequence[Payer], usage: Usage) -> None:
        amounts = {"turns": usage.turns, "tokens": usage.tokens, "micro_dollars": usage.micro_dollars}
        # in one order for all, or two turns with common payers could wait for each other
        for payer in sorted(set(payers), key=lambda payer: (payer.scope, payer.name)):
            row = {"day": self._today(), "scope": payer.scope, "name": payer.name, **amounts}
            statement = self._database.insert(UsageRow, row).on_conflict_do_update(
                index_elements=[UsageRow.day, UsageRow.scope, UsageRow.name],
                set_={name: getattr(UsageRow, name) + amount for name, amount in amounts.items()},
            )
            await session.execute(statement)

    async def _used(self, session: AsyncSession, payers: Sequence[Payer]) -> dict[Payer, Usage]:
        wanted = [(payer.scope, payer.name) for payer in payers]
        query = select(UsageRow).where(UsageRow.day == self._today(), tuple_(UsageRow.scope, UsageRow.name).in_(wanted))
        rows = {(row.scope, row.name): row for row in await session.scalars(query)}
        found = {key: Usage(row.turns, row.tokens, row.micro_dollars) for key, row in rows.items()}
        return {payer: found.get((payer.scope, payer.name), Usage()) for payer in payers}

    def _today(self) -> object:
        return self._now().astimezone(UTC).date()


def _share(used: Mapping[Payer, Usage], limits: Mapping[Scope, Usage]) -> float:
    return max(
        (amount.share(limits[payer.scope]) for payer, amount in used.items() if payer.scope in limits), default=0
    )
