"""Slack as a surface: documents become messages in a thread, and platform errors become SurfaceError."""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import Message, messages, readable
from bot.slack.escape import plain, split
from bot.slack.place import Place, parse
from bot.slack.transcript import said_in
from bot.slack.views import home_view, modal
from handlers.document import Document, Form
from handlers.markdown import excerpt
from handlers.surface import Mark, Posted, Press, Said, SurfaceError, Writing
from handlers.writing import whole

log = structlog.get_logger()

PLAIN_TEXT = 3_900
"""Characters of a message without blocks; Slack advises 4,000."""
# Slack shows one line of it.
STATUS_TEXT = 100
MARKED = "starwatch_post"
LOOKED_AT = 999
"""Messages of a thread or channel among which a post is looked for that a crash may have cut off."""
UNFINISHED = 200
"""Documents that were posted in part only and are remembered, so that a repeated post goes on where it stopped."""

_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"}
_NO_STATUS_HERE = {"channel_not_found", "invalid_thread_ts", "no_permission", "not_allowed", "message_not_found"}
_NO_STATUS_AT_ALL = {"missing_scope", "unknown_method", "method_not_supported_for_channel_type", "feature_not_enabled"}

_ADVICE = {
    "not_in_channel": "invite the bot to the channel",
    "channel_not_found": "check the channel id and invite the bot to it",
    "is_archived": "the channel is archived",
    "invalid_auth": "check SLACK_BOT_TOKEN",
    "account_inactive": "install the app again and set SLACK_BOT_TOKEN",
    "token_revoked": "install the app again and set SLACK_BOT_TOKEN",
    "missing_scope": "install the app again with the scopes of manifest.yml",
    "ratelimited": "Slack asks to wait; try again later",
}


