"""The tables of Starwatch's own database as they are now; how they came about is in migrations/versions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of this module. All moments are UTC."""


class SessionRow(Base):
    """One thread that Starwatch has taken part in, and when something was last said in it."""

    __tablename__ = "sessions"
    thread: Mapped[str] = mapped_column(String(255), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("sessions_by_use", "used_at"),)


class TurnRow(Base):
    """One finished turn of a session, in order of `position`: its messages as they were sent, and the model they were
    sent to."""

    __tablename__ = "turns"
    thread: Mapped[str] = mapped_column(ForeignKey("sessions.thread", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(128))
    messages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class SeenRow(Base):
    """Something that happens once: an event that was taken in, a turn that was paid for."""

    __tablename__ = "seen_events"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("seen_events_by_age", "seen_at"),)


class ReportRow(Base):
    """A posted report, kept so that a reply under it, or its Investigate button, knows what it said."""

    __tablename__ = "reports"
    report_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("reports_by_age", "created_at"),)


class BlobRow(Base):
    """A large value, compressed, named by its own hash so that it is stored once."""

    __tablename__ = "blobs"
    handle: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (Index("blobs_by_use", "used_at"),)


class UsageRow(Base):
    """What one payer used on one day (UTC). `micro_dollars` are millionths of a US dollar."""

    __tablename__ = "usage"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    turns: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    micro_dollars: Mapped[int] = mapped_column(BigInteger, default=0)


_RUNS = text("state IN ('running', 'stopping') AND part IS NULL")


class InboxRow(Base):
    """An event from a surface and what became of it; see `bot.turns.inbox`. `place` sorts it within its lane, `part` is
    the step of another event's turn that it was heard in. `turn` is named after the event that it began with, `worker`
    is who does it at the moment. A turn that waits for people has no worker until `wakes_at`; `parks` counts how often
    it did so, `died` how often in a row a process ended in the midst of the same step."""

    __tablename__ = "inbox"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    lane: Mapped[str] = mapped_column(String(255))
    place: Mapped[str] = mapped_column(String(64))
    event: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    turn: Mapped[str | None] = mapped_column(String(255))
    part: Mapped[str | None] = mapped_column(String(64))
    worker: Mapped[str | None] = mapped_column(String(255))
    attempts: Mapped[int]
    parks: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    died: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    wakes_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        Index("inbox_by_lane", "lane", "state", "place"),
        Index("inbox_by_turn", "turn"),
        Index("inbox_by_age", "state", "changed_at"),
        # what makes it impossible that two turns of one thread run at once, whatever their processes believe
        Index("inbox_one_turn_a_lane", "lane", unique=True, sqlite_where=_RUNS, postgresql_where=_RUNS),
    )


class StepRow(Base):
    """What a step of a turn under way gave, as JSON text, and in which attempt at the turn."""

    __tablename__ = "steps"
    turn: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    attempt: Mapped[int]
    result: Mapped[str] = mapped_column(Text)


class AnswerRow(Base):
    """An answer that was given: what its buttons need; see `handlers.kept.KeptAnswer`."""

    __tablename__ = "answers"
    answer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("answers_by_age", "created_at"),)


class JudgementRow(Base):
    """What one person thought of an answer; it goes with the answer."""

    __tablename__ = "judgements"
    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.answer_id", ondelete="CASCADE"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("judgements_by_age", "at"),)


class OutboxRow(Base):
    """A document that its platform could not be given, named by the post that it is. `thread` is where it ended up once
    it was posted and `message` what it became, both empty before. Whoever tries to post it holds it until
    `held_until`."""

    __tablename__ = "outbox"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(255))
    turn: Mapped[str] = mapped_column(String(255))
    part: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    thread: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(String(255), server_default="")
    why: Mapped[str] = mapped_column(String(255))
    tries: Mapped[int]
    kept_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    held_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("outbox_by_age", "thread", "kept_at"),)


class PreferenceRow(Base):
    """What a channel or thread was told about how we are to behave in it; see `handlers.preferences`."""

    __tablename__ = "preferences"
    place: Mapped[str] = mapped_column(String(255), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("preferences_by_age", "changed_at"),)


class PatrolRunRow(Base):
    """The newest patrol of a type over all processes: who does it, the last sign of life, and once it is done the
    handle of its report."""

    __tablename__ = "patrol_runs"
    report_type: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    beat_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    report: Mapped[str | None] = mapped_column(String(64))


class SentinelRow(Base):
    """What the sentinel remembers from look to look, as `bot.store.sentinel.Memory` in `body`."""

    __tablename__ = "sentinel_memory"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApprovalRow(Base):
    """Calls of one round of a turn that change something, and what people decided; see `handlers.approval`. `message`
    and `part` lead to the card that asks."""

    __tablename__ = "approvals"
    approval_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    turn: Mapped[str] = mapped_column(String(255))
    thread: Mapped[str] = mapped_column(String(255))
    asker: Mapped[str] = mapped_column(String(255))
    proposals: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str] = mapped_column(String(255), default="")
    decider: Mapped[str] = mapped_column(String(255), default="")
    message: Mapped[str] = mapped_column(String(255), default="")
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("approvals_by_turn", "turn"), Index("approvals_by_age", "asked_at"))


class DeedRow(Base):
    """An approved call: written before it is made and again when it is over, so that none is made twice. Without a
    `result` nobody knows what became of it."""

    __tablename__ = "approved_calls"
    approval_id: Mapped[str] = mapped_column(ForeignKey("approvals.approval_id", ondelete="CASCADE"), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    begun_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
