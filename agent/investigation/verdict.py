"""From clues to a conclusion by rules: what set it off, what moved with it, what it shares with others.

A cause is called likely only where something that precedes the trouble, or something shared beyond chance, or a
mechanism with a witness of its own speaks for it. Everything else is told as seen, and the cause as not established."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agent.catalogue import Language
from agent.investigation.clues import NEAR, Clues, Move
from agent.investigation.conclusion import Action, Conclusion, EvidenceItem
from agent.investigation.phrases import Phrases, minute
from agent.investigation.plan import signs_of
from agent.investigation.scene import Measured, Peer, Scene
from agent.investigation.signs import load_causes
from agent.patrol.finding import Finding
from agent.patrol.report import Urgency
from agent.patrol.rules import Rules
from agent.patrol.told import finding
from agent.patrol.voice import Voice
from agent.untrusted import visible

LIKELY = 0.45
"""From here on a cause is called likely."""
MOST = 0.85
"""Rules see correlation in time alone, so they are never surer than this."""
NOTHING_KNOWN = 0.1
_FAINT = 0.2
_FINDINGS, _ITEMS, _LINES = 3, 12, 10
_SOON = 12.0


@dataclass(frozen=True, slots=True)
class Theory:
    """One account of the trouble: what it may be, what speaks for it, how much, and what to do then."""

    what: str
    why: tuple[str, ...]
    weight: float
    actions: tuple[str, ...] = ()
    mechanism: bool = field(default=False, kw_only=True)


def conclude(scene: Scene, clues: Clues, rules: Rules, language: Language = "en") -> Conclusion:
    """The conclusion by rules. Every sentence is made from the scene and the clues."""
    return _Verdict(scene, clues, rules, Phrases(language)).conclusion()


class _Verdict:
    def __init__(self, scene: Scene, clues: Clues, rules: Rules, phrases: Phrases) -> None:
        self._scene = scene
        self._clues = clues
        self._rules = rules
        self._phrases = phrases
        self._say = phrases.say
        self._voice = Voice(phrases.language)
        self._own = {pair.metric for pair in signs_of(scene).pairs}

    def conclusion(self) -> Conclusion:
        lead = self._scene.lead
        if lead is None:
            return self._uneventful()
        theories = sorted(self._theories(lead), key=lambda one: -one.weight)
        weight = self._weight(theories)
        likely = [one for one in theories if one.weight >= LIKELY]
        return Conclusion(
            severity=self._scene.severity,
            root_cause=(self._likely(likely) if likely else self._open(lead, theories))[:1_500],
            established=bool(likely),
            evidence=list(self._evidence())[:_ITEMS],
            ruled_out=list(self._ruled_out(lead))[:_LINES],
            unknown=list(self._unknown())[:_LINES],
            actions=list(self._actions(lead, likely)),
            confidence=round(weight, 2),
        )

    def _uneventful(self) -> Conclusion:
        scene, clues = self._scene, self._clues
        state = self._say("say.state", state=clues.state) if clues.state else ""
        gone = self._say("say.not_active", name=_quoted(scene.asked), state=state)
        return Conclusion(
            severity=scene.severity,
            root_cause=self._say("say.healthy") if scene.known else gone,
            established=False,
            evidence=list(self._evidence())[:_ITEMS] if scene.known else [],
            ruled_out=[],
            unknown=list(self._unread()),
            actions=[],
            confidence=NOTHING_KNOWN,
        )

    def _weight(self, theories: Sequence[Theory]) -> float:
        """How sure the rules are: of the best theory, a little more with each other that says the same."""
        if not theories:
            return NOTHING_KNOWN
        best, *others = theories
        return min(MOST, best.weight + 0.05 * sum(one.weight >= _FAINT for one in others))

    def _theories(self, lead: Measured) -> Iterator[Theory]:
        yield from (one for one in (self._set_off(lead), self._shared()) if one is not None)
        if (mechanism := self._mechanism()) is not None:
            yield mechanism

    def _set_off(self, lead: Measured) -> Theory | None:
        """The nearest operation before the onset that can explain it."""
        done = next((one for one in self._clues.operations if one.explains(lead.dimension)), None)
        if done is None:
            return None
        deed, scene = self._phrases.deed(done), self._scene
        near = abs(done.gap) <= NEAR
        weight = 0.5 if near else 0.3
        hours = f"{done.gap.total_seconds() / 3600:.0f}"
        why = [self._say("why.at_once") if hours in {"0", "-0", "-1"} else self._say("why.gap", hours=hours)]
        actions = [self._say("do.deed", deed=deed)]
        if done.deed is not None and done.deed.cause == "upgrade":
            alike, others = _alike(scene, "version"), sum(one.version for one in scene.peers)
            # that all who got the version suffer is more than one coincidence
            weight += (0.15 if alike > 1 else 0.1) if alike and 2 * alike >= others else 0.0
            actions = [self._say("do.upgrade", version=_quoted(scene.version))]
            if alike:
                why.append(self._say("seen.shares", same=alike, count=others, trait=self._say("trait.version")))
        return Theory(self._say("say.after_deed", deed=deed), tuple(why), weight, tuple(actions))

    def _shared(self) -> Theory | None:
        """What others show, too, since the same time."""
        scene = self._scene
        for trait, count, _ in scene.shares():
            like = self._like(trait)
            same, witnesses = len(like), sum(one.cluster_id in self._clues.same_lines for one in like)
            # of many clusters that share nothing more than a common version, a few are bound to be ill
            if not same or (trait == "version" and 3 * same < count):
                continue
            what = self._say(f"say.shared_{trait}", same=same, count=count, version=_quoted(scene.version))
            # where the logs agree, those who merely fell ill in the same hours are no strangers of it
            strangers = [one for one in scene.strangers if one in self._clues.same_lines or not witnesses]
            together = all(one.alike for one in like)
            why = [self._say("why.alike", strangers=len(strangers) or self._none())] if together else []
            why += [self._say("why.same_lines", count=witnesses)] if witnesses else []
            why += [self._say("why.pattern", pattern=_quoted(self._voice.echo(one))) for one in scene.patterns[:1]]
            weight = (0.35 if strangers else 0.5) + 0.1 * bool(scene.patterns) + 0.05 * bool(witnesses)
            at = minute(scene.onset) if scene.onset else self._say("say.no_time")
            actions = (self._say("do.account", at=at),) if trait == "account" else ()
            return Theory(what, tuple(why), weight, actions)
        return None

    def _like(self, trait: str) -> list[Peer]:
        """The peers of a trait that show the same since about the same time, or show the same and write the same new
        log lines, whenever they began."""
        known = self._clues.same_lines
        peers = [one for one in self._scene.peers if getattr(one, trait)]
        return [one for one in peers if one.alike or (one.same and one.cluster_id in known)]

    def _none(self) -> str:
        return "no" if self._phrases.language == "en" else "0"

    def _mechanism(self) -> Theory | None:
        """What moved with the trouble; believed more when the nodes write of it, too."""
        moved, logs = self._moved(), self._clues.logs
        strong = sum(not self._is_symptom(one) for one in moved)
        why = [self._phrases.moved(one, "why") for one in moved]
        why += [self._say("why.logs", text=one.text) for one in logs[:1]]
        if not why:
            return None
        causes = list(dict.fromkeys(self._say(f"cause.{one.pair.cause}") for one in moved))
        what = self._say("say.and").join(causes[:3])
        weight = 0.35 + 0.05 * strong + (0.1 if logs else 0.0) if strong else _FAINT
        return Theory(what or why[0], tuple(why) if what else (), weight, mechanism=True)

    def _moved(self) -> list[Move]:
        """The metrics beside the gravest finding that moved and mean something."""
        return [one for one in self._clues.moves if one.moved and one.pair.cause and one.pair.metric in self._own]

    def _is_symptom(self, move: Move) -> bool:
        """Whether it says the trouble again: by the file, or because it is flagged itself."""
        flagged = {load_causes().of(one.dimension).witness for one in self._scene.findings}
        return move.pair.symptom or move.pair.metric in flagged

    def _likely(self, theories: Sequence[Theory]) -> str:
        """The causes that are likely; a mechanism comes last, as it says how and not why."""
        ordered = sorted(theories, key=lambda one: (one.mechanism, -one.weight))
        reasons = [list(one.why) for one in ordered]
        if self._clues.logs and not any(one.mechanism for one in ordered):
            # what the nodes write is the nearest that the warehouse has to a reason
            reasons[0].append(self._say("why.logs", text=self._clues.logs[0].text))
        told = zip(ordered[:3], reasons, strict=False)
        return " ".join(self._say("say.likely", what=one.what, why=self._voice.chain(why)) for one, why in told)

    def _open(self, lead: Measured, theories: Sequence[Theory]) -> str:
        seen = self._voice.chain(one.what for one in theories[:3])
        since = minute(lead.since) + " UTC" if lead.since else self._say("say.no_time")
        return self._say(
            "say.open",
            what=self._finding(lead, bare=True),
            since=since,
            seen=self._say("say.seen", seen=seen) if seen else self._say("say.seen_nothing"),
        )

    def _finding(self, one: Measured, *, bare: bool = False) -> str:
        """A finding in words, as reports have it; `bare` without its limit, its outlook and when it began."""
        figures = (one.value, one.unit, one.reason.split(";")[0] if bare else one.reason, one.baseline)
        limit = None if bare else one.threshold
        # what investigates as Info has no findings at all
        severity = "Unknown" if one.severity == "Info" else one.severity
        found = Finding(self._scene.cluster_id, one.dimension, severity, *figures, limit, one.since)
        since = "" if bare or one.since is None else self._say("seen.since", at=minute(one.since))
        return f"{finding(self._voice, self._rules, found)}{since}"

    def _evidence(self) -> Iterator[EvidenceItem]:
        clues, phrases = self._clues, self._phrases
        for one in self._scene.findings[:_FINDINGS]:
            yield _item(self._finding(one), one.query_id)
        for done in clues.operations[:2]:
            yield _item(self._say("seen.deed", deed=phrases.deed(done)), done.query_id)
        for move in self._moved()[:3]:
            yield _item(phrases.moved(move, "seen"), move.query_id)
        for line in clues.logs[:2]:
            said = self._say("seen.logs", count=line.count, at=minute(line.first), text=line.text)
            yield _item(said, line.query_id)
        if clues.first_alert is not None:
            name, at = clues.first_alert
            yield _item(self._say("seen.alert", name=name, at=minute(at)), clues.receipts.get("alerts", ""))
        yield from self._beside()

    def _beside(self) -> Iterator[EvidenceItem]:
        """What others show, and what was found before."""
        clues, lead = self._clues, self._scene.lead
        for trait, count, same in self._scene.shares():
            if same and lead is not None:
                named = self._say(f"trait.{trait}")
                yield _item(self._say("seen.shares", same=same, count=count, trait=named), lead.query_id)
        if (compared := clues.compared) is not None and compared.measured:
            metric = self._phrases.metric(signs_of(self._scene).witness)
            said = self._say("seen.compared", metric=metric, measured=compared.measured, moved=compared.moved)
            yield _item(said, compared.query_id)
        for day, text in clues.earlier[:1]:
            yield _item(self._say("seen.earlier", day=day, text=text), clues.receipts.get("memory", ""))

    def _ruled_out(self, lead: Measured) -> Iterator[str]:
        clues, scene = self._clues, self._scene
        if scene.onset is not None and "operations" not in clues.unread:
            if not clues.operations:
                yield self._say("out.operation")
            for one in clues.operations:
                if not one.explains(lead.dimension):
                    yield self._say("out.deed", deed=self._phrases.deed(one))
        for move in clues.moves:
            if move.pair.metric in self._own and move.pair.cause and not move.moved:
                metric, cause = self._phrases.metric(move.pair.metric), self._say(f"cause.{move.pair.cause}")
                yield self._say("out.pair", cause=cause, metric=metric, times=self._phrases.times(move))
        for trait, count, same in scene.shares():
            if not same and count > 1:
                yield self._say(f"out.{trait}", count=count)

    def _unread(self) -> Iterator[str]:
        yield from (self._say("unknown.step", step=self._say(f"step.{one}")) for one in self._clues.unread)

    def _unknown(self) -> Iterator[str]:
        yield from self._unread()
        if self._scene.severity == "Unknown":
            yield self._say("unknown.dead")
        if self._scene.onset is None:
            yield self._say("unknown.onset")
        if not self._clues.logs and "logs" not in self._clues.unread:
            yield self._say("unknown.logs")
        yield self._say("unknown.outside")

    def _actions(self, lead: Measured, likely: Sequence[Theory]) -> Iterator[Action]:
        urgency = self._urgency()
        told = [text for one in likely for text in one.actions]
        rule = self._rules.dimensions.get(lead.dimension)
        beside = {"freshness": "do.silent", "alerts": "do.alerts"}.get(lead.dimension)
        if rule is not None:
            told.append(self._phrases.own(rule.advice))
        elif beside:
            told.append(self._say(beside))
        if not likely and self._scene.onset is not None:
            told.append(self._say("do.open", at=minute(self._scene.onset)))
        for at, text in enumerate(dict.fromkeys(told)):
            yield Action(urgency=urgency if at == 0 else _later(urgency), text=text)

    def _urgency(self) -> Urgency:
        scene = self._scene
        soon = scene.hours_left is not None and scene.hours_left <= _SOON
        if scene.severity == "Critical" or (soon and scene.tier != "B"):
            return "Immediate"
        return "Today" if soon or scene.tier != "B" or scene.severity == "Unknown" else "This Week"


def _alike(scene: Scene, trait: str) -> int:
    return next((same for name, _, same in scene.shares() if name == trait), 0)


def _later(urgency: Urgency) -> Urgency:
    return "Today" if urgency == "Immediate" else urgency


def _quoted(text: str) -> str:
    """Untrusted words that no markup can end."""
    return " ".join(visible(text).split())[:200].replace("`", "'")


def _item(text: str, query_id: str) -> EvidenceItem:
    return EvidenceItem(text=text[:600], query_id=query_id)
