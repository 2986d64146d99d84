"""How right the patrol's flags are: random fleets with planted faults and decoys, against the truth files.

The reference platform's rules look at the same fleets beside it.

python -m benchmarks.patrol_quality 1001 1060            # random scenarios: precision, recall, F1, onset, severity
python -m benchmarks.patrol_quality 2001 2040 --decoys   # fleets with decoys only: every flag is a false alarm

Seeds 1 to 199 were used while rules and simulation were tuned; figures to quote are from others.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from agent.mcp_connection import McpConnection
from agent.mcp_tools import McpTools
from agent.patrol.evidence import Evidence
from agent.patrol.finding import Finding
from agent.patrol.inspection import inspect
from agent.patrol.reference import load_reference
from agent.patrol.reference_look import look
from agent.patrol.rules import load_rules
from agent.tools import Tools
from mcp_server.config import WarehouseConfig
from mcp_server.door import Door
from mcp_server.server import build_server
from sandbox.launch import Endpoint, Options, running


@asynccontextmanager
async def tools_of(place: Endpoint) -> AsyncIterator[Tools]:
    """The door's tools as an agent has them."""
    user, password = place.reader
    config = WarehouseConfig(host=place.host, port=place.port, user=user, password=SecretStr(password))
    async with Door(config) as door, McpConnection(lambda: build_server(door), name="starwatch") as connection:
        yield McpTools(connection)


def names_of(findings: tuple[Finding, ...]) -> set[str]:
    """The dimensions of findings, under the reference platform's names as well."""
    rules = load_rules().dimensions
    known = [rules[finding.dimension] for finding in findings if finding.dimension in rules]
    return {finding.dimension for finding in findings} | {rule.reference.name for rule in known if rule.reference}


BESIDE = (
    "precision", "recall", "f1", "critical_recall", "dimension_right", "severity_right", "fleets_without_a_wrong_flag",
    "must_flag_hit", "must_flag_missed", "must_not_flag_flagged", "flagged_outside_both_lists", "statements",
    "seconds_mean",
)  # fmt: skip
"""What is told of the reference rules."""


