"""Flags counted against the truth of simulated fleets: precision, recall, F1, dimensions, onsets, severities.

Pure arithmetic; `patrol_quality.py` builds the fleets and looks at them."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.patrol.evidence import Evidence
from agent.patrol.finding import Finding
from agent.patrol.report import FlaggedCluster, FlaggedFinding
from agent.patrol.rules import load_rules
from sandbox.fleet.truth import PASSING

LATE = timedelta(hours=6)
"""From here on the error of an onset is told in a verbose run."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One finding of a flag: its dimension under all names it goes by, why, and since when (naive UTC)."""

    names: frozenset[str]
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """One flagged cluster, whoever flagged it."""

    severity: str
    signs: tuple[Sign, ...] = ()

    @property
    def told(self) -> str:
        """Why, in words."""
        return " | ".join(f"{'/'.join(sorted(sign.names))}: {sign.reason}" for sign in self.signs)


Flags = Mapping[str, Flag]
"""By cluster UUID."""
Truth = Mapping[str, Any]
"""The content of a truth file."""


def of_evidence(evidence: Evidence) -> Flags:
    """What a look flags."""
    return {
        one.identity.cluster_id: Flag(one.severity or "", tuple(_sign(finding) for finding in one.findings))
        for one in evidence.flagged
    }


def of_report(clusters: tuple[FlaggedCluster, ...]) -> Flags:
    """What a report flags."""
    return {one.cluster_id: Flag(one.severity, tuple(_sign(finding) for finding in one.findings)) for one in clusters}


def _sign(finding: Finding | FlaggedFinding) -> Sign:
    since = finding.since
    begun = datetime.fromisoformat(since) if isinstance(since, str) and since else since
    return Sign(
        names_of(finding.dimension), finding.reason, begun.replace(tzinfo=None) if isinstance(begun, datetime) else None
    )


def names_of(dimension: str) -> frozenset[str]:
    """A dimension under the reference platform's name as well."""
    rule = load_rules().dimensions.get(dimension)
    return frozenset({dimension} | ({rule.reference.name} if rule and rule.reference else set()))


