"""Approvals, the calls that were made with them, and turns that wait for people."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add two tables, and two columns to the inbox."""
    op.add_column("inbox", sa.Column("parks", sa.Integer, nullable=False, server_default="0"))
    op.add_column("inbox", sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.String(32), primary_key=True),
        sa.Column("turn", sa.String(255), nullable=False),
        sa.Column("thread", sa.String(255), nullable=False),
        sa.Column("asker", sa.String(255), nullable=False),
        sa.Column("proposals", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(255), nullable=False),
        sa.Column("decider", sa.String(255), nullable=False),
        sa.Column("message", sa.String(255), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("approvals_by_turn", "approvals", ["turn"])
    op.create_index("approvals_by_age", "approvals", ["asked_at"])
    op.create_table(
        "approved_calls",
        sa.Column(
            "approval_id",
            sa.String(32),
            sa.ForeignKey("approvals.approval_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("call_id", sa.String(255), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("result", sa.JSON, nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    )
