"""A strict stand-in for the Messages API on loopback: refuses what the real one refuses, answers from a script."""

from tests.fakes.messages_server.script import Break, HttpFault, Say, Text, Thinking, ToolUse
from tests.fakes.messages_server.server import MessagesServer, serving

__all__ = ["Break", "HttpFault", "MessagesServer", "Say", "Text", "Thinking", "ToolUse", "serving"]
