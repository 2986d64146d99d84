"""What was said to us and what became of it: the memory behind the queue of turns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add one table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "inbox",
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("lane", sa.String(255), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("event", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("turn", sa.String(255)),
        sa.Column("part", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )
    op.create_index("inbox_by_lane", "inbox", ["lane", "state", "place"])
    op.create_index("inbox_by_turn", "inbox", ["turn"])
    op.create_index("inbox_by_age", "inbox", ["state", "changed_at"])
