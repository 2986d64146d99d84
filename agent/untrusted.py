"""Text that came from data, other people or a model, made safe to show: what it cannot contain is decided here."""

import unicodedata

_KEPT = {"\n", "\t"}
_FORMAT = {"Cc", "Cf", "Cs", "Co", "Cn"}


def visible(text: str) -> str:
    """`text` without control, zero-width, bidirectional-override and unassigned characters; newline and tab stay.

    A terminal escape loses its introducer and becomes plain letters.
    """
    # printable is no character in these categories
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _FORMAT)
