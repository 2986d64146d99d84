"""`starwatch warehouse`: becomes the stand-in's own process, so that signals and exit codes are its own."""

import os
import sys
from pathlib import Path


def run(*, truth_file: Path | None, load: Path | None, empty: bool, **numbers: int | str) -> int:
    """Never returns: the process is replaced."""
    words = [f"--{name}={value}" for name, value in numbers.items()]
    words += [f"--truth-file={truth_file}"] if truth_file else []
    words += [f"--load={load}"] if load else []
    words += ["--empty"] * empty
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "sandbox", *words])  # noqa: S606 (our own interpreter and module)
