"""What the app may do in a workspace, what each leave is for, and which of them are missing."""

from collections.abc import Mapping, Sequence

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.surface import SurfaceError

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "nobody who mentions it is heard",
    "assistant:write": "nothing shows what is being done, and direct conversations offer no questions",
    "channels:history": "replies in its threads are not heard, nor what others say there",
    "chat:write": "nothing can be posted",
    "commands": "there is no /patrol",
    "files:write": "rows and charts cannot be uploaded",
    "groups:history": "replies in its threads in private channels are not heard",
    "im:history": "direct messages are not heard",
    "users:read": "guests are answered like members, and nobody's language and time zone are known",
}
"""Scope → what goes wrong without it. The manifest asks for these and no other."""


async def missing(client: AsyncWebClient) -> Sequence[str]:
    """What goes wrong for want of a scope, one line each; empty when none is missing, or when Slack does not say which
    are granted. Raises SurfaceError when Slack refuses the token."""
    try:
        response = await client.auth_test()
    except SlackApiError as error:
        raise SurfaceError(f"Slack refuses the token ({error.response.get('error', 'unknown error')})") from error
    headers = {name.lower(): value for name, value in response.headers.items()}
    granted = {one.strip() for one in headers.get("x-oauth-scopes", "").split(",")}
    if granted == {""}:
        return ()
    return [f"{scope}: {without}" for scope, without in SCOPES.items() if scope not in granted]
