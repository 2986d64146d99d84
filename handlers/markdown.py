"""Markdown with data in it: a name, a reason or a customer shows as it is and cannot become markup."""

import string

from agent.untrusted import visible

_ESCAPED = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})


def line(text: str) -> str:
    """`text` on one line, without characters that cannot be seen."""
    return " ".join(visible(text).split())


def literal(text: str) -> str:
    """One line of Markdown that shows `text` letter by letter."""
    return line(text).translate(_ESCAPED)


def excerpt(text: str, limit: int) -> str:
    """The beginning of `text` on one line, an ellipsis where it was cut; `limit` characters at most."""
    flat = line(text)
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
