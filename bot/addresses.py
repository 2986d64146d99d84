"""Addresses in untrusted text: which of them may be followed, and how the others are shown so that nobody can."""

import re
from urllib.parse import urlsplit

from agent.untrusted import visible

_ADDRESS = re.compile(r"(?i)(https?|ftp|slack|lark|feishu)://((?:(?!(?:https?|ftp|slack|lark|feishu)://)[^\s/?#<>|])*)")
LINKABLE = re.compile(r"https://[^\s<>|\"'`\\^{}]*[^\s<>|\"'`\\^{}.,;:!?)\]*_~]")
"""Finds what may be an address worth a link in running text; whether it is one says `linked_host`."""
_IN_LINK = re.compile(r"[!-;=?-\[\]-{}~]+")

LONGEST_LINK = 1_000
"""Characters of an address that may still be a link."""


def plain(text: str) -> str:
    """`text` without what cannot be seen, its addresses written so that no client makes a link of them."""
    shown = visible(text)
    return _ADDRESS.sub(_defanged, shown) if "://" in shown else shown


def linked_host(url: str) -> str | None:
    """The host that a link would lead to, None for anything that is not plainly an https address."""
    if len(url) > LONGEST_LINK or not _IN_LINK.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        plainly = parts.scheme == "https" and parts.username is None and parts.port in (None, 443)
    except ValueError:
        return None
    return parts.hostname if plainly else None


def _defanged(found: re.Match[str]) -> str:
    known = {"http": "hxxp", "https": "hxxps", "ftp": "fxp"}
    scheme = found[1].lower()
    return f"{known.get(scheme, scheme)}[:]//{found[2].replace('.', '[.]')}"
