"""Answers without data: what failed and what to do, what can be asked, and which cluster is meant."""

import re

from agent.rules_only.envelope import Failure
from agent.rules_only.intent import Intent
from agent.rules_only.voice import Voice
from agent.rules_only.writing.found import Found
from agent.rules_only.writing.markdown import paragraphs, safe, table

_NAMED = re.compile(r"(?:^|[,:;]\s*)([^,;:]*?)\s*\(([0-9a-f]{8}-[0-9a-f-]{27})\)")
_EXPLAINED = frozenset({"unavailable", "timeout", "permission"})


def help_text(found: Found) -> str:
    """What can be asked."""
    return paragraphs(found.say("help.opening"), found.say("abilities"))


def unknown(found: Found) -> str:
    """Says that the question was not understood, and what would be."""
    return paragraphs(found.say("help.unknown"), found.say("abilities"))


def which_cluster(found: Found) -> str:
    """Asks which cluster is meant."""
    return found.say("which.two" if len(found.intent.clusters) == 1 else "which.one")


def unavailable(voice: Voice, failure: Failure) -> str:
    """What a failed read means for the reader."""
    return voice.say(f"failed.{_reason(failure)}")


def _reason(failure: Failure) -> str:
    return failure.code if failure.code in _EXPLAINED else "other"


def beyond_rules(voice: Voice, intent: Intent) -> str:
    """The one clause on a question that wants more than rules can give."""
    return voice.say("beyond") if intent.beyond else ""


def gap(voice: Voice, failure: Failure | None, what: str) -> str:
    """One line for a part of an answer that could not be read; empty when it was read. `what` is the part's name."""
    if failure is None:
        return ""
    return voice.say("gap", what=what, reason=voice.say(f"gap.{_reason(failure)}"))


def missing(found: Found, role: str, part: str) -> str:
    """The line for the result of `role`; `part` is the key of its name below `part.`."""
    return gap(found.voice, found.failed(role), found.say(f"part.{part}"))


def charted(found: Found) -> bool:
    """Whether a chart stands below the answer."""
    return "chart" in found.outcomes and found.failed("chart") is None


def no_chart(found: Found) -> str:
    """One line when a picture was wanted and there is none."""
    return "" if charted(found) or not found.intent.drawn else found.say("no_chart")


def unresolved(found: Found, failure: Failure) -> str:
    """Why a cluster could not be found, with the candidates or nearest names that the door gave."""
    if failure.code != "bad_argument":
        return unavailable(found.voice, failure)
    names = found.say("unresolved.and").join(f"**{safe(name)}**" for name in found.intent.clusters[:2])
    candidates = _candidates(failure)
    ambiguous = "match" in failure.reason or "ambiguous" in failure.reason
    opening = found.say("unresolved.many" if ambiguous else "unresolved.none", names=names)
    if not candidates:
        return found.say("unresolved.spelling", opening=opening)
    asked = found.say("unresolved.which" if ambiguous else "unresolved.near", opening=opening)
    return paragraphs(asked, table(found.voice, ("cluster", "id"), [(safe(name, 60), id_) for name, id_ in candidates]))


def _candidates(failure: Failure) -> list[tuple[str, str]]:
    """Name and id of the clusters that the door's sentence lists, at most 12."""
    return [
        (match.group(1).strip(), match.group(2))
        for part in failure.parts
        if part.startswith("near:")
        for match in _NAMED.finditer(part)
    ][:12]
