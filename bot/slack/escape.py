"""Text that is safe to put into Slack's mrkdwn: no live mention, no address that leads anywhere unlisted."""

import html
import re
from collections.abc import Collection, Iterator

from agent.untrusted import visible
from bot import pieces
from bot.addresses import LINKABLE, linked_host, plain

__all__ = ["escape", "link", "linked", "plain", "split"]

_TOKEN = re.compile(r"<[^<>\n]*>|&(?:amp|lt|gt);|.", re.DOTALL)


def escape(text: str) -> str:
    """`text` so that Slack shows each character and acts on none; addresses in it lead nowhere."""
    return html.escape(plain(text), quote=False)


def link(url: str, label: str, hosts: Collection[str]) -> str:
    """A link whose host is shown, when the host is listed and the address is https; else label and dead address."""
    host = linked_host(url)
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
    if "https://" not in text:  # most has none, and there is much of it
        return escape(text)
    for found in LINKABLE.finditer(text):
        if linked_host(found[0]) in hosts:
            done += escape(text[end : found.start()]) + f"<{found[0].replace('&', '&amp;')}>"
            end = found.end()
    return done + escape(text[end:])


def split(text: str, limit: int) -> Iterator[str]:
    """Pieces of at most `limit` characters, cut between lines where possible, then between words, and never inside an
    entity or a link. No character but white space at a cut is lost."""
    return pieces.split(text, limit, _TOKEN)
