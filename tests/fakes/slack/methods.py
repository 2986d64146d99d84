"""The methods that the stand-in knows: their arguments and the scopes that they need."""

ARGUMENTS = {
    "auth.test": set(),
    "apps.connections.open": set(),
    "chat.postMessage": {"channel", "text", "blocks", "thread_ts", "unfurl_links", "unfurl_media", "metadata"},
    "chat.update": {"channel", "ts", "text", "blocks", "metadata"},
    "chat.delete": {"channel", "ts"},
    "chat.startStream": {"channel", "thread_ts", "markdown_text", "recipient_team_id", "recipient_user_id"},
    "chat.appendStream": {"channel", "ts", "markdown_text"},
    "chat.stopStream": {"channel", "ts", "markdown_text", "blocks", "metadata"},
    "agents.sessions.setStatus": {"channel_id", "thread_ts", "status", "title", "initiator_user_id"},
    "assistant.threads.setSuggestedPrompts": {"channel_id", "thread_ts", "title", "prompts"},
    "files.getUploadURLExternal": {"filename", "length", "alt_txt", "snippet_type"},
    "files.completeUploadExternal": {"files", "channel_id", "thread_ts", "initial_comment"},
    "chat.postEphemeral": {"channel", "user", "text", "blocks", "thread_ts"},
    "views.open": {"trigger_id", "view"},
    "views.publish": {"user_id", "view"},
    "users.info": {"user", "include_locale"},
    "conversations.history": {"channel", "oldest", "limit", "include_all_metadata"},
    "conversations.replies": {"channel", "ts", "oldest", "limit", "include_all_metadata"},
    "assistant.threads.setStatus": {"channel_id", "thread_ts", "status", "loading_messages"},
}
"""Method → arguments that the fake knows; another method or argument is an error, so that no typing slip passes."""

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "agents.sessions.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "assistant.threads.setStatus": "assistant:write",
    "users.info": "users:read",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
}


UNSCOPED = {"views.open", "views.publish"}
"""Methods that want no scope: what they answer to is leave enough."""

EVENT_SCOPES = {"app_mentions:read", "commands", "groups:history", "im:history"}
"""Scopes that events and commands need, and no method."""
