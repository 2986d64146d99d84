"""Prompts are text files beside this module, one per role, with strict `{placeholders}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import PromptInvalid

FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A role's text. A placeholder is a lower-case name in braces; any other brace stands for itself."""

    name: str
    text: str

    @property
    def placeholders(self) -> frozenset[str]:
        """The names that `render` must be given."""
        return frozenset(_PLACEHOLDER.findall(self.text))

    def render(self, **values: str) -> str:
        """The text with every placeholder filled, in one pass: braces inside a value stay as they are.

        Raises `PromptInvalid` when a value is missing or is not asked for.
        """
        if problem := _mismatch(self.placeholders, values):
            raise PromptInvalid(f"prompt {self.name!r}: {problem}")
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.text)


def _mismatch(placeholders: frozenset[str], values: Mapping[str, str]) -> str:
    missing, extra = sorted(placeholders - values.keys()), sorted(values.keys() - placeholders)
    parts = (
        f"no value for {', '.join(missing)}" if missing else "",
        f"no place for {', '.join(extra)}" if extra else "",
    )
    return "; ".join(part for part in parts if part)


def load(name: str) -> Prompt:
    """The prompt of a role, from `NAME.md`. Raises `PromptInvalid` when there is no such file."""
    path = FOLDER / f"{name}.md"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.md")))
        raise PromptInvalid(f"there is no prompt {name!r}; there are: {known}")
    return Prompt(name, path.read_text(encoding="utf-8").strip())
