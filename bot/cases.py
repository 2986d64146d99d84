"""Investigations as the rows that `query_agent_memory` recalls: alerts.agent_investigations."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from agent.investigation.conclusion import Conclusion
from agent.investigation.result import Investigation

INSERT_INVESTIGATION = """
INSERT INTO alerts.agent_investigations (investigation_id, task_id, cluster_id, cluster_name, customer_name, severity,
  confidence, root_cause, evidence, recommended_actions, provider, model, input_tokens, output_tokens,
  duration_seconds, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
"""The id is the table's primary key, so the same investigation twice is one row."""

_ID, _NAME, _CAUSE, _EVIDENCE, _ACTIONS = 64, 256, 4_096, 8_192, 4_096
"""Bytes of the columns: StarRocks counts these, and refuses a row that has more."""

Row = tuple[Any, ...]


def investigation_row(done: Investigation) -> Row:
    """The values of INSERT_INVESTIGATION; times are UTC without a zone. Raises ValueError for one that came to
    nothing."""
    if done.checked is None or done.scene is None:
        raise ValueError("an investigation without a conclusion is not stored")
    said, scene, answer = done.checked.conclusion, done.scene, done.answer
    usage = answer.usage
    return (
        done.id,
        _cut(done.task, _ID) or None,
        _cut(scene.cluster_id or scene.asked, _ID),
        _cut(scene.name, _NAME),
        _cut(scene.customer, _NAME),
        said.severity,
        said.confidence,
        _cut(said.root_cause, _CAUSE),
        _lines(_evidence(said), _EVIDENCE),
        _lines((f"[{one.urgency}] {one.text}" for one in said.actions), _ACTIONS),
        answer.analyst,
        answer.model,
        usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        usage.output_tokens,
        round(answer.seconds, 3),
        datetime.fromisoformat(done.created_at).astimezone(UTC).replace(tzinfo=None, microsecond=0),
    )


def _evidence(said: Conclusion) -> Iterator[str]:
    yield from (f"{one.text} ({one.query_id})" if one.query_id else one.text for one in said.evidence)
    yield from (f"Ruled out: {one}" for one in said.ruled_out)
    yield from (f"Unknown: {one}" for one in said.unknown)


def _cut(text: str, size: int) -> str:
    """The text in at most so many bytes of UTF-8, no character halved."""
    return text.encode()[:size].decode(errors="ignore")


def _lines(lines: Iterable[str], size: int) -> str:
    """As many whole lines as fit into so many bytes."""
    kept: list[str] = []
    for line in lines:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        kept.append(line)
    return "\n".join(kept)
