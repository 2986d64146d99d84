"""A strict stand-in for Slack on loopback: it refuses what Slack refuses and keeps what people would see."""

from tests.fakes.slack.door import SignedDoor
from tests.fakes.slack.server import APP_TOKEN, BOT, BOT_TOKEN, SECRET, TEAM, FakeSlack, Post
from tests.fakes.slack.validity import problems

__all__ = ["APP_TOKEN", "BOT", "BOT_TOKEN", "SECRET", "TEAM", "FakeSlack", "Post", "SignedDoor", "problems"]
