"""What a question asks for, as one value; pure. `understand` is the only door."""

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, cast

from agent.catalogue import Language
from agent.rules_only import references
from agent.rules_only.measures import Measure, mentioned
from agent.rules_only.vocabulary import WORDS, first_of

Kind = Literal[
    "overview",
    "worst",
    "status",
    "alerts",
    "issues",
    "series",
    "ranking",
    "limits",
    "compare",
    "operations",
    "news",
    "members",
    "cost",
    "breakdown",
    "silent",
    "logs",
    "patrol",
    "help",
    "unknown",
    "which_cluster",
]
MAX_QUESTION = 2000
_WEEK = 168
_DEFAULT_HOURS = {"operations": 336, "logs": 6, "news": 24}
# Kinds that are about one cluster when one is named, and about the fleet otherwise.
_EITHER = frozenset({"alerts", "operations", "series", "cost"})
_DRAWABLE = frozenset({"series", "ranking", "breakdown"})
# Kinds that a version in the question makes a list of its clusters.
_COUNTED = frozenset({"breakdown", "unknown", "overview", "worst"})
_CLUSTERS_NEEDED = {"compare": 2, "logs": 1, "status": 1}


@dataclass(frozen=True, slots=True)
class Intent:
    """A question understood. `clusters` are references as people write them (id, prefix, name); `hours` is the window,
    0 while none is named. `beyond` marks a question that wants a judgement which fixed rules cannot give, `drawn`
    one that wants a picture; `language` is what it was asked in."""

    kind: Kind
    clusters: tuple[str, ...] = ()
    measure: Measure | None = None
    hours: int = 0
    limit: int = 10
    severity: str = ""
    grouping: str = ""
    pattern: str = ""
    version: str = ""
    customer: str = ""
    important: bool = False
    ascending: bool = False
    beyond: bool = False
    drawn: bool = False
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class Context:
    """What a thread has been about: the last intent, the clusters last talked of (newest first), and the references
    that the last answer listed, in order."""

    last: Intent | None = None
    clusters: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


def normalise(question: str) -> str:
    """The question in one line of lower case, capped, without control characters."""
    text = unicodedata.normalize("NFKC", question[: 2 * MAX_QUESTION]).lower()
    kept = "".join(character if unicodedata.category(character)[0] != "C" else " " for character in text)
    return " ".join(kept.split())[:MAX_QUESTION]


def understand(question: str, context: Context | None = None) -> Intent:
    """The intent of `question`, what it leaves out filled in from the thread. Any text has one; at worst `unknown`."""
    context = context or Context()
    text = normalise(question)
    intent = _understood(text, context)
    before = context.last.language if context.last else "en"
    return replace(intent, language=references.language(references.without(text, intent.clusters), before))


def _understood(text: str, context: Context) -> Intent:
    if not text or WORDS.marked("typed_sql", text):
        return Intent("unknown")
    if WORDS.marked("greeting", text):
        return Intent("help")
    pattern = WORDS.captured("pattern", text)
    pointable = text.replace(pattern, " ") if pattern else text
    version = references.version(text, asked_before=context.last is not None and context.last.version != "")
    customer = "" if version else references.customer(text)
    pointable = pointable.replace(customer, " ") if customer else pointable
    clusters = references.clusters(pointable, context.clusters, context.listed)
    bare = references.without(text, clusters)
    intent = _fresh(bare, clusters)
    if customer and intent.kind != "cost":
        return _filled(bare, Intent("members", customer=customer))
    if version and not clusters and intent.kind in _COUNTED:
        return _filled(bare, Intent("members", version=version))
    intent = _continued(text, bare, intent, context)
    return _filled(bare, _settled(intent, context))


