"""Untrusted Markdown as pieces that Slack can show, in its mrkdwn."""

from collections.abc import Collection

from bot.markdown import Code, Dialect, Grid, Piece, Text
from bot.markdown import pieces as written
from bot.slack.escape import escape, link, linked

__all__ = ["Code", "Grid", "Piece", "Text", "pieces"]

MRKDWN = Dialect(escape, escape, linked, link, strong="*", emphasis="_", struck="~", bullet="• ", apart="\u200b")
# a character without width ends a word for Slack; without it 集群*健康*的 would show its asterisks


def pieces(markdown: str, hosts: Collection[str]) -> tuple[Piece, ...]:
    """`markdown` in the order in which it is read, neighbouring paragraphs joined. Links lead to `hosts` only."""
    return written(markdown, hosts, MRKDWN)
