"""How often in a row a process died in the same step of a turn."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add a column to the inbox."""
    op.add_column("inbox", sa.Column("died", sa.Integer, nullable=False, server_default="0"))
