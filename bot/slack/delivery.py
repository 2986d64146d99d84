"""Documents into a channel or thread: as many messages as it takes, each once, whatever breaks off in between."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from html import unescape
from typing import Any

import structlog

from bot.charts.picture import Painter
from bot.slack.api import SlackApi, SlackAway, SlackPlaceGone, SlackRefusal
from bot.slack.blocks import Message, messages, readable
from bot.slack.charts import has_chart, spelled, with_pictures
from bot.slack.escape import split
from bot.slack.marks import metadata_of, pages_of, unmarked
from bot.slack.place import Place
from handlers.document import Document, File
from handlers.markdown import excerpt
from handlers.surface import Mark, SurfaceError

log = structlog.get_logger()

PLAIN_TEXT = 3_900
"""Characters of a message without blocks; Slack advises 4,000."""
LOOKED_AT = 999
"""Messages of a thread or channel among which a post is looked for that a crash may have cut off."""
UNFINISHED = 200
"""Documents that were posted in part only and are remembered, so that a repeated post goes on where it stopped."""
MOST_MESSAGES = 8
"""Messages that a document may become; a longer one goes on in a file."""
TITLE = 100
YOUNG = 3600.0
"""Seconds within which a message without a mark may be what a crash left behind; turns are over sooner."""

_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch", "msg_too_long"}


class Delivery:
    """Posts and redraws on one workspace. Links lead to `hosts` only."""

    def __init__(
        self,
        api: SlackApi,
        hosts: Collection[str],
        now: Callable[[], float] = time.time,
        painter: Painter | None = None,
    ) -> None:
        self._api = api
        self._hosts = hosts
        self._now = now
        self._painter = painter or Painter()
        self._draws_charts = True
        self._unfinished: OrderedDict[str, list[str]] = OrderedDict()

    async def deliver(
        self, where: Place, document: Document, mark: Mark | None, reuse: Sequence[str] = ()
    ) -> tuple[str, list[str]]:
        """The ts of the thread and of the messages. Messages of `reuse` are redrawn before new ones are posted, and
        deleted when there are more of them than needed. After a failure the same call goes on with the first message
        that is missing; so does one with a `mark` of a turn that was begun before. Raises SurfaceError."""
        key = _fingerprint(where, document)
        # by content, since a repeated post has no other name in common with the one that failed
        posted = self._unfinished.pop(key, [])
        if mark is not None and mark.repeated and not posted:
            posted, left = await self._there(where, mark)
            reuse = [*reuse, *(ts for ts in left if ts not in reuse)]
        spare = [ts for ts in reuse if ts not in posted]
        root = where.ts or next(iter(posted), "")
        try:
            rendered = await self.rendered(document)
            for message in rendered[len(posted) :]:
                metadata = metadata_of(mark, len(posted))
                old = spare.pop(0) if spare else ""
                posted.append(await self._placed(where.channel, root, message, metadata, old))
                root = root or posted[0]
                await self._upload(where.channel, root, message.files)
        except SurfaceError:
            self._remember(key, posted)
            raise
        for ts in spare:
            await self._end_stream(where.channel, ts)
            await self.remove(where.channel, ts)
        return root, posted

    async def rendered(self, document: Document) -> Sequence[Message]:
        """The document as messages, large charts as pictures; what goes beyond MOST_MESSAGES is in a file of the last
        one."""
        painted = await with_pictures(document, self._painter, drawn=self._draws_charts)
        # long Markdown takes a noticeable moment to parse, which other threads need not wait for
        return await asyncio.to_thread(_bounded, painted, self._hosts)

    async def remove(self, channel: str, ts: str) -> None:
        """Delete a message of ours; one that is gone already is no fault, and one that stays is logged."""
        try:
            await self._api.call("chat.delete", {"channel": channel, "ts": ts})
        except SlackPlaceGone:
            pass
        except SurfaceError as error:
            log.warning("a message could not be deleted", channel=channel, ts=ts, why=str(error))

    async def _there(self, where: Place, mark: Mark) -> tuple[list[str], list[str]]:
        """The ts of those messages of a marked post that arrived, in order, without a gap; and of what a crash may have
        left behind in the thread."""
        method = "conversations.replies" if where.ts else "conversations.history"
        asked = {"channel": where.channel, "include_all_metadata": "true", "limit": str(LOOKED_AT)}
        found = await self._looked(method, asked | ({"ts": where.ts} if where.ts else {}))
        pages, left = pages_of(found, mark), list[str]()
        if where.ts:
            me = str((await self._api.identity())["user_id"])
            left = [ts for ts in unmarked(found, me, self._now() - YOUNG) if ts != where.ts]
        elif 0 in pages:
            pages |= pages_of(await self._looked("conversations.replies", asked | {"ts": pages[0]}), mark)
        return [pages[number] for number in range(len(pages)) if all(n in pages for n in range(number + 1))], left

    async def _looked(self, method: str, asked: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = (await self._api.call(method, asked, reading=True)).get("messages", ())
        return found

    async def _placed(self, channel: str, root: str, message: Message, metadata: Mapping[str, Any], old: str) -> str:
        """The ts of a message that was redrawn where there is an old one, else posted."""
        if old:
            await self._end_stream(channel, old)
            try:
                await self._api.call("chat.update", _arguments(channel, message, metadata) | {"ts": old})
            except SlackAway:
                raise  # it may be redrawn already; posting it anew would double it
            except SlackRefusal as refusal:
                log.warning("a message could not be redrawn; it is posted anew", code=refusal.code)
                await self.remove(channel, old)
            else:
                return old
        return await self._send(channel, root, message, metadata)

    async def _end_stream(self, channel: str, ts: str) -> None:
        """A message that is still streamed can be neither redrawn nor deleted."""
        with suppress(SlackRefusal):  # most often it is none, or Slack ended it itself
            await self._api.call("chat.stopStream", {"channel": channel, "ts": ts})

    async def _send(self, channel: str, root: str, message: Message, metadata: Mapping[str, Any]) -> str:
        """The ts of the posted message; its charts in words, or all of it, if Slack takes exception to its blocks."""
        for form in dict.fromkeys((False, has_chart(message.blocks))):
            tried = replace(message, blocks=spelled(message.blocks)) if form else message
            try:
                ts = await self._post_message(root, _arguments(channel, tried, metadata))
            except SlackRefusal as refusal:
                if refusal.code not in _BAD_BLOCKS:
                    raise
                log.error("Slack refused the blocks of a message", code=refusal.code, charts_in_words=form)
                continue
            # from now on they are pictures here: the block is young, and not every workspace has it
            self._draws_charts = self._draws_charts and not form
            return ts
        first = ""
        # The words of the blocks, not the short fallback: nothing that was to be said may be lost to their form.
        for text in split(readable(message.blocks) or message.text, PLAIN_TEXT):
            ts = await self._post_message(root or first, _arguments(channel, Message(text, ()), metadata))
            first = first or ts
        return first

    async def _post_message(self, root: str, arguments: dict[str, Any]) -> str:
        told = arguments | {"unfurl_links": False, "unfurl_media": False} | ({"thread_ts": root} if root else {})
        return str((await self._api.call("chat.postMessage", told))["ts"])

    async def _upload(self, channel: str, root: str, files: Sequence[File]) -> None:
        """Put files into the thread. One that cannot be uploaded is told of there, and fails nothing."""
        for file in files:
            try:
                asked = {"filename": file.name, "length": str(len(file.content))}
                slot = await self._api.call("files.getUploadURLExternal", asked, reading=True)
                await self._api.send(str(slot["upload_url"]), file.content)
                named = json.dumps([{"id": slot["file_id"], "title": file.title or file.name}])
                told = {"files": named, "channel_id": channel, "thread_ts": root}
                await self._api.call("files.completeUploadExternal", told, reading=True)
            except SurfaceError as error:
                log.error("a file could not be uploaded", name=file.name, why=str(error))

    def _remember(self, key: str, posted: list[str]) -> None:
        if posted:
            self._unfinished[key] = posted
        while len(self._unfinished) > UNFINISHED:
            self._unfinished.popitem(last=False)


def _bounded(document: Document, hosts: Collection[str]) -> Sequence[Message]:
    rendered = messages(document, hosts)
    if len(rendered) <= MOST_MESSAGES:
        return rendered
    kept = rendered[:MOST_MESSAGES]
    words = "\n\n".join(unescape(readable(message.blocks)) for message in rendered)
    rest = File("answer.txt", excerpt(document.fallback, TITLE) or "answer", words.encode())
    files = (*(file for message in rendered for file in message.files), rest)
    return (*kept[:-1], Message(kept[-1].text, kept[-1].blocks, files))


def _arguments(channel: str, message: Message, metadata: Mapping[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"channel": channel, "text": message.text, "metadata": metadata}
    if message.blocks:
        arguments["blocks"] = list(message.blocks)
    return arguments


def _fingerprint(where: Place, document: Document) -> str:
    return hashlib.sha256(json.dumps([str(where), repr(document)]).encode()).hexdigest()
