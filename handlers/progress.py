"""What is being done, in people's words: the names of tools say nothing to somebody who waits for an answer."""

from collections.abc import Mapping
from typing import Any

from agent.progress import Progress, RoundStarted, ToolStarted
from handlers.markdown import excerpt

_WIDTH = 60

_WORDS = {
    "read_query": "Querying the warehouse",
    "discover_schema": "Looking up the tables",
    "query_result": "Looking through an earlier result",
    "describe_table": "Looking up the columns of {table}",
    "query_fleet_summary": "Reading the state of the fleet",
    "query_open_issues": "Reading open issues",
    "query_cluster_info": "Reading about {cluster}",
    "query_cluster_metrics": "Reading metrics of {cluster}",
    "query_cluster_alerts": "Reading alerts of {cluster}",
    "query_cluster_operations": "Reading what was changed on {cluster}",
    "query_similar_clusters": "Comparing {cluster} with similar clusters",
    "query_agent_memory": "Recalling earlier investigations",
    "query_live_state": "Reading the live state of {cluster}",
    "search_logs": "Searching the logs of {cluster}",
}
"""Tool → words; a name in braces is an argument of the call."""


def step_of(progress: Progress) -> str | None:
    """What a surface shows for this event, or None when it changes nothing that people care about."""
    match progress:
        case ToolStarted():
            return _tool_step(progress.name, progress.arguments)
        case RoundStarted(last=True):
            return "Writing the answer"
        case RoundStarted():
            return "Thinking"
        case _:
            return None


def _tool_step(name: str, arguments: Mapping[str, Any]) -> str:
    words = _WORDS.get(name, "Looking something up")
    return words.format_map(_Shown(arguments))


class _Shown(dict[str, str]):
    """A call's arguments, short and harmless; what the call does not name is called by its kind."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__({key: excerpt(str(value), _WIDTH) for key, value in arguments.items()})

    def __missing__(self, key: str) -> str:
        return f"a {key}"
