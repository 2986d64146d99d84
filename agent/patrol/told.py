"""Findings, predictions, patterns and customers as sentences in the language of a voice."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.patrol.evidence import Evidence, label
from agent.patrol.finding import ClusterEvidence, Finding, Outlook
from agent.patrol.patterns import Pattern
from agent.patrol.report import Prediction
from agent.patrol.rules import Rules, number
from agent.patrol.voice import Voice

_CUSTOMERS_CLUSTERS = 3


def finding(voice: Voice, rules: Rules, one: Finding) -> str:
    """Why it was flagged. In English the sentence of whoever found it, which knows a little more."""
    if voice.language == "en":
        return one.reason
    if one.dimension == "freshness":
        return _silence(voice, one)
    if one.dimension == "alerts":
        key = "finding.storm.since" if one.since else "finding.storm"
        when = f"{one.since:%H:%M}" if one.since else ""
        return voice.say(key, n=number(one.value), usual=number(one.baseline or 0), when=when)
    return "".join(_figures(voice, rules, one))


def _silence(voice: Voice, one: Finding) -> str:
    if one.unit != "h":
        return voice.say("finding.blind", n=number(one.value))
    if one.since is None:
        return voice.say("finding.silent.always", days=f"{one.value / 24:.0f}")
    return voice.say("finding.silent", hours=f"{one.value:.0f}")


def _figures(voice: Voice, rules: Rules, one: Finding) -> Iterator[str]:
    yield voice.say(
        "finding.value", label=voice.dimension(rules, one.dimension), value=voice.figure(one.value, one.unit)
    )
    if one.baseline is not None:
        yield voice.say("finding.usual", value=voice.figure(one.baseline, one.unit))
    if one.threshold is not None:
        yield voice.say("finding.limit", value=voice.figure(one.threshold, one.unit))
    if one.hours_left is not None and one.breaking is not None and one.hours_left > 0:
        yield voice.say(
            "finding.ahead", value=voice.figure(one.breaking, one.unit), hours=voice.figure(one.hours_left, "h")
        )


def customer(voice: Voice, rules: Rules, clusters: Sequence[ClusterEvidence]) -> str:
    """How a customer fares, from findings alone."""
    told = voice.chain(
        voice.say(
            "report.customer",
            name=one.identity.name,
            severity=voice.own(str(one.severity)),
            reason=finding(voice, rules, one.findings[0]),
        )
        for one in clusters[:_CUSTOMERS_CLUSTERS]
    )
    rest = len(clusters) - _CUSTOMERS_CLUSTERS
    return voice.say("report.customer.more", told=told, rest=rest) if rest > 0 else told


def prediction(voice: Voice, rules: Rules, outlook: Outlook, made: Prediction, name: str) -> str:
    """What is expected, by when and how surely."""
    return voice.say(
        "report.prediction",
        label=voice.dimension(rules, outlook.dimension),
        name=name,
        value=voice.figure(outlook.value, outlook.unit),
        limit=voice.figure(outlook.limit, outlook.unit),
        hours=voice.figure(outlook.hours, "h"),
        soonest=number(outlook.soonest),
        latest=number(outlook.latest),
        chance=f"{made.probability or 0.0:.0%}",
        horizon=made.horizon_hours,
    )


def predictions(voice: Voice, rules: Rules, evidence: Evidence) -> Iterator[Prediction]:
    """The measured predictions of the evidence, in this language where the course behind one is known."""
    ahead = {(one.cluster_id, one.dimension): one for cluster in evidence.clusters for one in cluster.outlooks}
    names = {one.identity.cluster_id: label(one.identity) for one in evidence.clusters}
    for made in evidence.predictions:
        outlook = ahead.get((made.cluster_id, made.dimension))
        if voice.language == "en" or outlook is None:
            yield made
        else:
            yield replace(made, text=prediction(voice, rules, outlook, made, names[made.cluster_id]))


def patterns(voice: Voice, rules: Rules, evidence: Evidence) -> Iterator[str]:
    """What flagged clusters share."""
    for at, sentence in enumerate(evidence.patterns):
        if voice.language != "en" and at < len(evidence.shared):
            yield _pattern(voice, rules, evidence.shared[at])
        else:
            yield voice.echo(sentence)


def _pattern(voice: Voice, rules: Rules, one: Pattern) -> str:
    labels = voice.list(voice.dimension(rules, name) for name in one.dimensions)
    text = voice.say(
        "pattern.share", n=len(one.clusters), size=one.size, trait=voice.echo(one.trait.words), labels=labels
    )
    if one.also:
        text += voice.say("pattern.also", traits=voice.list(map(voice.echo, one.also)))
    if one.since:
        text += voice.say("pattern.since", when=f"{one.since:%m-%d %H:%M}")
    return text + (voice.say("pattern.elsewhere", n=one.elsewhere) if one.elsewhere else "")
