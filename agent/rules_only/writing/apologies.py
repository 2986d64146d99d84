"""Answers without data: what failed and what to do, what can be asked, and which cluster is meant."""

import re

from agent.rules_only.envelope import Failure
from agent.rules_only.intent import Intent
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import paragraphs, safe

ABILITIES = """\
- **Fleet**: "how is the fleet?", "which clusters are worst?", "which clusters are silent?", "how are tier S customers?"
- **One cluster** by name, id or the first characters of its id: "how is prod-analytics-03?", "and its alerts?", "why?"
- **Alerts and issues**: "alerts of the last 24 h", "open critical issues"
- **Measures**: "disk of prod-analytics-03 over 7 days", "which clusters have the highest p99?", "latency trend"
- **Charts**: "chart of disk on prod-analytics-03", "plot p99 of the fleet over 24 hours"
- **Capacity**: "which clusters are near their breaking point?"
- **Comparison and changes**: "compare prod-a-1 with prod-b-2", "what changed this week?"
- **Customers and versions**: "who is customer Acme?", "which clusters run 3.3?", "clusters by region"
- **Patrol and cost**: "what did the last patrol say?", "what is new since yesterday?", "cost by customer\""""
_NAMED = re.compile(r"(?:^|[,:;]\s*)([^,;:]*?)\s*\(([0-9a-f]{8}-[0-9a-f-]{27})\)")
_MEANINGS = {
    "unavailable": "The warehouse cannot be reached, so I have no data to answer from. Missing data says nothing about"
    " the clusters' health. Try again in a few minutes; if it lasts, check the connection (`starwatch doctor`).",
    "timeout": "The warehouse did not answer in time. A shorter window or one cluster is cheaper to ask for.",
    "permission": "The warehouse refuses this read to the account that is configured. Its grants need a look.",
}


def help_text(_: Found) -> str:
    """What can be asked."""
    return paragraphs("I answer these questions from the warehouse by fixed rules:", ABILITIES)


def unknown(_: Found) -> str:
    """Says that the question was not understood, and what would be."""
    return paragraphs(
        "I did not understand that. Claude is not connected, and without it I answer only these questions:",
        ABILITIES,
    )


def which_cluster(found: Found) -> str:
    """Asks which cluster is meant."""
    wanted = "Which two clusters should I compare?" if len(found.intent.clusters) == 1 else "Which cluster do you mean?"
    return (
        f'{wanted} Name it, or give the first 6 or more characters of its id, for example "how is prod-analytics-03?".'
    )


def unavailable(failure: Failure) -> str:
    """What a failed read means for the reader."""
    fallback = "A read of the warehouse failed, so I cannot answer this now. Missing data says nothing about health."
    return _MEANINGS.get(failure.code, fallback)


def beyond_rules(intent: Intent) -> str:
    """The one clause on a question that wants more than rules can give."""
    if not intent.beyond:
        return ""
    return (
        "*A cause or a forecast needs judgement beyond fixed rules; above is the evidence: compare when the measures"
        " moved with the alerts and operations of that time.*"
    )


def gap(failure: Failure | None, what: str) -> str:
    """One line for a part of an answer that could not be read; empty when it was read."""
    if failure is None:
        return ""
    reason = {"unavailable": "not reachable", "timeout": "no answer in time", "permission": "not permitted"}
    return f"*{what}: could not be read ({reason.get(failure.code, 'the read failed')}), so nothing is said about it.*"


def charted(found: Found) -> bool:
    """Whether a chart stands below the answer."""
    return "chart" in found.outcomes and found.failed("chart") is None


def no_chart(found: Found) -> str:
    """One line when a picture was wanted and there is none."""
    return "" if charted(found) or not found.intent.drawn else "*No chart could be drawn of this; the figures:*"


def unresolved(intent: Intent, failure: Failure) -> str:
    """Why a cluster could not be found, with the candidates or nearest names that the door gave."""
    if failure.code != "bad_argument":
        return unavailable(failure)
    names = " and ".join(f"**{safe(name)}**" for name in intent.clusters[:2])
    candidates = _candidates(failure)
    ambiguous = "match" in failure.reason or "ambiguous" in failure.reason
    opening = f"More than one cluster matches {names}." if ambiguous else f"I know no cluster {names}."
    if not candidates:
        return f"{opening} Check the spelling, or ask for the worst clusters to see names and ids."
    asked = "Which one do you mean?" if ambiguous else "Did you mean one of these?"
    rows = [f"| {safe(name, 60)} | {short} |" for name, short in candidates]
    return paragraphs(f"{opening} {asked}", "\n".join(["| Cluster | Id |", "| --- | --- |", *rows]))


def _candidates(failure: Failure) -> list[tuple[str, str]]:
    """Name and id of the clusters that the door's sentence lists, at most 12."""
    return [
        (match.group(1).strip(), match.group(2))
        for part in failure.parts
        if part.startswith("near:")
        for match in _NAMED.finditer(part)
    ][:12]
