"""`starwatch backtest`: the recorded days judged again by changed rules, or reported again by another prompt or model,
beside those of today."""

import dataclasses
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import typer

from agent import prompts
from agent.model import Model
from agent.patrol.backtest import Difference, Flag, Look, differences, moments, replay, summary
from agent.patrol.errors import RulesInvalid, WarehouseUnreadable
from agent.patrol.profiles import Profile, own, profile_of, reference
from agent.patrol.rehearsal import Rehearsed, Version
from agent.patrol.rehearsal import summary as rehearsal_summary
from agent.patrol.roster import newest_data
from agent.patrol.rules import Rules, load_rules, parse
from agent.tools import Tools
from bot import running
from bot.clock import utc_now
from bot.compose import opened, thinker
from bot.errors import OperatorError, SettingsError
from bot.past import tools_as_of
from bot.prices import load_prices
from bot.rehearsal import Consent, Rehearsal, estimated
from bot.settings import Settings, load
from bot.terminal import Terminal, console
from bot.warehouse import address
from sandbox.launch import Options

_UNWRITTEN = "--prompt and --model need a model to write reports; set ANTHROPIC_API_KEY, or replay --rules alone"


@dataclass(frozen=True, slots=True)
class _Change:
    """What is other than today; None = as it is."""

    rules: tuple[Profile, Rules] | None
    prompt: prompts.Prompt | None
    model: str | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What both sides saw or wrote, how they differ, and a line on each."""

    before: Sequence[Look] | Sequence[Rehearsed]
    after: Sequence[Look] | Sequence[Rehearsed]
    found: Sequence[Difference]
    lines: tuple[str, ...]


def run(
    *,
    rules: str | None,
    prompt: str | None,
    model: str | None,
    days: int,
    every: int,
    yes: bool,
    max_usd: float | None,
    as_json: bool,
) -> int:
    """0 when told. `rules` is `reference` or a file, `prompt` a file. Raises OperatorError when nothing is changed,
    when a file is not what it should be, when a moment has no data, and when the cost was not agreed to."""
    if rules is None and prompt is None and model is None:
        raise OperatorError("nothing is changed; name --rules, --prompt or --model")
    change = _Change(_rules(rules) if rules else None, _prompt(prompt) if prompt else None, model)
    # The pace of people is no measure for a replay, which makes some forty statements for each moment.
    settings = load(os.environ, Path.cwd()).model_copy(update={"calls_per_minute": 10_000})
    terminal = Terminal(console(), console(stream_is_error=True))
    if change.prompt is None and change.model is None:
        told = running.run(_judged(settings, change, days, every, terminal))
    elif not settings.uses_claude:
        raise SettingsError(_UNWRITTEN)
    else:
        ask = partial(typer.confirm, err=True) if sys.stdin.isatty() else None
        told = running.run(_written(settings, change, days, every, Consent(yes, max_usd, ask), terminal))
    terminal.show("")
    print(_as_json(told) if as_json else "\n".join(_lines(told)))
    return 0


def _rules(rules: str) -> tuple[Profile, Rules]:
    if rules == "reference":
        return reference(), load_rules()
    try:
        parsed = parse(_text(rules, "a rules file or `reference`"))
    except RulesInvalid as error:
        raise OperatorError(f"{rules}: {error}") from None
    return own(parsed), parsed


def _prompt(path: str) -> prompts.Prompt:
    prompt = prompts.Prompt(path, _text(path, "a file with a prompt").strip())
    if (wanted := prompts.load("patrol").placeholders) != prompt.placeholders:
        listed = ", ".join(f"{{{name}}}" for name in sorted(wanted))
        raise OperatorError(f"{path}: has other placeholders than the prompt of a patrol; it wants {listed}")
    return prompt


def _text(path: str, wanted: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path}: cannot be read ({type(error).__name__}); name {wanted}") from None


async def _judged(settings: Settings, change: _Change, days: int, every: int, terminal: Terminal) -> _Told:
    """Both rules over the moments; no model is asked."""

    async def on_look(at: object) -> None:
        terminal.show(f"judging {at}")

    changed = change.rules[0] if change.rules else own(load_rules())
    async with opened(settings, terminal.show) as starwatch:
        try:
            times = await _moments(starwatch.tools, days, every)
            before = await replay(starwatch.tools, own(load_rules()), times, on_look)
            after = await replay(starwatch.tools, changed, times, on_look)
        except WarehouseUnreadable as error:
            raise OperatorError(f"{error}; replay fewer days") from None
    lines = (summary("the rules of today", before), summary("the changed rules", after))
    return _Told(before, after, tuple(differences(before, after)), lines)


async def _moments(tools: Tools, days: int, every: int) -> tuple[datetime, ...]:
    newest = await newest_data(tools, utc_now().replace(tzinfo=None))
    return moments(newest.at, days, every)


async def _written(
    settings: Settings, change: _Change, days: int, every: int, consent: Consent, terminal: Terminal
) -> _Told:
    """Whole reports by both versions, moment by moment, once the cost is agreed to."""

    async def on_moment(at: object) -> None:
        terminal.show(f"reporting {at}")

    prices = load_prices(settings.prices)
    async with address(settings, Options(), terminal.show) as place, _versions(settings, change) as versions:
        try:
            async with tools_as_of(place, settings) as tools:
                times = await _moments(tools, days, every)
                estimate = await estimated(versions, tools, len(times), prices)
            terminal.show("")
            consent.require(estimate)
            rehearsal = Rehearsal(versions, partial(tools_as_of, place, settings), prices.dollars, consent.most)
            whole = await rehearsal.run(times, on_moment, (estimate.dollars or 0.0) / len(times))
        except WarehouseUnreadable as error:
            raise OperatorError(f"{error}; replay fewer days") from None
    before, after = rehearsal.told
    names = (one.name for one in versions)
    lines = [rehearsal_summary(name, told, prices.dollars) for name, told in zip(names, (before, after), strict=True)]
    if not whole:
        lines.append(f"ended after {len(before)} of {len(times)} moments: the next might go beyond --max-usd")
    return _Told(before, after, tuple(differences(before, after)), tuple(lines))


@asynccontextmanager
async def _versions(settings: Settings, change: _Change) -> AsyncIterator[tuple[Version, Version]]:
    today, rules = load_rules(), change.rules
    judged = (profile_of(settings.rules, today), today)
    other = settings.model_copy(update={"model": change.model or settings.model})
    shipped = prompts.load("patrol")
    async with thinker(settings) as model, thinker(other) as changed:
        yield (
            _version("as it is", model, shipped, judged, settings),
            _version("changed", changed, change.prompt or shipped, rules or judged, settings),
        )


def _version(
    name: str, model: Model, prompt: prompts.Prompt, judged: tuple[Profile, Rules], settings: Settings
) -> Version:
    profile, rules = judged
    return Version(f"{name} ({model.name})", model, prompt, profile, rules, settings.max_patrol_rounds)


def _as_json(told: _Told) -> str:
    parts: dict[str, Any] = {
        "now": [dataclasses.asdict(one) for one in told.before],
        "changed": [dataclasses.asdict(one) for one in told.after],
        "differences": [dataclasses.asdict(one) for one in told.found],
        "summary": told.lines,
    }
    return json.dumps(parts, ensure_ascii=False, default=str)


def _lines(told: _Told) -> Iterator[str]:
    for one, after in zip(told.found, told.after, strict=True):
        lowered = after.lowered if isinstance(after, Rehearsed) else ()
        if one or lowered:
            yield f"{one.at:%Y-%m-%d %H:%M} UTC"
        yield from (f"  + {_named(flag)}" for flag in one.appeared)
        yield from (f"  - {_named(flag)}" for flag in one.vanished)
        yield from (f"  ~ {_named(old)} -> {new.severity}" for old, new in one.graded)
        yield from (f"  v {low.name}: {low.measured} by evidence, {low.told} by the changed version" for low in lowered)
    if not any(told.found):
        yield "no flag appears or vanishes"
    yield from told.lines


def _named(flag: Flag) -> str:
    about = f" {flag.dimension}" if flag.dimension else ""
    return f"{flag.name} ({flag.cluster[:8]}){about}: {flag.severity}"