@dataclass
class Tally:
    """Counts over all fleets."""

    hits: int = 0
    missed: int = 0
    false: int = 0
    others: int = 0
    right_severity: int = 0
    graded: int = 0
    seconds: list[float] = field(default_factory=list)
    statements: int = 0
    characters: list[int] = field(default_factory=list)
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false_by: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    earlier_looks: int = 0
    earlier_false: int = 0
    onset_errors: list[float] = field(default_factory=list)
    critical: int = 0
    critical_found: int = 0
    fleets: int = 0
    clean_fleets: int = 0
    border: int = 0
    border_flagged: int = 0

    def add(self, evidence: Evidence, truth: dict[str, Any], *, verbose: bool, seed: int) -> None:
        """Count one fleet."""
        flagged = {cluster.identity.cluster_id: cluster for cluster in evidence.flagged}
        self.fleets += 1
        must, must_not = set(truth["must_flag"]), set(truth["must_not_flag"])
        border = set(truth["may_flag"])
        self.border += len(border)
        self.border_flagged += len(border & flagged.keys())
        wrong = [one for one in flagged if one not in must and one not in border]
        self.clean_fleets += not wrong
        self.hits += len(must & flagged.keys())
        self.missed += len(must - flagged.keys())
        self.false += len([one for one in wrong if one in must_not])
        self.others += len([one for one in wrong if one not in must_not])
        for one in wrong:
            self.false_by.update(finding.dimension for finding in flagged[one].findings)
        self._faults(truth, flagged, must, verbose=verbose, seed=seed)
        if verbose:
            for one in wrong:
                kind = "FALSE" if one in must_not else "extra"
                print(f"  seed {seed} {kind} {one[:8]} {[(f.dimension, f.reason) for f in flagged[one].findings]}")

    def add_earlier(self, evidence: Evidence, truth: dict[str, Any], *, verbose: bool, seed: int) -> None:
        """Count the false alarms of a look into the past, when some of the faults had not begun yet."""
        self.earlier_looks += 1
        # The newest hour's row also covers what happened later in that hour.
        end = evidence.as_of + timedelta(hours=1)
        begun = {one["cluster_id"] for one in truth["faults"] if datetime.fromisoformat(one["onset"]) < end}
        for cluster in evidence.flagged:
            if cluster.identity.cluster_id not in begun:
                self.earlier_false += 1
                self.false_by.update(finding.dimension for finding in cluster.findings)
                if verbose:
                    reasons = [(finding.dimension, finding.reason) for finding in cluster.findings]
                    print(f"  seed {seed} EARLY {evidence.as_of} {cluster.identity.cluster_id[:8]} {reasons}")

    def _faults(
        self, truth: dict[str, Any], flagged: dict[str, Any], must: set[str], *, verbose: bool, seed: int
    ) -> None:
        for fault in truth["faults"]:
            if fault["cluster_id"] not in must or fault["severity"] == "Info":
                continue
            self.planted[fault["kind"]] += 1
            cluster = flagged.get(fault["cluster_id"])
            critical = fault["severity"] == "Critical" and not fault["border"]
            self.critical += critical
            self.critical_found += critical and cluster is not None
            if cluster is not None:
                self.found[fault["kind"]] += 1
                self.graded += 1
                right = cluster.severity == fault["severity"] or (fault["border"] and cluster.severity != "Unknown")
                self.right_severity += right
                self.named[fault["kind"]] += bool(names_of(cluster.findings) & set(fault["dimensions"]))
                self._onset(fault, cluster.findings, verbose=verbose, seed=seed)
                if verbose and not right:
                    print(
                        f"  seed {seed} severity {fault['kind']} {fault['severity']} seen as {cluster.severity}:"
                        f" {[f.reason for f in cluster.findings]}"
                    )
            elif verbose:
                what = f"{fault['kind']} {fault['severity']} {fault['cluster_id'][:8]} since {fault['onset']}"
                print(f"  seed {seed} MISSED {what}")

    def _onset(self, fault: dict[str, Any], findings: tuple[Finding, ...], *, verbose: bool, seed: int) -> None:
        """Hours between when a fault began and when the finding on one of its dimensions says so."""
        begun = [one.since for one in findings if one.since and names_of((one,)) & set(fault["dimensions"])]
        if begun:
            error = (min(begun) - datetime.fromisoformat(fault["onset"])) / timedelta(hours=1)
            self.onset_errors.append(abs(error))
            if verbose and abs(error) > 6:
                print(f"  seed {seed} onset {fault['kind']} {error:+.0f} h")

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run; every flag on a cluster without a fault is wrong."""
        wrong = self.false + self.others
        precision = self.hits / (self.hits + wrong) if self.hits + wrong else 1.0
        recall = self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0
        return {
            "fleets": self.fleets,
            "fleets_without_a_wrong_flag": round(self.clean_fleets / max(1, self.fleets), 3),
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(2 * precision * recall / (precision + recall or 1), 4),
            "critical_recall": round(self.critical_found / self.critical, 4) if self.critical else None,
            "dimension_right": round(sum(self.named.values()) / max(1, self.graded), 3),
            "onset_error_hours": _quantiles(self.onset_errors),
            "must_flag_hit": self.hits,
            "must_flag_missed": self.missed,
            "must_not_flag_flagged": self.false,
            "flagged_outside_both_lists": self.others,
            "at_the_border": self.border,
            "at_the_border_flagged": self.border_flagged,
            "earlier_looks": self.earlier_looks,
            "earlier_false_alarms": self.earlier_false,
            "false_by_dimension": dict(self.false_by),
            "recall_by_kind": {kind: f"{self.found[kind]}/{count}" for kind, count in sorted(self.planted.items())},
            "dimension_named": {kind: f"{self.named[kind]}/{count}" for kind, count in sorted(self.found.items())},
            "severity_right": round(self.right_severity / self.graded, 3) if self.graded else None,
            "seconds_mean": round(sum(self.seconds) / max(1, len(self.seconds)), 2),
            "seconds_max": round(max(self.seconds, default=0), 2),
            "statements": self.statements,
            "evidence_characters_max": max(self.characters, default=0),
            "evidence_tokens_max": round(max(self.characters, default=0) / 2.5),
        }


def _quantiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "median": round(ordered[len(ordered) // 2], 1),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 1),
        "max": round(ordered[-1], 1),
    }


async def one(seed: int, scenario: str, arguments: argparse.Namespace, tally: Tally, beside: Tally) -> None:
    """Build one fleet, inspect it, count."""
    with tempfile.TemporaryDirectory() as folder:
        truth_file = Path(folder) / "truth.json"
        days = arguments.days or (28 if seed % 2 else 14)
        options = Options(seed=seed, clusters=arguments.clusters, days=days, scenario=scenario, truth_file=truth_file)
        async with running(options) as place, tools_of(place) as tools:
            truth = json.loads(truth_file.read_text())
            started = time.perf_counter()
            evidence = await inspect(tools, load_rules(), datetime.now(UTC).replace(tzinfo=None))
            tally.seconds.append(time.perf_counter() - started)
            tally.statements = evidence.statements
            tally.characters.append(len(evidence.render()))
            if evidence.notes and arguments.verbose:
                print(f"  seed {seed} notes {evidence.notes}")
            tally.add(evidence, truth, verbose=arguments.verbose, seed=seed)
            started = time.perf_counter()
            theirs = await look(tools, load_reference(), datetime.now(UTC).replace(tzinfo=None))
            beside.seconds.append(time.perf_counter() - started)
            beside.statements = theirs.statements
            beside.characters.append(len(theirs.render()))
            beside.add(theirs, truth, verbose=False, seed=seed)
            for hours in arguments.hours_back:
                earlier = await inspect(tools, load_rules(), evidence.now - timedelta(hours=hours))
                tally.add_earlier(earlier, truth, verbose=arguments.verbose, seed=seed)


async def main() -> None:
    """Run the seeds given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--clusters", type=int, default=48)
    parser.add_argument("--days", type=int, help="of history; without it 28 for odd seeds and 14 for even ones")
    parser.add_argument("--decoys", action="store_true", help="decoys only, no faults")
    parser.add_argument("--scenario", help="a named scenario instead of rough random ones")
    parser.add_argument("--hours-back", type=int, nargs="*", default=[], help="also look as of so many hours ago")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    tally, beside = Tally(), Tally()
    for seed in range(arguments.first, arguments.last + 1):
        scenario = arguments.scenario or ("rough-decoys" if arguments.decoys else f"rough:{seed}")
        await one(seed, scenario, arguments, tally, beside)
    theirs = beside.summary()
    print(json.dumps(tally.summary() | {"reference": {name: theirs[name] for name in BESIDE}}, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
