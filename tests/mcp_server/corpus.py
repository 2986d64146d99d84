"""The guard's statements: allowed.sql, refused.sql and manual.sql read into test cases."""

import re
from pathlib import Path

_FOLDER = Path(__file__).parent

_SHOP = ("customers", "orders", "items", "points", "tree", "rates", "events", "daily")
MANUAL_TABLES = tuple(f"shop.{name}" for name in _SHOP)


def allowed() -> list[str]:
    """Statements that must pass."""
    return _statements("allowed.sql")


def manual() -> list[str]:
    """Statements as a manual of StarRocks shows them, over the tables of a shop (`MANUAL_TABLES`)."""
    return _statements("manual.sql")


def refused() -> list[tuple[str, str]]:
    """Pairs of the rule that must refuse and the statement."""
    cases, rule = [], ""
    for line in (_FOLDER / "refused.sql").read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith("-- rule: "):
            rule = line.removeprefix("-- rule: ")
        else:
            cases.append((rule, line))
    return cases


def _statements(file: str) -> list[str]:
    without_heading = (_FOLDER / file).read_text(encoding="utf-8").partition("\n")[2]
    return [statement.strip() for statement in re.split(r";\n", without_heading) if statement.strip()]