class SlackSurface:
    """A `handlers.surface.Surface` on one workspace. Links in what it posts lead to `allowed_link_hosts` only."""

    def __init__(self, client: AsyncWebClient, allowed_link_hosts: Collection[str] = ()) -> None:
        self._client = client
        self._hosts = frozenset(host.lower() for host in allowed_link_hosts)
        self._unfinished: OrderedDict[str, list[str]] = OrderedDict()
        self._identity: Mapping[str, Any] = {}
        self._newest: dict[str, object] = {}
        self._lines: dict[str, asyncio.Lock] = {}
        self._shows_status = True

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        """Post the document, in as many messages as it takes. In a channel the first one starts the thread and the
        others go below it. After a failure the same post goes on with the first message that is missing; so does one
        with a `mark` of a turn that was begun before."""
        where = await self._place(place)
        key = _fingerprint(where, document)
        # By content, since a repeated post has no other name in common with the one that failed.
        posted = self._unfinished.pop(key, [])
        if mark is not None and mark.repeated and not posted:
            posted = await self._there(where, mark)
        root = where.ts or next(iter(posted), "")
        try:
            # long Markdown takes a noticeable moment to parse, which other threads need not wait for
            rendered = await asyncio.to_thread(messages, document, self._hosts)
            for message in rendered[len(posted) :]:
                posted.append(await self._send(where.channel, root, message, _metadata(mark, len(posted))))
                root = root or posted[0]
        except SurfaceError:
            self._remember(key, posted)
            raise
        return Posted(str(Place(where.team, where.channel, root)), self._references(where, posted))

    async def update(self, message: str, document: Document, mark: Mark | None = None) -> None:
        """Redraw a message; the newest of those that wait for it is shown. Raises SurfaceError."""
        where = await self._place(message)
        (rendered, *more) = await asyncio.to_thread(messages, document, self._hosts)
        if more:
            raise SurfaceError("a message cannot be redrawn with a document that does not fit one message")
        await self._redraw(where, rendered, _metadata(mark, 0))

    async def _redraw(self, where: Place, message: Message, metadata: Mapping[str, Any] | None) -> None:
        newest = self._newest[str(where)] = object()
        async with self._lines.setdefault(str(where), asyncio.Lock()):
            # another came while this one waited, and shows how things stand now
            if self._newest.get(str(where)) is not newest:
                return
            arguments: dict[str, Any] = {"channel": where.channel, "ts": where.ts, "text": message.text}
            arguments["blocks"] = list(message.blocks)
            if metadata is not None:
                arguments["metadata"] = metadata
            try:
                await self._call("chat.update", arguments)
            finally:
                self._newest.pop(str(where), None)
                self._lines.pop(str(where), None)

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        """An answer in a thread."""
        return whole(self, thread, mark)

    async def said(self, thread: str, after: str = "") -> Sequence[Said]:
        """What was said in a thread behind the ts `after`, the latest HEARD messages. Raises SurfaceError."""
        where = await self._place(thread)
        asked = {"channel": where.channel, "ts": where.ts, "limit": str(LOOKED_AT)}
        found = await self._call("conversations.replies", asked | ({"oldest": after} if after else {}), reading=True)
        return said_in(found.get("messages", ()), await self._me(), after)

    async def whisper(self, place: str, user: str, document: Document) -> None:
        """Show something that only this person sees. Raises SurfaceError."""
        where = await self._place(place)
        for message in await asyncio.to_thread(messages, document, self._hosts):
            arguments: dict[str, Any] = {"channel": where.channel, "user": user, "text": message.text}
            arguments |= {"thread_ts": where.ts} if where.ts else {}
            await self._call(
                "chat.postEphemeral", arguments | ({"blocks": list(message.blocks)} if message.blocks else {})
            )

    async def dialog(self, press: Press, title: str, document: Document, form: Form | None = None) -> None:
        """Open a modal, or whisper the document when it is too late for one. Raises SurfaceError."""
        view = await asyncio.to_thread(modal, press, title, document, form, self._hosts)
        await self._call("views.open", {"trigger_id": press.trigger, "view": view})

    async def home(self, user: str, document: Document) -> None:
        """Publish the page that this person sees on our Home tab. Raises SurfaceError."""
        view = await asyncio.to_thread(home_view, document, self._hosts)
        await self._call("views.publish", {"user_id": user, "view": view})

    async def status(self, thread: str, text: str) -> None:
        """Show what is being done under the thread, an empty text clears it. Where Slack shows no status, nothing."""
        if not self._shows_status:
            return
        where = parse(thread)
        shown = excerpt(plain(text), STATUS_TEXT).translate({ord("<"): "‹", ord(">"): "›"})
        try:
            await self._call(
                "assistant.threads.setStatus",
                {"channel_id": where.channel, "thread_ts": where.ts, "status": shown},
            )
        except SlackRefusal as refusal:
            if refusal.code in _NO_STATUS_AT_ALL:
                self._shows_status = False
                log.warning("Slack shows no status for this app", code=refusal.code)
            elif refusal.code not in _NO_STATUS_HERE:
                raise

    async def _there(self, where: Place, mark: Mark) -> list[str]:
        """The ts of those messages of a marked post that arrived, in order, without a gap."""
        method = "conversations.replies" if where.ts else "conversations.history"
        asked = {"channel": where.channel, "include_all_metadata": "true", "limit": str(LOOKED_AT)}
        pages = await self._pages(method, asked | ({"ts": where.ts} if where.ts else {}), mark)
        if not where.ts and 0 in pages:
            pages |= await self._pages("conversations.replies", asked | {"ts": pages[0]}, mark)
        return [pages[number] for number in range(len(pages)) if all(n in pages for n in range(number + 1))]

    async def _pages(self, method: str, asked: Mapping[str, str], mark: Mark) -> dict[int, str]:
        found = await self._call(method, asked, reading=True)
        return dict(_pages_of(found.get("messages", ()), mark))

    async def _send(self, channel: str, thread_ts: str, message: Message, metadata: Mapping[str, Any] | None) -> str:
        """The ts of the posted message; without its blocks if Slack takes exception to them."""
        try:
            return await self._post_message(channel, thread_ts, message.text, message.blocks, metadata)
        except SlackRefusal as refusal:
            if refusal.code not in _BAD_BLOCKS:
                raise
            log.error("Slack refused the blocks of a message; it goes out as text", code=refusal.code)
        first = ""
        # The words of the blocks, not the short fallback: nothing that was to be said may be lost to their form.
        for text in split(readable(message.blocks) or message.text, PLAIN_TEXT):
            ts = await self._post_message(channel, thread_ts or first, text, (), None if first else metadata)
            first = first or ts
        return first

    async def _post_message(
        self,
        channel: str,
        thread_ts: str,
        text: str,
        blocks: tuple[dict[str, Any], ...],
        metadata: Mapping[str, Any] | None,
    ) -> str:
        arguments: dict[str, Any] = {"channel": channel, "text": text, "unfurl_links": False, "unfurl_media": False}
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        if blocks:
            arguments["blocks"] = list(blocks)
        if metadata is not None:
            arguments["metadata"] = metadata
        return str((await self._call("chat.postMessage", arguments))["ts"])

    async def _call(self, method: str, arguments: Mapping[str, Any], *, reading: bool = False) -> Mapping[str, Any]:
        try:
            # methods that read take no JSON body
            params, body = (dict(arguments), None) if reading else (None, dict(arguments))
            response = await self._client.api_call(method, params=params, json=body)
        except SlackApiError as error:
            raise SlackRefusal(method, _code(error)) from error
        except (SlackClientError, ClientError, TimeoutError) as error:
            raise SurfaceError(f"Slack could not be reached for {method} ({type(error).__name__})") from error
        data: Mapping[str, Any] = response.data  # type: ignore[assignment]
        return data

    async def _place(self, text: str) -> Place:
        try:
            where = parse(text)
        except ValueError:
            raise SurfaceError(
                f"{text!r} is no Slack channel or thread; use a channel id such as C0123456789"
            ) from None
        if where.team:
            return where
        return Place(str((await self._known())["team_id"]), where.channel, where.ts)

    async def _known(self) -> Mapping[str, Any]:
        """Who we are, asked once."""
        if not self._identity:
            self._identity = await self._call("auth.test", {})
        return self._identity

    async def _me(self) -> str:
        return str((await self._known())["user_id"])

    def _references(self, where: Place, posted: Iterable[str]) -> tuple[str, ...]:
        return tuple(str(Place(where.team, where.channel, ts)) for ts in posted)

    def _remember(self, key: str, posted: list[str]) -> None:
        if posted:
            self._unfinished[key] = posted
        while len(self._unfinished) > UNFINISHED:
            self._unfinished.popitem(last=False)


