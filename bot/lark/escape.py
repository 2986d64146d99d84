"""Text that is safe to put into the Markdown of a Lark card: no live mention, no tag, no address that leads anywhere
unlisted."""

import re
from collections.abc import Collection, Iterator

from agent.untrusted import visible
from bot import pieces
from bot.addresses import LINKABLE, linked_host, plain

__all__ = ["escape", "letters", "link", "linked", "split"]

# `:` only where it could begin the name of an emoji, marks of lists and titles only where a line begins
_SPECIAL = re.compile(r"[&<>*_~`\[\]\\#|]|:(?=[A-Za-z]\w*:)|^[-+=](?=[-=\s]|$)|^(\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_TAG = re.compile(
    r"<(?=/?(?:at|a|person|link|font|text_tag|number_tag|local_datetime|raw|audio|img|br|hr)\b)", re.IGNORECASE
)
_TOKEN = re.compile(r"&#?\w{1,8};|\[[^\[\]\n]*\]\([^()\s]*\)|.", re.DOTALL)


def escape(text: str) -> str:
    """`text` so that Lark shows each character and acts on none; addresses in it lead nowhere."""
    return _SPECIAL.sub(_entity, plain(text))


def letters(text: str) -> str:
    """`text` for places that are shown letter by letter (code, cells, plain text): a blank keeps what would be a tag of
    Lark's from being one even there."""
    return _TAG.sub("< ", plain(text))


def link(url: str, label: str, hosts: Collection[str]) -> str:
    """A link whose host is shown, when the host is listed and the address is https; else label and dead address."""
    host = linked_host(url)
    shown = " ".join(label.split()) if label != url else ""
    if host is None or host not in hosts:
        return escape(f"{shown} ({url})" if shown else url)
    # a label may say one address and lead to another, so the host is always shown
    return _link(url, f"{shown} ({host})" if shown else host)


def linked(text: str, hosts: Collection[str]) -> str:
    """Escaped text in which addresses of listed hosts are links."""
    done, end = "", 0
    text = visible(text)
    if "https://" not in text:  # most has none, and there is much of it
        return escape(text)
    for found in LINKABLE.finditer(text):
        if linked_host(found[0]) in hosts:
            done += escape(text[end : found.start()]) + _link(found[0], linked_host(found[0]) or "")
            end = found.end()
    return done + escape(text[end:])


def split(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` bytes in UTF-8, never cut inside an entity or a link; nothing but white space is
    lost."""
    return pieces.split(text, limit, _TOKEN, size=lambda piece: len(piece.encode()))


def _link(url: str, label: str) -> str:
    address = url.replace("(", "%28").replace(")", "%29").replace("[", "%5B").replace("]", "%5D")
    return f"[{escape(label)}]({address})"


def _entity(found: re.Match[str]) -> str:
    if found[1]:
        return f"{found[1]}&#{ord(found[2])};"
    return f"&#{ord(found[0])};"
