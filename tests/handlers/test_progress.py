"""Steps in people's words."""

import pytest

from agent.progress import Progress, RoundStarted, TextPiece, ToolFinished, ToolStarted
from handlers.progress import step_of

STEPS: list[tuple[Progress, str | None]] = [
    (RoundStarted(1, last=False), "Thinking"),
    (RoundStarted(9, last=True), "Writing the answer"),
    (ToolStarted("1", "query_cluster_metrics", {"cluster": "prod-3", "metrics": ["x"]}), "Reading metrics of prod-3"),
    (ToolStarted("1", "query_cluster_alerts", {}), "Reading alerts of a cluster"),
    (ToolStarted("1", "describe_table", {"table": "byoc.clusters"}), "Looking up the columns of byoc.clusters"),
    (ToolStarted("1", "query_live_state", {"cluster": "{x.__class__}\n" + "y" * 99}), None),
    (ToolStarted("1", "somebody_elses_tool", {"cluster": 1}), "Looking something up"),
    (ToolFinished("1", "read_query", is_error=False, seconds=1.0), None),
    (TextPiece("hello"), None),
]


@pytest.mark.parametrize(("progress", "words"), STEPS, ids=range(len(STEPS)))
def test_each_event_has_its_words_or_none(progress: Progress, words: str | None) -> None:
    step = step_of(progress)
    if isinstance(progress, ToolStarted) and words is None:
        assert step is not None
        assert step.startswith("Reading the live state of {x.__class__} y")
        assert len(step) < 100
    else:
        assert step == words


def test_no_step_names_a_tool() -> None:
    names = ("read_query", "discover_schema", "query_fleet_summary", "query_agent_memory", "search_logs")
    steps = [step_of(ToolStarted("1", name, {"cluster": "c"})) or "" for name in names]
    assert all(steps)
    assert not any("_" in step for step in steps)
