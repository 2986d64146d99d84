"""Findings with what people decided about them, the messages that show them, and when reports are due."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add five tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "findings",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("closed_at", moment),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("findings_by_end", "findings", ["closed_at"])
    op.create_table(
        "finding_deeds",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("finding_deeds_by_age", "finding_deeds", ["at"])
    op.create_table(
        "report_changes",
        sa.Column("report_id", sa.String(64), primary_key=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("report_changes_by_age", "report_changes", ["created_at"])
    op.create_table(
        "report_pages",
        sa.Column("message", sa.String(255), primary_key=True),
        sa.Column("report_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("posted_at", moment, nullable=False),
    )
    op.create_index("report_pages_by_report", "report_pages", ["report_id"])
    op.create_index("report_pages_by_age", "report_pages", ["posted_at"])
    op.create_table(
        "timetables",
        sa.Column("place", sa.String(255), primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
    )
