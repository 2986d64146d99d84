"""Results to a Markdown answer: `compose` picks the writer of the intent's kind."""

from collections.abc import Callable, Mapping

from agent.rules_only.envelope import Failure
from agent.rules_only.intent import Kind
from agent.rules_only.writing import alerts, apologies, cluster, fleet, owners, patrols, series
from agent.rules_only.writing.figures import freshness
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import paragraphs

_WRITERS: Mapping[Kind, Callable[[Found], str]] = {
    "overview": fleet.overview,
    "worst": fleet.worst,
    "silent": fleet.silent,
    "breakdown": owners.breakdown,
    "members": owners.members,
    "cost": owners.cost,
    "patrol": patrols.last,
    "news": patrols.news,
    "status": cluster.status,
    "compare": cluster.compare,
    "logs": cluster.logs,
    "alerts": alerts.fleet,
    "issues": alerts.issues,
    "operations": alerts.operations,
    "series": series.course,
    "ranking": series.ranking,
    "limits": series.limits,
    "help": apologies.help_text,
    "which_cluster": apologies.which_cluster,
    "unknown": apologies.unknown,
}


def compose(found: Found) -> str:
    """The answer. When nothing at all could be read it says so instead of writing empty parts."""
    failures = [outcome for outcome in found.outcomes.values() if isinstance(outcome, Failure)]
    if failures and len(failures) == len(found.outcomes) and not _about_a_name(failures):
        return apologies.unavailable(found.voice, failures[0])
    answer = _WRITERS[found.intent.kind](found)
    beyond = apologies.beyond_rules(found.voice, found.intent)
    return paragraphs(answer, beyond, freshness(found.voice, found.outcomes.get("freshness")))


def _about_a_name(failures: list[Failure]) -> bool:
    return any(failure.code == "bad_argument" for failure in failures)
