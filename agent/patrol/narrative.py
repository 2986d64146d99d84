"""The rules-only analyst's words, in any of our languages: the five sections made from evidence, and a few lines from
what its tools found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from agent.catalogue import Language
from agent.patrol import told
from agent.patrol.binding import important, key_metrics, severity_of
from agent.patrol.evidence import Evidence, label, told_once
from agent.patrol.finding import ClusterEvidence
from agent.patrol.report import CustomerSummary, RecommendedAction, Urgency
from agent.patrol.rules import Rules
from agent.patrol.sections import Flag, Sections
from agent.patrol.voice import Voice
from agent.patrol.week_words import week
from agent.rules_only.envelope import Sheet, read
from agent.untrusted import visible

Result = tuple[str, Mapping[str, Any], str, bool]
"""Tool name, arguments, text, whether it failed."""

_NAMED = 5
_ACTIONS = 20
"""As many lines as a report is read back with (`agent.patrol.sections`)."""
_LOG_CHARS = 140
_SOON = 12.0
_PATTERNS = 4
# So many lines surely fit a report that is read back; what is flagged, and whose, is taken from the evidence anyway.
_FLAGS, _CUSTOMERS = 60, 20
_TOGETHER = 4
"""Clusters that are named in one action."""
_ADVICE = {"freshness": "report.advice.freshness", "alerts": "report.advice.alerts"}


def sections(evidence: Evidence, rules: Rules, results: Sequence[Result] = (), language: Language = "en") -> Sections:
    """The five sections of a report. With nothing flagged they say so, and nothing else."""
    writer = _Writer(evidence, rules, Voice(language))
    flags = tuple(
        Flag(
            cluster.identity.cluster_id,
            severity_of(cluster, None),
            "; ".join(finding.reason for finding in cluster.findings),
            key_metrics(cluster),
        )
        for cluster in evidence.flagged[:_FLAGS]
    )
    customers = tuple(
        CustomerSummary(name, clusters[0].identity.tier, told.customer(writer.voice, rules, clusters))
        for name, clusters in islice(important(evidence).items(), _CUSTOMERS)
    )
    narrative = "\n\n".join(part for part in writer.paragraphs(results) if part)
    foreseen = tuple(told.predictions(writer.voice, rules, evidence))
    return Sections(narrative, flags, foreseen, customers, tuple(writer.actions()))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes about one look at the fleet, in one language."""

    evidence: Evidence
    rules: Rules
    voice: Voice

    def paragraphs(self, results: Sequence[Result]) -> Iterator[str]:
        yield self._opening()
        yield self._worst()
        yield self._shared()
        if self.evidence.week is not None:
            yield self.voice.joined(week(self.voice, self.rules, self.evidence.week, shown=1))
        yield self._dug_up(results)
        yield self._doubts(results)

    def _opening(self) -> str:
        evidence, voice = self.evidence, self.voice
        active = voice.several(len(evidence.clusters), "active")
        as_of = f"{evidence.as_of:%Y-%m-%d %H:%M} UTC"
        unjudged, flagged = evidence.unjudged, len(evidence.flagged)
        aside = voice.say("report.unjudged", clusters=voice.several(unjudged, "clusters")) if unjudged else ""
        well = len(evidence.clusters) - flagged - unjudged
        if not flagged:
            key = "report.healthy.judged" if unjudged else "report.healthy.all"
            if evidence.coverage is not None and evidence.coverage.impaired:
                key = "report.healthy.unseen"
            return voice.say(key, well=well, active=active, as_of=as_of, aside=aside)
        return voice.say(
            "report.attention.one" if flagged == 1 else "report.attention.many",
            flagged=flagged,
            active=active,
            as_of=as_of,
            counts=voice.list(
                voice.say("report.severity", n=count, severity=voice.own(severity))
                for severity, count in evidence.by_severity().items()
            ),
            others=voice.say("report.others", well=well) if well else "",
            aside=aside,
        )

    def _worst(self) -> str:
        evidence, voice = self.evidence, self.voice
        # What a pattern explains is told with the first of its clusters, and for all of them under "In common".
        own = [one for one, pattern in told_once(evidence.flagged, evidence.shared) if pattern is None]
        shown = voice.chain(self._one(one) for one in own[:_NAMED])
        if not shown:
            return ""
        rest = len(evidence.flagged) - len(own[:_NAMED])
        return voice.say("report.worst.more" if rest else "report.worst", told=shown, rest=rest)

    def _one(self, cluster: ClusterEvidence) -> str:
        voice, name = self.voice, label(cluster.identity)
        tier = cluster.identity.tier
        who = voice.say("report.who", name=name, tier=tier) if tier != "B" else name
        since = cluster.findings[0].since
        began = voice.say("report.since", when=f"{since:%m-%d %H:%M}") if since else ""
        began += voice.say("report.after", operation=cluster.operations[0]) if cluster.operations else ""
        reason = told.finding(voice, self.rules, cluster.findings[0])
        return voice.say("report.one", who=who, reason=reason, began=began)

    def _shared(self) -> str:
        patterns = list(told.patterns(self.voice, self.rules, self.evidence))[:_PATTERNS]
        return self.voice.say("report.shared", patterns=self.voice.chain(patterns)) if patterns else ""

    def _dug_up(self, results: Sequence[Result]) -> str:
        """What the logs of the worst clusters say, quoted as data."""
        names = {one.identity.cluster_id: label(one.identity) for one in self.evidence.clusters}
        found = [
            self.voice.say(
                "report.logs.one",
                name=names.get(str(arguments.get("cluster")), self.voice.say("report.logs.unnamed")),
                quoted=quoted,
            )
            for tool, arguments, text, failed in results
            if tool == "search_logs" and (quoted := _first_trouble(text, failed))
        ]
        return self.voice.say("report.logs", found=self.voice.chain(found)) if found else ""

    def _doubts(self, results: Sequence[Result]) -> str:
        failed = sorted({tool for tool, _, _, failed in results if failed})
        notes = [self.voice.echo(one) for one in (*self.evidence.notes, *self.evidence.quality)]
        notes += [self.voice.say("report.unanswered", tools=self.voice.list(failed))] if failed else []
        return self.voice.say("report.doubts", notes=self.voice.chain(notes)) if notes else ""

    def actions(self) -> Iterator[RecommendedAction]:
        """One action for each kind of trouble and urgency, with the clusters that it concerns."""
        grouped: dict[tuple[Urgency, str], list[str]] = {}
        for cluster in self.evidence.flagged:
            dimension = cluster.findings[0].dimension
            grouped.setdefault((_urgency(cluster), dimension), []).append(label(cluster.identity))
        order: Sequence[Urgency] = ("Immediate", "Today", "This Week")
        ranked = sorted(grouped.items(), key=lambda item: order.index(item[0][0]))
        shown = ranked if len(ranked) <= _ACTIONS else ranked[: _ACTIONS - 1]
        for (urgency, dimension), names in shown:
            yield RecommendedAction(urgency, self._action(dimension, names))
        if rest := sum(len(names) for _, names in ranked[len(shown) :]):
            yield RecommendedAction(order[-1], self.voice.say("report.actions.more", rest=rest))

    def _action(self, dimension: str, names: Sequence[str]) -> str:
        voice, rule = self.voice, self.rules.dimensions.get(dimension)
        advice = voice.own(rule.advice) if rule else voice.say(_ADVICE.get(dimension, "report.advice.look"))
        shown, rest = voice.list(names[:_TOGETHER]), len(names) - _TOGETHER
        shown = voice.say("report.names.more", names=shown, rest=rest) if rest > 0 else shown
        return voice.say("report.action", names=shown, label=voice.dimension(self.rules, dimension), advice=advice)


def _first_trouble(text: str, failed: bool) -> str:
    """The first log line of a result that tells of trouble, quoted."""
    sheet = read(text, failed)
    if not isinstance(sheet, Sheet):
        return ""
    lines = (row for row in sheet if row.text("level").upper() in {"ERROR", "FATAL", "WARN", "WARNING"})
    first = next((row.text("message") for row in lines), "")
    return f"`{' '.join(visible(first).split())[:_LOG_CHARS].replace('`', chr(39))}`" if first else ""


def _urgency(cluster: ClusterEvidence) -> Urgency:
    if cluster.severity == "Critical":
        return "Immediate"
    soon = any(outlook.hours <= _SOON for outlook in cluster.outlooks)
    important_customer = cluster.identity.tier in {"S", "A"}
    if soon and important_customer:
        return "Immediate"
    return "Today" if soon or important_customer or cluster.severity == "Unknown" else "This Week"
