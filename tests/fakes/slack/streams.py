"""The part of the stand-in that streams: messages that grow, the sessions around them, and files behind them."""

import json
from typing import Any

from aiohttp import web

from tests.fakes.slack.post import Post
from tests.fakes.slack.validity import problems


class Streams:
    """Mixed into the stand-in."""

    def _stream_refusal(self: Any, method: str, arguments: dict[str, Any]) -> str:
        text = arguments.get("markdown_text", "")
        if len(text) > 12_000:
            return "msg_too_long"
        if method == "chat.startStream":
            if arguments.get("channel") not in self.channels:
                return "channel_not_found"
            if not arguments.get("recipient_team_id"):
                return "missing_recipient_team_id"
            if not arguments.get("recipient_user_id"):
                return "missing_recipient_user_id"
            return "" if self._exists(arguments["channel"], arguments["thread_ts"]) else "thread_not_found"
        post = self._ours(arguments)
        if post is None:
            return "message_not_found"
        if not post.streaming:
            return "message_not_in_streaming_state"
        if len(post.text) + len(text) > 12_000:
            return "msg_too_long"
        if method == "chat.appendStream":
            return "" if text else "no_text"
        return "invalid_blocks" if arguments.get("blocks") and problems(arguments["blocks"]) else ""

    def _session_refusal(self: Any, arguments: dict[str, Any]) -> str:
        if arguments.get("status") not in ("active", "processing", "suspended", "closed"):
            return "invalid_arguments"
        known = self._exists(arguments.get("channel_id", ""), arguments.get("thread_ts", ""))
        return "" if known else "thread_not_found"

    def _share_refusal(self: Any, arguments: dict[str, Any]) -> str:
        for file in json.loads(arguments.get("files", "[]")):
            _, length, content = self._uploads.get(file["id"], ("", -1, b""))
            if len(content) != length:
                return "file_not_found"
        return "" if arguments.get("channel_id") in self.channels else "channel_not_found"

    async def _uploaded(self: Any, request: web.Request) -> web.Response:
        name, length, _ = self._uploads[request.match_info["id"]]
        self._uploads[request.match_info["id"]] = (name, length, await request.read())
        return web.Response(text="OK")

    def streamed(self: Any, method: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """Slack's answer to a call of these methods, None for others."""
        match method:
            case "chat.startStream":
                post = Post(arguments["channel"], self._ts(), arguments.get("markdown_text", ""), [])
                post.thread_ts, post.streaming = arguments["thread_ts"], True
                self.posts.append(post)
                return {"ok": True, "channel": post.channel, "ts": post.ts}
            case "chat.appendStream" | "chat.stopStream":
                post = self._ours(arguments)
                assert post is not None
                post.text += arguments.get("markdown_text", "")
                if method == "chat.stopStream":
                    post.streaming, post.blocks = False, arguments.get("blocks", [])
                    post.metadata = arguments.get("metadata", {})
                return {"ok": True, "channel": post.channel, "ts": post.ts}
            case "agents.sessions.setStatus":
                self.sessions.append((arguments["channel_id"], arguments["thread_ts"], arguments["status"]))
                return {"ok": True, "status": arguments["status"]}
            case "assistant.threads.setSuggestedPrompts":
                self.prompts[arguments["channel_id"]] = arguments["prompts"]
                return {"ok": True}
            case "files.getUploadURLExternal":
                file_id = f"F{len(self._uploads)}"
                self._uploads[file_id] = (arguments["filename"], int(arguments["length"]), b"")
                url = self.base_url.replace("/api/", f"/upload/{file_id}")
                return {"ok": True, "upload_url": url, "file_id": file_id}
            case "files.completeUploadExternal":
                names = []
                for file in json.loads(arguments["files"]):
                    name, _, content = self._uploads[file["id"]]
                    self.files[name] = content
                    names.append(name)
                shared = Post(arguments["channel_id"], self._ts(), "", [], arguments.get("thread_ts", ""), files=names)
                self.posts.append(shared)
                return {"ok": True, "files": json.loads(arguments["files"])}
            case _:
                return None
