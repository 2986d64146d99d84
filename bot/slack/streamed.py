"""A model's words made harmless while they are still coming: no mention and no link, wherever the pieces are cut.

What is streamed stands for seconds, until the whole answer is drawn in its place; so links, even good ones, lead
nowhere yet. Slack reads `<…>` as mentions and links and Markdown's own link forms; both are broken up here."""

from agent.untrusted import visible

_FOLLOWED = {
    ":": (("//", "[:]"),),
    "]": (("(", "] "), ("[", "] "), (":", "] ")),
    "&": (("#", "&amp;"),),
}
"""Character → what must follow it to make it dangerous, and what it is then written as."""


class Sanitizer:
    """Takes pieces in order and gives back what may be shown of them; the same for every way of cutting a text."""

    def __init__(self) -> None:
        self._held = ""
        self._before = ""
        self._line_start = True
        self._in_host = False

    def feed(self, piece: str) -> str:
        """What may be shown now. A character whose danger depends on the next ones waits for them."""
        return self._take(piece, last=False)

    def rest(self) -> str:
        """What still waits, at the end of the text."""
        return self._take("", last=True)

    def _take(self, piece: str, *, last: bool) -> str:
        text = self._held + visible(piece)
        shown: list[str] = []
        at = 0
        while at < len(text):
            written = self._written(text[at], text[at + 1 : at + 3], last)
            if written is None:
                break
            shown.append(written)
            self._note(text[at], written)
            at += 1
        self._held = text[at:]
        return "".join(shown)

    def _written(self, char: str, following: str, last: bool) -> str | None:
        """What stands for a character; None when that cannot be told yet."""
        for danger, written in _FOLLOWED.get(char, ()):
            if following.startswith(danger):
                return written
            if not last and danger.startswith(following):
                return None
        match char:
            case "<":
                return "&lt;"
            case ">":
                # at the start of a line it quotes, anywhere else it may end a token of Slack's
                return ">" if self._line_start else "&gt;"
            case "." if self._in_host or self._before.endswith("www"):
                return "(.)"
        return char

    def _note(self, char: str, written: str) -> None:
        self._before = (self._before + char.lower())[-3:]
        self._line_start = char == "\n" or (self._line_start and char in " \t>")
        if written == "[:]":
            self._in_host = True
        elif (char != "/" and not (char.isalnum() or char in ".-_%@~:")) or (
            char == "/" and self._before != "://" and self._before[-2:] != ":/"
        ):
            self._in_host = False


def harmless(text: str) -> str:
    """A whole text as it may be streamed."""
    sanitizer = Sanitizer()
    return sanitizer.feed(text) + sanitizer.rest()
