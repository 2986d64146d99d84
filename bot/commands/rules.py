"""`starwatch rules`: the rules of health in words, and why one cluster stands where it stands by them."""

import asyncio
import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path

from agent.patrol import reference_look
from agent.patrol.errors import WarehouseUnreadable
from agent.patrol.evidence import Evidence, label
from agent.patrol.explain import cluster_of, explained, explained_by_reference
from agent.patrol.finding import ClusterEvidence
from agent.patrol.inspection import inspect
from agent.patrol.ranking import ranked, why
from agent.patrol.reference import load_reference
from agent.patrol.rules import load_rules
from bot import running
from bot.clock import utc_now
from bot.compose import opened
from bot.errors import OperatorError
from bot.settings import load
from bot.terminal import Terminal, console

_CANDIDATES = 8


def run(*, action: str, cluster: str | None, as_json: bool) -> int:
    """0 when told. Raises OperatorError for another action, and for a cluster that is unknown or not the only one
    meant."""
    if (action, cluster is None) not in {("list", True), ("explain", False)}:
        raise OperatorError("rules: say `rules list` or `rules explain CLUSTER`")
    if cluster is not None:
        return running.run(_explain(cluster, as_json))
    if as_json:
        print(json.dumps({"own": load_rules().model_dump(), "reference": load_reference().model_dump()}))
    else:
        print(f"{load_rules().describe()}\n\nthe reference platform (STARWATCH_RULES=reference):")
        print(load_reference().describe())
    return 0


async def _explain(text: str, as_json: bool) -> int:
    terminal = Terminal(console(), console(stream_is_error=True))
    async with opened(load(os.environ, Path.cwd()), terminal.show) as starwatch:
        now = utc_now().replace(tzinfo=None)
        try:
            ours, theirs = await asyncio.gather(
                inspect(starwatch.tools, load_rules(), now),
                reference_look.look(starwatch.tools, load_reference(), now),
            )
        except WarehouseUnreadable as error:
            raise OperatorError(str(error)) from None
        left = await starwatch.store.findings.left_open()
    ours = dataclasses.replace(ours, clusters=ranked(ours.clusters, load_rules().ranking, ours.as_of, left))
    cluster = _only(ours, text)
    other = next(one for one in theirs.clusters if one.identity.cluster_id == cluster.identity.cluster_id)
    terminal.show("")
    if as_json:
        both = {"own": cluster, "reference": other}
        print(json.dumps({name: dataclasses.asdict(one) for name, one in both.items()}, default=str))
    else:
        print("\n".join(_lines(cluster, other, ours)))
    return 0


def _only(evidence: Evidence, text: str) -> ClusterEvidence:
    found = cluster_of(evidence, text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise OperatorError(f"no active cluster has the id or name {text!r}; `starwatch patrol` names the flagged ones")
    names = ", ".join(f"{label(one.identity)} {one.identity.cluster_id}" for one in found[:_CANDIDATES])
    raise OperatorError(f"{text!r} can mean {len(found)} clusters: {names}")


def _lines(cluster: ClusterEvidence, other: ClusterEvidence, evidence: Evidence) -> Iterable[str]:
    yield f"as of {evidence.as_of:%Y-%m-%d %H:%M} UTC"
    yield from explained(cluster, load_rules())
    yield f"  {why(cluster, evidence.clusters)}"
    yield from explained_by_reference(other, load_reference())
