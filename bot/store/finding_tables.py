"""The tables of findings, of the reports that show them, and of when reports are due; more of `bot.store.tables`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base


class FindingRow(Base):
    """A finding from its first report to its recovery, as `handlers.findings.Tracked` in `body`."""

    __tablename__ = "findings"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("findings_by_end", "closed_at"),)


class DeedRow(Base):
    """What happened to a finding, and who did it; see `handlers.findings.Deed`."""

    __tablename__ = "finding_deeds"
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    user: Mapped[str] = mapped_column(String(255))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("finding_deeds_by_age", "at"),)


class ChangesRow(Base):
    """How a report compares with the one before it; see `handlers.findings.Changes`."""

    __tablename__ = "report_changes"
    report_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("report_changes_by_age", "created_at"),)


class PageRow(Base):
    """A message that shows a page of a report; see `handlers.findings.Page`."""

    __tablename__ = "report_pages"
    message: Mapped[str] = mapped_column(String(255), primary_key=True)
    report_id: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    language: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str] = mapped_column(String(64))
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    plan: Mapped[list[list[str]] | None] = mapped_column(JSON)
    __table_args__ = (Index("report_pages_by_report", "report_id"), Index("report_pages_by_age", "posted_at"))


class TimetableRow(Base):
    """When a channel gets its reports; see `handlers.timetable.Timetable`."""

    __tablename__ = "timetables"
    place: Mapped[str] = mapped_column(String(255), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
