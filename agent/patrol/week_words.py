"""The week of a report in a few sentences, in the language of a voice: for the narrative, and for a model's prompt."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from agent.patrol.rules import Rules, number
from agent.patrol.voice import Voice
from agent.patrol.week import Filling, Noisy, Recurring, Rising, Standing, Week
from agent.untrusted import visible

SHOWN = 3
"""How many of each list are told in a sentence."""
_NAME_CHARS = 48
_Item = TypeVar("_Item")

Named = Callable[[str], str]
"""Writes the name of a cluster or an alert, which comes from data."""


def plain(name: str) -> str:
    """A name as it is told: visible characters on one line, cut when long."""
    text = " ".join(visible(name).split())
    return text if len(text) <= _NAME_CHARS else f"{text[: _NAME_CHARS - 1]}…"


def quoted(name: str) -> str:
    """A name as quoted data, for a prompt."""
    return json.dumps(plain(name), ensure_ascii=False)


def week(voice: Voice, rules: Rules, one: Week, named: Named = plain, shown: int = SHOWN) -> Iterator[str]:
    """The week in sentences, the first `shown` of each list; those about single clusters or alerts come last."""
    if (fleet := one.fleet) is not None:
        figures = {"now": number(fleet.now), "before": number(fleet.before), "better": fleet.better}
        clusters = voice.several(fleet.clusters, "clusters")
        yield voice.say("week.fleet", clusters=clusters, worse=fleet.worse, **figures)
    if one.missing:
        parts = voice.list(voice.say(f"week.part.{part}") for part in one.missing)
        yield voice.say("week.missing", parts=parts)
    yield from _sentence(voice, "rising", one.rising, lambda it: _rising(voice, rules, it), shown)
    yield from singles(voice, rules, one, named, shown)


def singles(voice: Voice, rules: Rules, one: Week, named: Named = plain, shown: int = SHOWN) -> Iterator[str]:
    """The sentences about single clusters and alerts."""

    def score(it: Standing) -> str:
        return _score(voice, rules, it, named)

    known = {it.cluster_id for it in one.fell[:shown]}
    lowest = [it for it in one.worst if it.cluster_id not in known]
    yield from _sentence(voice, "fell", one.fell, score, shown)
    yield from _sentence(voice, "worst", lowest, score, shown)
    yield from _sentence(voice, "rose", one.rose, score, shown)
    yield from _sentence(voice, "recurring", one.recurring, lambda it: _recurring(voice, rules, it, named), shown)
    yield from _sentence(voice, "capacity", one.capacity, lambda it: _filling(voice, rules, it, named), shown)
    yield from _sentence(voice, "noise", one.noise, lambda it: _noisy(voice, it, named), shown)


def _sentence(
    voice: Voice, key: str, items: Sequence[_Item], write: Callable[[_Item], str], shown: int
) -> Iterator[str]:
    if not items:
        return
    told = voice.chain(map(write, items[:shown]))
    if len(items) > shown:
        told = voice.say("week.more", told=told, rest=len(items) - shown)
    yield voice.say(f"week.{key}", told=told)


def _rising(voice: Voice, rules: Rules, one: Rising) -> str:
    return voice.say("week.rising.one", label=voice.dimension(rules, one.dimension), worse=one.worse, better=one.better)


def _score(voice: Voice, rules: Rules, one: Standing, named: Named) -> str:
    name, now = named(one.cluster_name), number(one.now)
    if one.before is None:
        return voice.say("week.score.only", name=name, now=now)
    score = voice.say("week.score", name=name, now=now, before=number(one.before))
    if not one.shifts:
        return score
    shift = one.shifts[0]
    ends = {"before": voice.figure(shift.before, shift.unit), "now": voice.figure(shift.now, shift.unit)}
    return voice.say("week.score.why", score=score, label=voice.dimension(rules, shift.dimension), **ends)


def _recurring(voice: Voice, rules: Rules, one: Recurring, named: Named) -> str:
    key = "week.recurring.again" if one.times > 1 else "week.recurring.one"
    told = voice.dimension(rules, one.dimension)
    return voice.say(key, name=named(one.cluster_name), label=told, days=one.days, times=one.times)


def _noisy(voice: Voice, one: Noisy, named: Named) -> str:
    return voice.say("week.noise.one", name=named(one.name), idle=one.idle, incidents=one.incidents)


def _filling(voice: Voice, rules: Rules, one: Filling, named: Named) -> str:
    return voice.say(
        "week.capacity.one",
        name=named(one.cluster_name),
        label=voice.dimension(rules, one.dimension),
        value=voice.figure(one.value, one.unit),
        limit=voice.figure(one.limit, one.unit),
        days=f"{one.days:.0f}",
        soonest=f"{one.soonest:.0f}",
        latest=f"{one.latest:.0f}",
    )
