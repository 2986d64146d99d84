"""Long text in pieces that a platform takes: nothing is lost, and what belongs together is not torn apart."""

import re
from collections.abc import Callable, Iterator


def split(text: str, limit: int, token: re.Pattern[str], size: Callable[[str], int] = len) -> Iterator[str]:
    """Pieces of at most `limit` in `size`, cut between lines where possible, then between words, and never inside what
    `token` matches; `token` matches every character, if nothing longer. No character but white space at a cut is
    lost."""
    piece = ""
    for line in text.split("\n"):
        joined = f"{piece}\n{line}" if piece else line
        if size(joined) <= limit:
            piece = joined
            continue
        if piece.strip():
            yield piece
        *full, piece = _cut(line, limit, token, size)
        yield from full
    if piece.strip():
        yield piece


def _cut(line: str, limit: int, token: re.Pattern[str], size: Callable[[str], int]) -> list[str]:
    pieces = [""]
    for word in _words(line, token):
        if size(pieces[-1]) + size(word) <= limit:
            pieces[-1] += word
        elif size(word) <= limit:
            pieces.append(word.lstrip())
        else:
            for part in token.findall(word):
                if size(pieces[-1]) + size(part) > limit:
                    pieces.append("")
                pieces[-1] += part
    return [piece for piece in pieces[:-1] if piece.strip()] + pieces[-1:]


def _words(line: str, token: re.Pattern[str]) -> Iterator[str]:
    """Runs of tokens with no white space between them, and the runs of white space."""
    word, blank = "", False
    for part in token.findall(line):
        if word and part.isspace() != blank:
            yield word
            word = ""
        word, blank = word + part, part.isspace()
    if word:
        yield word
