"""The file of the audit: lines are appended whole, old parts are set aside by size, and nobody else may read it."""

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

_MODE = 0o600


class AuditFile:
    """Appends from any number of processes. Every method blocks; OSError when the disk will not have it."""

    def __init__(self, path: Path, *, max_bytes: int = 16 * 1024 * 1024, kept: int = 5) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._kept = kept

    def append(self, lines: Sequence[str]) -> None:
        """Write all lines or, on OSError, none of them."""
        data = "".join(f"{line}\n" for line in lines).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = self._locked()
        try:
            size = os.fstat(handle).st_size
            if size and size + len(data) > self._max_bytes:
                self._set_aside()
                fresh = self._locked()
                os.close(handle)
                handle, size = fresh, 0
            _write(handle, data, size)
        finally:
            os.close(handle)

    def lines(self) -> Iterator[str]:
        """All lines that are still kept, oldest first."""
        for part in (*reversed(self._older()), self.path):
            try:
                with part.open(encoding="utf-8", errors="replace") as stream:
                    yield from stream
            except FileNotFoundError:
                continue

    def _locked(self) -> int:
        """The open file under its lock; another process may have set it aside while this one waited."""
        while True:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
            try:
                if self._taken(handle):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def _taken(self, handle: int) -> bool:
        fcntl.flock(handle, fcntl.LOCK_EX)
        opened = os.fstat(handle)
        if not self.path.exists() or not os.path.samestat(opened, self.path.stat()):
            return False
        if stat.S_ISREG(opened.st_mode):
            os.fchmod(handle, _MODE)
        return True

    def _set_aside(self) -> None:
        parts = [self.path, *self._older()]
        for newer, older in reversed(list(pairwise(parts))):
            if newer.exists():
                newer.replace(older)

    def _older(self) -> list[Path]:
        return [self.path.with_name(f"{self.path.name}.{number}") for number in range(1, self._kept + 1)]


def _write(handle: int, data: bytes, size: int) -> None:
    """A full disk takes part of a write; what it took is given back, so that no line is torn."""
    try:
        written = 0
        while written < len(data):
            written += os.write(handle, data[written:])
    except OSError:
        with suppress(OSError):
            os.ftruncate(handle, size)
        raise
