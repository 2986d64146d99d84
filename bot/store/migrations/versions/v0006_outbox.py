"""What could not be posted, kept until its platform takes it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add one table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outbox",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("turn", sa.String(255), nullable=False),
        sa.Column("part", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("thread", sa.String(255), nullable=False),
        sa.Column("why", sa.String(255), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("kept_at", moment, nullable=False),
        sa.Column("held_until", moment, nullable=False),
    )
    op.create_index("outbox_by_age", "outbox", ["thread", "kept_at"])
