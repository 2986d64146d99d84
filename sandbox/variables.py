"""System variables of a session: those with an effect here are checked, well-known others are kept and told back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from sandbox.errors import StatementError

VERSION = "8.0.33"
"""The MySQL version that clients are told, as StarRocks does."""
COMMENT = "Starwatch sandbox: embedded stand-in for StarRocks"
UNLIMITED_ROWS = (1 << 63) - 1
Value = str | int
_UTC = {"utc", "+00:00", "etc/utc", "gmt", "system"}
_READ_ONLY = frozenset({"version", "version_comment", "license", "lower_case_table_names", "max_allowed_packet"})
_DEFAULTS: dict[str, Value] = {
    "autocommit": 1,
    "auto_increment_increment": 1,
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_database": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "collation_connection": "utf8mb4_general_ci",
    "collation_database": "utf8mb4_general_ci",
    "collation_server": "utf8mb4_general_ci",
    "enable_profile": 0,
    "init_connect": "",
    "insert_timeout": 14400,
    "interactive_timeout": 3600,
    "language": "/starrocks/share/english/",
    "license": "Apache License 2.0",
    "lower_case_table_names": 0,
    "max_allowed_packet": 16 << 20,
    "net_buffer_length": 16384,
    "net_read_timeout": 60,
    "net_write_timeout": 60,
    "performance_schema": 0,
    "query_cache_size": 1048576,
    "query_cache_type": 0,
    "query_mem_limit": 0,
    "query_timeout": 300,
    "resource_group": "",
    "sql_mode": "ONLY_FULL_GROUP_BY",
    "sql_safe_updates": 0,
    "sql_select_limit": UNLIMITED_ROWS,
    "system_time_zone": "UTC",
    "time_zone": "UTC",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": 0,
    "tx_isolation": "REPEATABLE-READ",
    "tx_read_only": 0,
    "version": VERSION,
    "version_comment": COMMENT,
    "wait_timeout": 28800,
}
_RANGES = {"query_timeout": (1, 259200), "insert_timeout": (1, 259200), "sql_select_limit": (0, UNLIMITED_ROWS)}


@dataclass(slots=True)
class Variables:
    """The values of one session."""

    _changed: dict[str, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        """The value of a variable; raises 1193 for an unknown name."""
        key = name.lower()
        if key not in _DEFAULTS:
            near = difflib.get_close_matches(key, _DEFAULTS, n=3, cutoff=0.5)
            raise StatementError(
                1193,
                f"Unknown system variable '{name}', the most similar variables are {{{', '.join(map(repr, near))}}}",
            )
        return self._changed.get(key, _DEFAULTS[key])

    def set(self, name: str, value: Value | None) -> None:
        """Change a variable; None means its default.

        Raises:
            StatementError: 1193 unknown, 1621 read-only, 1231 or 1232 for a value it cannot have, 1298 for a time
                zone other than UTC.
        """
        key = name.lower()
        current = self.get(key)
        if key in _READ_ONLY:
            raise StatementError(1621, f"Variable '{key}' is a read only variable")
        if value is None:
            self._changed.pop(key, None)
            return
        self._changed[key] = _checked(key, value, current)

    def reset(self) -> None:
        """Back to the defaults."""
        self._changed.clear()

    def items(self) -> list[tuple[str, str]]:
        """Names and values as SHOW VARIABLES tells them."""
        return [(name, str(self.get(name))) for name in sorted(_DEFAULTS)]

    @property
    def query_timeout(self) -> int:
        """Seconds a statement may take."""
        return int(self.get("query_timeout"))

    @property
    def row_limit(self) -> int:
        """Rows a SELECT may send."""
        return int(self.get("sql_select_limit"))


def _checked(name: str, value: Value, current: Value) -> Value:
    if name == "time_zone" and str(value).lower() not in _UTC:
        raise StatementError(1298, f"Unknown or incorrect time zone: '{value}' (the sandbox runs in UTC)")
    if isinstance(current, str):
        return str(value)
    number = _number(name, value)
    low, high = _RANGES.get(name, (-UNLIMITED_ROWS, UNLIMITED_ROWS))
    if not low <= number <= high:
        raise StatementError(1231, f"Variable '{name}' can't be set to the value of '{value}'", "42000")
    return number


def _number(name: str, value: Value) -> int:
    words = {"on": 1, "true": 1, "off": 0, "false": 0}
    try:
        return words[str(value).lower()] if str(value).lower() in words else int(value)
    except ValueError as error:
        raise StatementError(1232, f"Incorrect argument type to variable '{name}'", "42000") from error
