"""The table of the patrol's predictions; more of `bot.store.tables`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base


class PredictionRow(Base):
    """One statement about the future and what became of it, as `agent.patrol.predictions.Statement` in `body`."""

    __tablename__ = "predictions"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("predictions_by_state", "state", "due_at"),)
