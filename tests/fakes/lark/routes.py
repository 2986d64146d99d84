"""The part of Lark's open platform that the fake knows: another address or argument is an error, so that no slip
passes."""

import re
from dataclasses import dataclass, field

MESSAGE = frozenset({"im:message", "im:message:send_as_bot"})
READ = frozenset({"im:message", "im:message:readonly"})
CARD = frozenset({"cardkit:card:write"})


@dataclass(frozen=True, slots=True)
class Route:
    """`required` arguments must be there, `optional` ones may. Any of `scopes` opens it."""

    name: str
    method: str
    path: str
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    flat: bool = False
    authorized: bool = True
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", self.path)))

    @property
    def arguments(self) -> frozenset[str]:
        """All that it takes."""
        return self.required | self.optional


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


IM, KIT = "/open-apis/im/v1", "/open-apis/cardkit/v1"
ROUTES = (
    Route(
        "token",
        "POST",
        "/open-apis/auth/v3/tenant_access_token/internal",
        _of("app_id", "app_secret"),
        flat=True,
        authorized=False,
    ),
    Route("ws_endpoint", "POST", "/callback/ws/endpoint", _of("AppID", "AppSecret"), authorized=False),
    Route("bot.info", "GET", "/open-apis/bot/v3/info", flat=True),
    Route("scopes.list", "GET", "/open-apis/application/v6/scopes"),
    Route(
        "users.get",
        "GET",
        "/open-apis/contact/v3/users/:user_id",
        _of("user_id_type"),
        scopes=_of("contact:contact.base:readonly", "contact:user.base:readonly"),
    ),
    Route(
        "messages.create",
        "POST",
        f"{IM}/messages",
        _of("receive_id_type", "receive_id", "msg_type", "content"),
        _of("uuid"),
        MESSAGE,
    ),
    Route(
        "messages.reply",
        "POST",
        f"{IM}/messages/:message_id/reply",
        _of("msg_type", "content"),
        _of("reply_in_thread", "uuid"),
        MESSAGE,
    ),
    Route("messages.patch", "PATCH", f"{IM}/messages/:message_id", _of("content"), scopes=MESSAGE),
    Route("messages.delete", "DELETE", f"{IM}/messages/:message_id", scopes=MESSAGE),
    Route("messages.get", "GET", f"{IM}/messages/:message_id", scopes=READ),
    Route(
        "messages.list",
        "GET",
        f"{IM}/messages",
        _of("container_id_type", "container_id"),
        _of("sort_type", "page_size", "page_token"),
        READ,
    ),
    Route(
        "reactions.create",
        "POST",
        f"{IM}/messages/:message_id/reactions",
        _of("reaction_type"),
        scopes=_of("im:message", "im:message.reactions:write_only"),
    ),
    Route(
        "reactions.delete",
        "DELETE",
        f"{IM}/messages/:message_id/reactions/:reaction_id",
        scopes=_of("im:message", "im:message.reactions:write_only"),
    ),
    Route("files.create", "POST", f"{IM}/files", _of("file_type", "file_name", "file"), scopes=_of("im:resource")),
    Route("images.create", "POST", f"{IM}/images", _of("image_type", "image"), scopes=_of("im:resource")),
    Route("cards.create", "POST", f"{KIT}/cards", _of("type", "data"), scopes=CARD),
    Route("cards.convert", "POST", f"{KIT}/cards/id_convert", _of("message_id"), scopes=CARD),
    Route("cards.update", "PUT", f"{KIT}/cards/:card_id", _of("card", "sequence"), _of("uuid"), CARD),
    Route("cards.settings", "PATCH", f"{KIT}/cards/:card_id/settings", _of("settings", "sequence"), _of("uuid"), CARD),
    Route(
        "elements.content",
        "PUT",
        f"{KIT}/cards/:card_id/elements/:element_id/content",
        _of("content", "sequence"),
        _of("uuid"),
        CARD,
    ),
)

SCOPES = frozenset(
    {
        "im:message",
        "im:message:send_as_bot",
        "im:message.group_at_msg:readonly",
        "im:message.p2p_msg:readonly",
        "im:resource",
        "cardkit:card:write",
        "contact:contact.base:readonly",
        "contact:user.base:readonly",
    }
)
"""What the app was granted."""


def matched(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """The route of a call, and the ids in its address."""
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return route, found.groupdict()
    return None, {}
