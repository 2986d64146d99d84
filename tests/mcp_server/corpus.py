"""The guard's statements: allowed.sql and refused.sql read into test cases."""

import re
from pathlib import Path

_FOLDER = Path(__file__).parent


def allowed() -> list[str]:
    """Statements that must pass."""
    text = (_FOLDER / "allowed.sql").read_text(encoding="utf-8")
    without_heading = text.partition("\n")[2]
    return [statement.strip() for statement in re.split(r";\n", without_heading) if statement.strip()]


def refused() -> list[tuple[str, str]]:
    """Pairs of the rule that must refuse and the statement."""
    cases, rule = [], ""
    for line in (_FOLDER / "refused.sql").read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith("-- rule: "):
            rule = line.removeprefix("-- rule: ")
        else:
            cases.append((rule, line))
    return cases
