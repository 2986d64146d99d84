"""Where log lines go: stderr, one line each, JSON unless somebody is watching; secrets are blotted out."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from mcp_server.redaction import redact


def _redacted(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def configure(level: str, watched: bool | None = None) -> None:
    """Set up structlog and the standard library's loggers alike. `watched` = a person reads stderr."""
    person = sys.stderr.isatty() if watched is None else watched
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: Processor = structlog.dev.ConsoleRenderer(colors=False) if person else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level.upper())
    for noisy in ("slack_bolt", "slack_sdk", "aiosqlite", "alembic", "httpx2", "mcp", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.root.level))


def progress(text: str) -> None:
    """A step of a long start, as a log line."""
    if text:
        structlog.get_logger("start").info(text)