def _fresh(text: str, clusters: tuple[str, ...]) -> Intent:
    named = cast(Kind | Literal[""], first_of(WORDS.kinds, text))
    measure = mentioned(text)
    intent = Intent(
        named or _by_subject(text, clusters, measure),
        clusters=clusters,
        measure=measure,
        severity=_severity(text),
        grouping=first_of(WORDS.groupings, text),
        pattern=WORDS.captured("pattern", text),
        important=WORDS.marked("important", text),
        beyond=WORDS.marked("beyond", text),
        drawn=WORDS.marked("drawn", text),
        hours=references.window(text) or 0,
        ascending=WORDS.marked("lowest", text),
    )
    # "Which versions were upgraded to" counts versions; "alerts by customer" stays with the alerts.
    counted = named in {"", "operations"} and intent.grouping and WORDS.marked("counted", text)
    return replace(intent, kind="breakdown") if counted and not clusters and measure is None else intent


def _by_subject(text: str, clusters: tuple[str, ...], measure: Measure | None) -> Kind:
    if clusters and WORDS.marked("why", text):
        return "status"
    if clusters and measure is None and WORDS.marked("drawn", text):
        return "series"
    if measure is not None:
        return "ranking" if not clusters and WORDS.marked("ranked", text) else "series"
    if clusters:
        return "compare" if len(clusters) > 1 else "status"
    if WORDS.marked("worst", text) or WORDS.marked("important", text):
        return "worst"
    return "overview" if WORDS.marked("overview", text) else "unknown"


def _continued(text: str, bare: str, intent: Intent, context: Context) -> Intent:
    """A follow-up takes the last question's kind, measure or cluster where it names none itself."""
    last = context.last
    if last is None or last.kind in {"help", "unknown"}:
        return intent
    if WORDS.marked("why", text) and intent.measure is None:
        chosen = intent.clusters or last.clusters[:1] or context.listed[:1] or context.clusters[:1]
        return replace(intent, kind="status", clusters=chosen, beyond=True) if chosen else replace(last, beyond=True)
    if intent.drawn and last.kind in _DRAWABLE and intent.measure is None and not intent.grouping:
        # "plot it" is about what was told last, also where it names the cluster again
        kind = "series" if intent.clusters else last.kind
        named = intent.clusters or last.clusters
        return replace(last, kind=kind, clusters=named, drawn=True, hours=intent.hours or last.hours)
    if WORDS.marked("more", text):
        return replace(last, limit=40)
    again = WORDS.marked("again", text)
    only_a_name = intent.kind == "status" and (again or not WORDS.marked("status", bare))
    only_a_severity = intent.kind == "worst" and last.kind == "issues" and again and intent.severity
    if intent.kind == "unknown" or only_a_name or only_a_severity:
        return _same_again(intent, last, again)
    if intent.kind in _EITHER and not intent.clusters and last.clusters and again and "fleet" not in text:
        return replace(intent, clusters=last.clusters[:1])
    return intent


def _same_again(intent: Intent, last: Intent, again: bool) -> Intent:
    if intent.clusters:
        if not again and last.kind != "which_cluster":
            return intent
        carried = last.kind if last.kind in {*_EITHER, "logs"} else "status"
        kind = "series" if last.kind == "ranking" else carried
        return replace(last, kind=kind, clusters=intent.clusters, severity="", hours=intent.hours or last.hours)
    if not (intent.hours or intent.severity or (again and intent.grouping)):
        return intent
    return replace(
        last,
        hours=intent.hours or last.hours,
        severity=intent.severity or last.severity,
        grouping=intent.grouping or last.grouping,
    )


def _settled(intent: Intent, context: Context) -> Intent:
    """Kinds that need clusters but lack some take the thread's, or ask."""
    needed = _CLUSTERS_NEEDED.get(intent.kind, 0)
    missing = needed - len(intent.clusters)
    if missing > 0:
        others = [name for name in context.clusters if name not in intent.clusters]
        intent = replace(intent, clusters=(*others[:missing][::-1], *intent.clusters))
    return replace(intent, kind="which_cluster") if len(intent.clusters) < needed else intent


def _filled(text: str, intent: Intent) -> Intent:
    count = WORDS.captured("top", text)
    return replace(
        intent,
        hours=intent.hours or _DEFAULT_HOURS.get(intent.kind, _WEEK),
        limit=min(max(int(count), 1), 12) if count else intent.limit,
    )


def _severity(text: str) -> str:
    word = WORDS.captured("severity", text)
    return {"严重": "Critical", "警告": "Warning"}.get(word, word.capitalize())
