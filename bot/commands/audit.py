"""`starwatch audit`: who asked what of the warehouse, when, and what became of it."""

import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from agent.untrusted import visible
from bot.clock import utc_now
from bot.errors import OperatorError, SettingsError
from bot.paths import audit_file
from bot.settings import load
from mcp_server.audit import Entry, kept
from mcp_server.audit_file import AuditFile

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"(\d{1,5})([mhd])")
_SQL_CHARS = 160


def run(*, since: str, thread: str | None, refused: bool, limit: int, as_json: bool) -> int:
    """Always 0: an audit without entries is an answer. Raises OperatorError when the file cannot be read."""
    path = audit_file(load(os.environ, Path.cwd()))
    wanted = _wanted(utc_now() - _age(since), thread, refused)
    try:
        entries = deque((entry for entry in kept(AuditFile(path)) if wanted(entry)), maxlen=limit)
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read ({error.strerror}); check STARWATCH_AUDIT_FILE") from None
    if as_json:
        print(json.dumps({"file": str(path), "entries": [entry.model_dump(mode="json") for entry in entries]}))
    else:
        print("\n".join(_lines(entries)) or f"no calls since {since} ago in {path}")
    return 0


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"--since {text}: write a number and m, h or d, e.g. 30m, 1h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _wanted(start: datetime, thread: str | None, refused: bool) -> Callable[[Entry], bool]:
    def wanted(entry: Entry) -> bool:
        if entry.time < start or (refused and entry.allowed):
            return False
        return thread is None or entry.thread == thread

    return wanted


def _lines(entries: Iterable[Entry]) -> Iterable[str]:
    """A line for each call, and one below it for each of its statements."""
    for entry in entries:
        who = "/".join(part for part in (entry.surface, entry.channel, entry.user) if part)
        what = f"{entry.tool or 'read'} {entry.verdict}"
        told = " ".join(f"{entry.thread} {entry.reason} {entry.arguments}".split())
        yield visible(f"{entry.time:%Y-%m-%d %H:%M:%S}  {who}  {what}  {entry.seconds:.2f} s  {told}".rstrip())
        for statement in entry.statements:
            sql = " ".join(statement.sql.split())
            short = sql if len(sql) <= _SQL_CHARS else f"{sql[:_SQL_CHARS]}…"
            yield visible(f"    {statement.verdict}  {statement.rows} rows  {statement.seconds:.2f} s  {short}")
