"""The journal of turns in our own database, and one turn at a time in a thread as a rule of the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_RUNS = sa.text("state IN ('running', 'stopping') AND part IS NULL")


def upgrade() -> None:
    """Add a table, a column and an index; what runs was begun by a worker that had the name of its turn."""
    op.create_table(
        "steps",
        sa.Column("turn", sa.String(255), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
    )
    op.add_column("inbox", sa.Column("worker", sa.String(255)))
    op.execute("UPDATE inbox SET worker = turn WHERE part IS NULL")
    # two that ran side by side in a thread run one after the other from now on
    op.execute(
        "UPDATE inbox SET state = 'waiting', turn = NULL, worker = NULL "
        "WHERE state IN ('running', 'stopping') AND part IS NULL AND EXISTS (SELECT 1 FROM inbox AS other "
        "WHERE other.lane = inbox.lane AND other.state IN ('running', 'stopping') AND other.part IS NULL "
        "AND (other.place < inbox.place OR (other.place = inbox.place AND other.key < inbox.key)))"
    )
    op.create_index("inbox_one_turn_a_lane", "inbox", ["lane"], unique=True, sqlite_where=_RUNS, postgresql_where=_RUNS)
