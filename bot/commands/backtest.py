"""`starwatch backtest`: the recorded days judged again by changed rules, beside the rules of today."""

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.patrol.backtest import Difference, Flag, Look, differences, moments, replay, summary
from agent.patrol.errors import RulesInvalid, WarehouseUnreadable
from agent.patrol.profiles import Profile, own, reference
from agent.patrol.roster import newest_data
from agent.patrol.rules import load_rules, parse
from bot import running
from bot.clock import utc_now
from bot.compose import opened
from bot.errors import OperatorError
from bot.settings import load
from bot.terminal import Terminal, console


def run(*, rules: str, days: int, every: int, as_json: bool) -> int:
    """0 when told. `rules` is `reference` or a file. Raises OperatorError when the file is no rules file, and when a
    moment has no data."""
    return running.run(_backtest(_changed(rules), days, every, as_json))


def _changed(rules: str) -> Profile:
    if rules == "reference":
        return reference()
    try:
        return own(parse(Path(rules).read_text(encoding="utf-8")))
    except RulesInvalid as error:
        raise OperatorError(f"{rules}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"{rules}: cannot be read ({type(error).__name__}); name a rules file or `reference`"
        ) from None


async def _backtest(changed: Profile, days: int, every: int, as_json: bool) -> int:
    terminal = Terminal(console(), console(stream_is_error=True))
    # The pace of people is no measure for a replay, which makes some forty statements for each moment.
    settings = load(os.environ, Path.cwd()).model_copy(update={"calls_per_minute": 10_000})
    async with opened(settings, terminal.show) as starwatch:
        try:
            newest = await newest_data(starwatch.tools, utc_now().replace(tzinfo=None))
            times = moments(newest.at, days, every)

            async def on_look(at: object) -> None:
                terminal.show(f"judging {at}")

            before = await replay(starwatch.tools, own(load_rules()), times, on_look)
            after = await replay(starwatch.tools, changed, times, on_look)
        except WarehouseUnreadable as error:
            raise OperatorError(f"{error}; replay fewer days") from None
    terminal.show("")
    found = tuple(differences(before, after))
    print(_as_json(before, after, found) if as_json else "\n".join(_lines(before, after, found)))
    return 0


def _as_json(before: Sequence[Look], after: Sequence[Look], found: Sequence[Difference]) -> str:
    told = {
        "now": [dataclasses.asdict(one) for one in before],
        "changed": [dataclasses.asdict(one) for one in after],
        "differences": [dataclasses.asdict(one) for one in found],
    }
    return json.dumps(told, ensure_ascii=False, default=str)


def _lines(before: Sequence[Look], after: Sequence[Look], found: Sequence[Difference]) -> Iterator[str]:
    for one in filter(None, found):
        yield f"{one.at:%Y-%m-%d %H:%M} UTC"
        yield from (f"  + {_told(flag)}" for flag in one.appeared)
        yield from (f"  - {_told(flag)}" for flag in one.vanished)
        yield from (f"  ~ {_told(old)} -> {new.severity}" for old, new in one.graded)
    if not any(found):
        yield "no flag appears or vanishes"
    yield summary("the rules of today", before)
    yield summary("the changed rules", after)


def _told(flag: Flag) -> str:
    return f"{flag.name} ({flag.cluster[:8]}) {flag.dimension}: {flag.severity}"
