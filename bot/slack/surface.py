"""Slack as a surface: documents become messages in a thread, and platform errors become SurfaceError."""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import Message, messages, readable
from bot.slack.escape import plain, split
from bot.slack.place import Place, parse
from handlers.document import Document
from handlers.markdown import excerpt
from handlers.surface import Mark, SurfaceError

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
        self._team = ""
        self._shows_status = True

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> str:
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
        return str(Place(where.team, where.channel, root))

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
        if not self._team:
            self._team = str((await self._call("auth.test", {}))["team_id"])
        return Place(self._team, where.channel, where.ts)

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
