"""Answers that were given and what people thought of them: what the buttons under an answer need."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add two tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.String(64), primary_key=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("answers_by_age", "answers", ["created_at"])
    op.create_table(
        "judgements",
        sa.Column("answer_id", sa.String(64), sa.ForeignKey("answers.answer_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user", sa.String(255), primary_key=True),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
    )
    op.create_index("judgements_by_age", "judgements", ["at"])
