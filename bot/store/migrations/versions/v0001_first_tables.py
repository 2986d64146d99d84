"""Sessions, their turns, events already seen, and posted reports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first four tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sessions",
        sa.Column("thread", sa.String(255), primary_key=True),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("thread", sa.String(255), sa.ForeignKey("sessions.thread", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("messages", sa.JSON, nullable=False),
    )
    op.create_table(
        "seen_events",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("seen_at", moment, nullable=False),
    )
    op.create_index("seen_events_by_age", "seen_events", ["seen_at"])
    op.create_table(
        "reports",
        sa.Column("report_id", sa.String(64), primary_key=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
