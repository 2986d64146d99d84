"""Which clusters each message of a report shows, and what a post that was kept for a while became."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add a column to two tables."""
    op.add_column("report_pages", sa.Column("plan", sa.JSON, nullable=True))
    op.add_column("outbox", sa.Column("message", sa.String(255), nullable=False, server_default=""))
