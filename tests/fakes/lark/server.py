"""The open platform of Lark on loopback, and the chats behind it as people would see them."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.fakes.lark import cards as checked
from tests.fakes.lark.company import Body, Company
from tests.fakes.lark.routes import SCOPES, Route, matched
from tests.fakes.lark.state import (
    APP,
    BOT,
    ENCRYPT_KEY,
    SECRET,
    TENANT,
    VERIFICATION,
    Message,
    Refused,
    Scripted,
    pings,
)

__all__ = ["APP", "BOT", "ENCRYPT_KEY", "SECRET", "TENANT", "VERIFICATION", "FakeLark", "Message", "Scripted"]


class FakeLark(Company):
    """One company with one app. `messages` is all that was said, `posts` what our bot wrote. `clock` gives seconds."""

    def __init__(self, chats: tuple[str, ...] = ("oc_ops", "oc_other"), clock: Callable[[], float] = time.monotonic):
        super().__init__(chats, clock)
        self.calls: list[tuple[str, str, Body]] = []
        self.scopes = set(SCOPES)
        self.secret = SECRET
        self.domain = ""
        self.tokens: list[str] = []
        self.expire = 7200
        self.link: Callable[[web.Request], Any] | None = None
        self._scripts: dict[str, deque[Scripted | None]] = {}
        self._changed = asyncio.Condition()

    @property
    def posts(self) -> list[Message]:
        """What our bot wrote and did not take back, oldest first."""
        return [one for one in self.messages.values() if one.sender == APP and not one.recalled]

    def replies(self, root: str) -> list[Message]:
        """Our posts under the message `root`."""
        return [post for post in self.posts if post.root == root]

    def words(self, post: Message) -> str:
        """All that can be read in a post."""
        if post.kind == "interactive":
            return checked.shown(post.shows)
        content = json.loads(post.content)
        if post.kind == "post":
            return "\n".join(node["text"] for paragraph in content["zh_cn"]["content"] for node in paragraph)
        return str(content.get("text", content))

    @property
    def mentioned(self) -> list[Message]:
        """Posts of ours that notify somebody."""
        return [
            post
            for post in self.posts
            if pings(post.kind, json.loads(post.content), list(checked.texts(post.shows)) if post.shows else [])
        ]

    def said(self, words: str, *, chat: str = "oc_ops", sender: str = "ou_anna", root: str = "") -> Message:
        """A person writes something; the message exists from now on."""
        content = json.dumps({"text": words}, ensure_ascii=False)
        return self._keep(chat, sender, "text", content, root)

    def fail(self, call: str, *answers: Scripted) -> None:
        """Answer the next calls of the route named `call` with these, in order."""
        self._scripts.setdefault(call, deque()).extend(answers)

    def fail_after(self, call: str, calls: int, *answers: Scripted) -> None:
        """The same, after that many calls went through."""
        self._scripts.setdefault(call, deque()).extend([*([None] * calls), *answers])

    def called(self, call: str) -> list[Body]:
        """What was sent with all calls of a route, refused ones included."""
        return [body for name, _, body in self.calls if name == call]

    async def until(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        """Wait until something that Lark was told makes `condition` true. Raises TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def changed(self) -> None:
        """Let those who wait look again."""
        async with self._changed:
            self._changed.notify_all()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeLark"]:
        """Serve on loopback."""
        app = web.Application(client_max_size=40 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._any)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.domain = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _any(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/ws" and self.link is not None:
            response: web.StreamResponse = await self.link(request)
            return response
        route, ids = matched(request.method, request.path)
        body = await _merged(request)
        name = route.name if route else f"{request.method} {request.path}"
        self.calls.append((name, request.path, body))
        script = self._scripts[name].popleft() if self._scripts.get(name) else None
        response = self._answer(request, route, ids, body, script)
        await self.changed()
        if script is not None and script.lost and request.transport is not None:
            request.transport.close()
        return response

    def _answer(
        self, request: web.Request, route: Route | None, ids: dict[str, str], body: Body, script: Scripted | None
    ) -> web.Response:
        try:
            if script is not None and script.html:
                return web.Response(status=script.status, text="<html>down</html>", content_type="text/html")
            if script is not None and not script.lost:
                raise Refused(script.code, script.msg, script.status, script.headers)
            if route is None:
                raise Refused(99991404, "404 page not found", 404)
            self._admit(request, route, body)
            if route.path.startswith("/open-apis/im/v1/messages") and body.get("msg_type", "text") != "text":
                self._measure(request)
            done = getattr(self, f"_{route.name.replace('.', '_')}")(ids, body)
        except Refused as refused:
            told = {"code": refused.code, "msg": refused.msg}
            return web.json_response(told, status=refused.status, headers=refused.headers)
        flat = route.flat
        return web.json_response({"code": 0, "msg": "success"} | (done if flat else {"data": done}))

    def _admit(self, request: web.Request, route: Route, body: Body) -> None:
        if unknown := set(body) - route.arguments:
            raise Refused(99992402, f"field validation failed: {sorted(unknown)}")
        if missing := route.required - set(body):
            raise Refused(99992402, f"field validation failed: {sorted(missing)} missing")
        if not route.authorized:
            return
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self.tokens or token != self.tokens[-1]:
            raise Refused(99991663 if token else 99991661, "Invalid access token for authorization.")
        if route.scopes and not route.scopes & self.scopes:
            wanted = ", ".join(sorted(route.scopes))
            raise Refused(99991672, f"Access denied. One of the following scopes is required: [{wanted}]")

    def _measure(self, request: web.Request) -> None:
        if (request.content_length or 0) > 30 * 1024:
            raise Refused(230025, "The length of the message content reaches its limit.")

    # the app itself

    def _token(self, ids: Body, body: Body) -> Body:
        if (body["app_id"], body["app_secret"]) != (APP, self.secret):
            raise Refused(10014, "app secret invalid", 200)
        self.tokens.append(f"t-{len(self.tokens) + 1}")
        return {"tenant_access_token": self.tokens[-1], "expire": self.expire}

    def _bot_info(self, ids: Body, body: Body) -> Body:
        return {"bot": {"activate_status": 2, "app_name": "starwatch", "open_id": BOT}}

    def _scopes_list(self, ids: Body, body: Body) -> Body:
        granted = [{"scope_name": name, "grant_status": 1, "scope_type": "tenant"} for name in sorted(self.scopes)]
        return {"scopes": granted}

    def _users_get(self, ids: Body, body: Body) -> Body:
        if ids["user_id"] not in self.people:
            raise Refused(41050, "no user authority error")
        status = {"is_frozen": False, "is_resigned": False, "is_activated": True, "is_exited": False}
        return {"user": {"open_id": ids["user_id"], "status": status} | self.people[ids["user_id"]]}

    def _ws_endpoint(self, ids: Body, body: Body) -> Body:
        if (body["AppID"], body["AppSecret"]) != (APP, self.secret):
            raise Refused(1000040345, "app_id or app_secret invalid", 200)
        address = self.domain.replace("http://", "ws://") + "/ws?device_id=d1&service_id=7"
        every = {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 60}
        return {"URL": address, "ClientConfig": every}


async def _merged(request: web.Request) -> Body:
    """What was sent in the address, as JSON and as a form."""
    sent: Body = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        return sent | (json.loads(text) if text else {})
    if request.content_type.startswith("multipart/"):
        return sent | dict(_fields(await request.post()))
    return sent


def _fields(form: Any) -> Iterator[tuple[str, Any]]:
    for name, value in form.items():
        yield name, value.file.read() if isinstance(value, web.FileField) else value