class SlackRefusal(SurfaceError):
    """Slack answered with an error `code`; the text says what to do about it where that is known."""

    def __init__(self, method: str, code: str) -> None:
        advice = _ADVICE.get(code)
        super().__init__(f"Slack refused {method}: {code}" + (f"; {advice}" if advice else ""))
        self.code = code


def _code(error: SlackApiError) -> str:
    body = getattr(error.response, "data", None)
    code = body.get("error") if isinstance(body, dict) else None
    return str(code or f"http_{getattr(error.response, 'status_code', 'unknown')}")


def _metadata(mark: Mark | None, page: int) -> Mapping[str, Any] | None:
    if mark is None:
        return None
    return {"event_type": MARKED, "event_payload": {"turn": mark.turn, "part": mark.part, "page": page}}


def _pages_of(found: Iterable[Mapping[str, Any]], mark: Mark) -> Iterator[tuple[int, str]]:
    """Page number and ts of the messages that carry the mark."""
    for message in found:
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        if metadata.get("event_type") == MARKED and (payload.get("turn"), payload.get("part")) == (
            mark.turn,
            mark.part,
        ):
            yield int(payload.get("page", 0)), str(message["ts"])


def _fingerprint(where: Place, document: Document) -> str:
    return hashlib.sha256(json.dumps([str(where), repr(document)]).encode()).hexdigest()
