"""What can be chosen about a run of the stand-in; the command line and the launcher share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """One run: where it listens, and what it holds (a simulated fleet, the files of `load`, or nothing)."""

    port: int = 0
    seed: int = 7
    clusters: int = 170
    days: int = 30
    scenario: str = "default"
    truth_file: Path | None = None
    load: Path | None = None
    empty: bool = False

    def arguments(self) -> list[str]:
        """The same choice as command-line arguments."""
        pairs = [
            ("--port", str(self.port)),
            ("--seed", str(self.seed)),
            ("--clusters", str(self.clusters)),
            ("--days", str(self.days)),
            ("--scenario", self.scenario),
        ]
        if self.truth_file is not None:
            pairs.append(("--truth-file", str(self.truth_file)))
        if self.load is not None:
            pairs.append(("--load", str(self.load)))
        return [word for pair in pairs for word in pair] + ["--empty"] * self.empty
