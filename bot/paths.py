"""Where Starwatch keeps its own state on this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot.settings import Settings


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The XDG state folder for Starwatch; it is not created here."""
    base = environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "starwatch"


def audit_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where every read of the warehouse is noted."""
    return settings.audit_file or state_directory(environ) / "audit.jsonl"


def default_database_url(environ: Mapping[str, str] = os.environ) -> str:
    """Starwatch's own database when the settings name none: one SQLite file."""
    return f"sqlite+aiosqlite:///{state_directory(environ) / 'starwatch.db'}"
