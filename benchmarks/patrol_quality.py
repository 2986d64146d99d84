"""How right the patrol's flags are: random fleets with planted faults and decoys, against the truth files.

The reference platform's rules look at the same fleets beside it, and with --model a model patrols them.

python -m benchmarks.patrol_quality 101 160                             # rough random scenarios
python -m benchmarks.patrol_quality 101 140 --decoys                    # decoys and everyday trouble only
ANTHROPIC_API_KEY=… python -m benchmarks.patrol_quality 101 103 --model claude-sonnet-5-5

Which seeds were used for what is in docs/patrol-quality.md; figures to quote are from others than those tuned with.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.patrol.inspection import inspect
from agent.patrol.reference import load_reference
from agent.patrol.reference_look import look
from agent.patrol.rules import load_rules
from agent.tools import Tools
from benchmarks.patrol_model import ModelRun, ModelTally, no_model, opened_model
from benchmarks.patrol_tally import Tally, of_evidence, quantiles
from benchmarks.patrol_tools import tools_of
from sandbox.launch import Options, running

BESIDE = (
    "precision", "recall", "f1", "critical_recall", "dimension_right", "severity_right", "fleets_without_a_wrong_flag",
    "must_flag_hit", "must_flag_missed", "wrongly_flagged", "at_the_border_flagged",
)  # fmt: skip
"""What is told of the reference rules."""


@dataclass
class Looks:
    """What one set of rules saw, and what the looks cost: seconds, statements, characters of evidence."""

    tally: Tally = field(default_factory=Tally)
    seconds: list[float] = field(default_factory=list)
    statements: int = 0
    characters: int = 0

    def spent(self, since: float, statements: int, text: str) -> None:
        """Note the cost of one look that began at `since` (`time.perf_counter`)."""
        self.seconds.append(time.perf_counter() - since)
        self.statements = max(self.statements, statements)
        self.characters = max(self.characters, len(text))

    def cost(self) -> dict[str, Any]:
        """The figures of the cost."""
        return {
            "seconds": quantiles(self.seconds),
            "statements": self.statements,
            "evidence_characters_max": self.characters,
            "evidence_tokens_max": round(self.characters / 2.5),
        }


@dataclass
class Run:
    """One run over many fleets."""

    arguments: argparse.Namespace
    own: Looks = field(default_factory=Looks)
    reference: Looks = field(default_factory=Looks)
    by_model: ModelTally | None = None

    async def fleet(self, seed: int, model: ModelRun | None) -> None:
        """Build one fleet, look at it by both sets of rules, let the model patrol it, count."""
        wanted = self.arguments
        scenario = wanted.scenario or ("rough-decoys" if wanted.decoys else f"rough:{seed}")
        days = wanted.days or (28 if seed % 2 else 14)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "truth.json"
            options = Options(seed=seed, clusters=wanted.clusters, days=days, scenario=scenario, truth_file=path)
            async with running(options) as place, tools_of(place) as tools:
                truth = json.loads(path.read_text())
                await self._by_rules(seed, tools, truth)
                if model is not None and self.by_model is not None:
                    self._tell(seed, "model", self.by_model.add(await model.patrol(tools), truth))

    async def _by_rules(self, seed: int, tools: Tools, truth: dict[str, Any]) -> None:
        rules, now = load_rules(), datetime.now(UTC).replace(tzinfo=None)
        began = time.perf_counter()
        evidence = await inspect(tools, rules, now)
        self.own.spent(began, evidence.statements, evidence.render())
        self._tell(seed, "own", [*evidence.notes, *self.own.tally.add(of_evidence(evidence), truth)])
        began = time.perf_counter()
        theirs = await look(tools, load_reference(), now)
        self.reference.spent(began, theirs.statements, theirs.render())
        self.reference.tally.add(of_evidence(theirs), truth)
        for hours in self.arguments.hours_back:
            earlier = await inspect(tools, rules, now - timedelta(hours=hours))
            # The newest hour's row also covers what happened later in that hour.
            end = earlier.as_of + timedelta(hours=1)
            self._tell(seed, "own", self.own.tally.add_earlier(of_evidence(earlier), truth, end))

    def _tell(self, seed: int, who: str, lines: Sequence[str]) -> None:
        for line in lines if self.arguments.verbose else ():
            print(f"  seed {seed} {who} {line}")

    def summary(self) -> dict[str, Any]:
        """All figures of the run."""
        theirs = self.reference.tally.summary()
        told = self.own.tally.summary() | self.own.cost()
        told["reference"] = {name: theirs[name] for name in BESIDE} | self.reference.cost()
        return told if self.by_model is None else told | {"model": self.by_model.summary()}


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    """The command line. Raises SystemExit when it is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--clusters", type=int, default=48)
    parser.add_argument("--days", type=int, help="of history; without it 28 for odd seeds and 14 for even ones")
    parser.add_argument("--decoys", action="store_true", help="decoys and everyday trouble only, no faults")
    parser.add_argument("--scenario", help="a named scenario instead of rough random ones")
    parser.add_argument("--hours-back", type=int, nargs="*", default=[], help="also look as of so many hours ago")
    parser.add_argument("--model", help="let this model patrol too; needs ANTHROPIC_API_KEY")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(words)


async def measured(arguments: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    """The figures of the seeds asked for. Raises SystemExit with one line when a model is wanted and has no key."""
    missing = no_model(arguments.model, environment)
    if missing:
        raise SystemExit(missing)
    run = Run(arguments, by_model=ModelTally() if arguments.model else None)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(opened_model(arguments.model, environment)) if arguments.model else None
        for seed in range(arguments.first, arguments.last + 1):
            await run.fleet(seed, model)
    return run.summary()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(arguments_of(sys.argv[1:]), dict(os.environ))), indent=1))