@dataclass
class Tally:
    """Counts over all fleets. What stands at the border counts neither way, but is counted."""

    fleets: int = 0
    clean_fleets: int = 0
    hits: int = 0
    missed: int = 0
    wrong: int = 0
    border: int = 0
    border_flagged: int = 0
    critical: int = 0
    critical_found: int = 0
    graded: int = 0
    right_severity: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    wrong_by: Counter[str] = field(default_factory=Counter)
    onset_errors: list[float] = field(default_factory=list)
    earlier_looks: int = 0
    earlier_wrong: int = 0
    of_fleets: list[tuple[int, int, int]] = field(default_factory=list)
    """Hits, wrong flags and misses of each fleet."""

    def add(self, flags: Flags, truth: Truth) -> list[str]:
        """Count one fleet; returns what went wrong, one line each."""
        must, border = set(truth["must_flag"]), set(truth["may_flag"])
        wrong = sorted(flags.keys() - must - border)
        self.fleets += 1
        self.clean_fleets += not wrong
        hits, missed = len(must & flags.keys()), len(must - flags.keys())
        self.of_fleets.append((hits, len(wrong), missed))
        self.hits += hits
        self.missed += missed
        self.wrong += len(wrong)
        self.border += len(border)
        self.border_flagged += len(border & flags.keys())
        lines = [line for fault in truth["faults"] if fault["cluster_id"] in must for line in self._fault(fault, flags)]
        return lines + [f"WRONG {one[:8]} {flags[one].severity} {flags[one].told}" for one in self._wrong(wrong, flags)]

    def _wrong(self, wrong: list[str], flags: Flags) -> list[str]:
        for one in wrong:
            self.wrong_by.update(min(sign.names) for sign in flags[one].signs)
        return wrong

    def _fault(self, fault: Mapping[str, Any], flags: Flags) -> Iterator[str]:
        if fault["severity"] == "Info":
            return
        kind, flag = fault["kind"], flags.get(fault["cluster_id"])
        surely_critical = fault["severity"] == "Critical" and not fault["border"]
        self.planted[kind] += 1
        self.critical += surely_critical
        if flag is None:
            yield f"MISSED {kind} {fault['severity']} {fault['cluster_id'][:8]} since {fault['onset']}"
            return
        self.critical_found += surely_critical
        self.found[kind] += 1
        self.graded += 1
        yield from self._severity(fault, flag)
        yield from self._signs(fault, flag)

    def _severity(self, fault: Mapping[str, Any], flag: Flag) -> Iterator[str]:
        either = fault["border"] and flag.severity in {"Critical", "Warning"}
        right = either or flag.severity == fault["severity"]
        self.right_severity += right
        if not right:
            yield f"SEVERITY {fault['kind']} {fault['severity']} seen as {flag.severity}: {flag.told}"

    def _signs(self, fault: Mapping[str, Any], flag: Flag) -> Iterator[str]:
        """Whether one of the fault's dimensions is named, and how far from its begin the finding on it lies."""
        own = [sign for sign in flag.signs if sign.names & set(fault["dimensions"])]
        self.named[fault["kind"]] += bool(own)
        if not own:
            yield f"DIMENSION {fault['kind']} seen as {flag.told}"
        begun = [sign.since for sign in own if sign.since]
        if begun:
            error = min(begun) - datetime.fromisoformat(fault["onset"])
            self.onset_errors.append(abs(error) / timedelta(hours=1))
            if abs(error) > LATE:
                yield f"ONSET {fault['kind']} {error / timedelta(hours=1):+.0f} h"

    def add_earlier(self, flags: Flags, truth: Truth, end: datetime) -> list[str]:
        """Count a look into the past, at the hours before `end`: what had not begun by then is wrongly flagged."""
        self.earlier_looks += 1
        begun = {one["cluster_id"] for one in truth["faults"] if datetime.fromisoformat(one["onset"]) < end}
        wrong = sorted(flags.keys() - begun)
        self.earlier_wrong += len(wrong)
        return [f"EARLY {end} {one[:8]} {flags[one].told}" for one in self._wrong(wrong, flags)]

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run."""
        precision, recall = share(self.hits, self.hits + self.wrong), share(self.hits, self.hits + self.missed)
        border_left = self.border - self.border_flagged
        return {
            "fleets": self.fleets,
            "fleets_without_a_wrong_flag": share(self.clean_fleets, self.fleets),
            "precision": precision,
            "recall": recall,
            "f1": share(2 * self.hits, 2 * self.hits + self.wrong + self.missed),
            "f1_between": between(self.of_fleets),
            "critical_recall": share(self.critical_found, self.critical),
            "critical": self.critical,
            "dimension_right": share(sum(self.named.values()), self.graded),
            "severity_right": share(self.right_severity, self.graded),
            "onset_error_hours": quantiles(self.onset_errors),
            "must_flag_hit": self.hits,
            "must_flag_missed": self.missed,
            "wrongly_flagged": self.wrong,
            "wrong_by_dimension": dict(self.wrong_by),
            "at_the_border": self.border,
            "at_the_border_flagged": self.border_flagged,
            "precision_if_the_border_were_wrong": share(self.hits, self.hits + self.wrong + self.border_flagged),
            "recall_if_the_border_were_missed": share(self.hits, self.hits + self.missed + border_left),
            "passing_trouble": _of(self.found, self.planted, PASSING),
            "recall_by_kind": {kind: _of(self.found, self.planted, kind) for kind in sorted(self.planted)},
            "dimension_by_kind": {kind: _of(self.named, self.found, kind) for kind in sorted(self.found)},
            "earlier_looks": self.earlier_looks,
            "earlier_wrongly_flagged": self.earlier_wrong,
        }


def _of(part: Counter[str], whole: Counter[str], kind: str) -> str:
    return f"{part[kind]}/{whole[kind]}"


def between(of_fleets: Sequence[tuple[int, int, int]], draws: int = 2_000) -> tuple[float, float] | None:
    """Where F1 lies in 95 of 100 runs over fleets like these (bootstrap over fleets, always the same draws); None of
    less than two fleets, or where nothing was to be found."""
    if len(of_fleets) < 2 or not any(hits for hits, _, _ in of_fleets):
        return None
    rng = random.Random(0)
    drawn = (rng.choices(of_fleets, k=len(of_fleets)) for _ in range(draws))
    sums = ([sum(column) for column in zip(*fleets, strict=True)] for fleets in drawn)
    found = sorted(share(2 * hits, 2 * hits + wrong + missed) or 0.0 for hits, wrong, missed in sums)
    return found[int(0.025 * draws)], found[int(0.975 * draws)]


def share(part: int, whole: int) -> float | None:
    """A share to four places; None of nothing."""
    return round(part / whole, 4) if whole else None


def quantiles(values: list[float]) -> dict[str, float]:
    """Median, 90th percentile and largest, to a tenth; empty of nothing."""
    if not values:
        return {}
    ordered = sorted(values)
    places = {"median": (len(ordered) - 1) // 2, "p90": math.ceil(0.9 * len(ordered)) - 1, "max": len(ordered) - 1}
    return {name: round(ordered[place], 1) for name, place in places.items()}
