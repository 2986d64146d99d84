"""Text that is safe to put into Slack's mrkdwn: no live mention, no address that leads anywhere unlisted."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from agent.untrusted import visible

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"[&<>]")
_ADDRESS = re.compile(r"(?i)(https?|ftp|slack)://((?:(?!(?:https?|ftp|slack)://)[^\s/?#<>|])*)")
_LINKABLE = re.compile(r"https://[^\s<>|\"'`\\^{}]*[^\s<>|\"'`\\^{}.,;:!?)\]*_~]")
_IN_LINK = re.compile(r"[!-;=?-\[\]-{}~]+")
_TOKEN = re.compile(r"<[^<>\n]*>|&(?:amp|lt|gt);|.", re.DOTALL)

LONGEST_LINK = 1_000
"""Characters of an address that may still be a link."""


def escape(text: str) -> str:
    """`text` so that Slack shows each character and acts on none; addresses in it lead nowhere."""
    return _SPECIAL.sub(lambda found: _ENTITIES[found[0]], plain(text))


def plain(text: str) -> str:
    """The same for places that Slack takes letter by letter (table cells, plain_text)."""
    return _ADDRESS.sub(_defanged, visible(text))


def link(url: str, label: str, hosts: Collection[str]) -> str:
    """A link whose host is shown, when the host is listed and the address is https; else label and dead address."""
    host = _host(url)
    shown = " ".join(label.split()) if label != url else ""
    # A label may say one address and lead to another, so the address is always shown.
    if host is None or host not in hosts:
        return escape(f"{shown} ({url})" if shown else url)
    told = f"{escape(shown).replace('|', '¦')} ({host})" if shown else escape(host)
    return f"<{url.replace('&', '&amp;')}|{told}>"


def linked(text: str, hosts: Collection[str]) -> str:
    """Escaped text in which addresses of listed hosts are links."""
    done, end = "", 0
    text = visible(text)
    for found in _LINKABLE.finditer(text):
        if _host(found[0]) in hosts:
            done += escape(text[end : found.start()]) + f"<{found[0].replace('&', '&amp;')}>"
            end = found.end()
    return done + escape(text[end:])


def split(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` characters, cut between lines where possible, then between words, and never inside an
    entity or a link. No character but white space at a cut is lost."""
    piece = ""
    for line in text.split("\n"):
        joined = f"{piece}\n{line}" if piece else line
        if len(joined) <= limit:
            piece = joined
            continue
        if piece.strip():
            yield piece
        *full, piece = _cut(line, limit)
        yield from full
    if piece.strip():
        yield piece


def _cut(line: str, limit: int) -> list[str]:
    pieces = [""]
    for word in re.findall(r"<[^<>\n]*>|\S+|\s+", line):
        if len(pieces[-1]) + len(word) <= limit:
            pieces[-1] += word
        elif len(word) <= limit:
            pieces.append(word.lstrip())
        else:
            for token in _TOKEN.findall(word):
                if len(pieces[-1]) + len(token) > limit:
                    pieces.append("")
                pieces[-1] += token
    return [piece for piece in pieces[:-1] if piece.strip()] + pieces[-1:]


def _defanged(found: re.Match[str]) -> str:
    scheme = {"http": "hxxp", "https": "hxxps", "ftp": "fxp", "slack": "slack"}[found[1].lower()]
    return f"{scheme}[:]//{found[2].replace('.', '[.]')}"


def _host(url: str) -> str | None:
    """The host that a link would lead to, None for anything that is not plainly an https address."""
    if len(url) > LONGEST_LINK or not _IN_LINK.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        plainly = parts.scheme == "https" and parts.username is None and parts.port in (None, 443)
    except ValueError:
        return None
    return parts.hostname if plainly else None
