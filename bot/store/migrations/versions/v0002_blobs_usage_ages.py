"""Large values by handle, what was spent, and what retention needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LONG_AGO = "1970-01-01 00:00:00.000000"


def upgrade() -> None:
    """Add two tables and one column; a session counts as last used when it was made."""
    moment = sa.DateTime(timezone=True)
    # the default is for the rows that exist: SQLite adds a NOT NULL column only with one
    op.add_column("sessions", sa.Column("used_at", moment, nullable=False, server_default=_LONG_AGO))
    op.execute("UPDATE sessions SET used_at = created_at")
    op.create_index("sessions_by_use", "sessions", ["used_at"])
    op.create_index("reports_by_age", "reports", ["created_at"])
    op.create_table(
        "blobs",
        sa.Column("handle", sa.String(64), primary_key=True),
        sa.Column("used_at", moment, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("blobs_by_use", "blobs", ["used_at"])
    op.create_table(
        "usage",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("turns", "tokens", "micro_dollars")),
    )
