"""What the sentinel remembers gets a table; before, it stood as a blob among the patrols that run."""

import json
import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_RUNS = sa.table("patrol_runs", sa.column("report_type"), sa.column("report"), sa.column("beat_at", sa.DateTime(True)))
_BLOBS = sa.table("blobs", sa.column("handle"), sa.column("body", sa.LargeBinary))


def upgrade() -> None:
    """Add the table and move what was remembered into it."""
    memory = op.create_table(
        "sentinel_memory",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    kept = (
        sa.select(_BLOBS.c.body, _RUNS.c.beat_at)
        .join(_RUNS, _RUNS.c.report == _BLOBS.c.handle)
        .where(_RUNS.c.report_type == "sentinel")
    )
    row = op.get_bind().execute(kept).first()
    if row is not None and (body := _unpacked(row.body)) is not None:
        op.bulk_insert(memory, [{"name": "fleet", "body": body, "changed_at": row.beat_at}])
    op.execute(_RUNS.delete().where(_RUNS.c.report_type == "sentinel"))


def _unpacked(packed: bytes) -> Any:
    """The value; None for one that cannot be read, which the sentinel learns anew."""
    try:
        return json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError):
        return None
