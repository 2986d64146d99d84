"""Redrawing, whispers, dialogs, the Home tab, and what people said: what the surface does beside posting."""

import asyncio
import json

import pytest

from handlers.document import Actions, Button, Document, Field, Form, Heading, Note, Prose
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import Mark, Press, Said, SurfaceError
from tests.bot.slack.conftest import Bot
from tests.fakes.slack import BOT, TEAM
from tests.fakes.slack.server import Scripted

OPS = f"slack:{TEAM}:C0OPS"
USER = "U0ANNA"
TRIGGER = "13345.67890.def"


def document(text: str) -> Document:
    return Document(text, (Prose(text),))


async def posted(bot: Bot, text: str = "before") -> str:
    (message,) = (await bot.surface.post(OPS, document(text))).messages
    return message


def press(thread: str = OPS, trigger: str = TRIGGER) -> Press:
    return Press("k", "why", "v", USER, thread, f"{OPS}:1.1", trigger)


async def test_a_message_is_redrawn_in_place_with_its_mark(bot: Bot) -> None:
    message = await posted(bot)
    await bot.surface.update(message, document("after <!channel>"), Mark("turn:1", "report", repeated=False))
    (post,) = bot.slack.posts
    assert "after &lt;!channel&gt;" in post.words
    assert post.metadata["event_payload"]["part"] == "report"


async def test_of_several_redrawings_on_their_way_the_newest_wins(bot: Bot) -> None:
    message = await posted(bot)
    texts = [f"state {number}" for number in range(30)]
    await asyncio.gather(*(bot.surface.update(message, document(text)) for text in texts))
    (post,) = bot.slack.posts
    assert "state 29" in post.words
    assert len(bot.slack.called("chat.update")) < 30


async def test_a_document_that_fits_no_single_message_is_no_redrawing(bot: Bot) -> None:
    message = await posted(bot)
    with pytest.raises(SurfaceError, match="one message"):
        await bot.surface.update(message, document("word " * 9_000))
    assert "before" in bot.slack.posts[0].words


async def test_a_message_that_is_gone_cannot_be_redrawn(bot: Bot) -> None:
    with pytest.raises(PlaceGone):
        await bot.surface.update(f"{OPS}:1.1", document("x"))


async def test_only_one_person_sees_a_whisper(bot: Bot) -> None:
    root = bot.slack.said("hello")
    await bot.surface.whisper(f"{OPS}:{root.ts}", USER, document("just you"))
    ((user, whisper),) = bot.slack.whispers
    assert (user, whisper.thread_ts, bot.slack.posts) == (USER, root.ts, [])
    assert "just you" in whisper.words


async def test_alone_with_somebody_a_whisper_is_a_post(bot: Bot) -> None:
    bot.slack.channels.add(USER)
    await bot.surface.whisper(f"slack:{TEAM}:{USER}", USER, document("just you"))
    assert bot.slack.posts[0].channel == USER


WHY = Form(
    (
        Field("why", "What was wrong?", "multiline", optional=True),
        Field("kind", "Of what kind?", "choice", (("A figure", "figure"), ("The cause", "cause")), "cause"),
        Field("title", "Title", initial="t"),
    ),
    "feedback",
    "a-1",
)


async def test_a_dialog_asks_and_carries_where_it_came_from(bot: Bot) -> None:
    await bot.surface.dialog(press(), "Why? " * 20, Document("x", (Heading("h"), Note("n"))), WHY)
    (view,) = bot.slack.modals
    assert view["callback_id"] == "feedback"
    assert json.loads(view["private_metadata"]) == {"value": "a-1", "thread": OPS, "message": f"{OPS}:1.1"}
    assert [block["type"] for block in view["blocks"]] == ["header", "context", "input", "input", "input"]
    assert view["blocks"][3]["element"]["initial_option"]["value"] == "cause"
    assert len(view["title"]["text"]) <= 24


@pytest.mark.parametrize("initial", ["", "U0ANNA"])
async def test_a_person_is_picked_with_slacks_own_list_of_people(bot: Bot, initial: str) -> None:
    asked = Field("person", "Who else?", "person", (("Bob", "U2"),), initial, optional=True)
    await bot.surface.dialog(press(), "Assign", document("who?"), Form((asked,), "assign", "f-1"))
    (view,) = bot.slack.modals
    element = view["blocks"][-1]["element"]
    assert (element["type"], element.get("initial_user", "")) == ("users_select", initial)
    assert view["blocks"][-1]["optional"] is True


async def test_a_dialog_without_a_form_only_shows(bot: Bot) -> None:
    await bot.surface.dialog(press(), "SQL", document("```\nSELECT 1\n```"))
    (view,) = bot.slack.modals
    assert "submit" not in view
    assert "SELECT 1" in str(view["blocks"])


async def test_a_long_dialog_says_that_there_is_more(bot: Bot) -> None:
    parts = tuple(Note(f"line {number}") for number in range(300))
    await bot.surface.dialog(press(), "SQL", Document("x", parts))
    (view,) = bot.slack.modals
    assert len(view["blocks"]) == 100
    assert "+201" in str(view["blocks"][-1])


async def test_too_late_for_a_dialog_what_it_shows_is_whispered(bot: Bot) -> None:
    root = bot.slack.said("hello")
    await bot.surface.dialog(press(f"{OPS}:{root.ts}", "old"), "SQL", document("SELECT 1"))
    assert "SELECT 1" in bot.slack.whispers[0][1].words


async def test_too_late_for_a_dialog_that_asks_is_an_error(bot: Bot) -> None:
    with pytest.raises(SurfaceError, match="expired_trigger_id"):
        await bot.surface.dialog(press(trigger="old"), "Why?", document("x"), WHY)


async def test_a_forms_value_must_fit_a_modal(bot: Bot) -> None:
    with pytest.raises(ValueError, match="longer than a modal"):
        await bot.surface.dialog(press(), "Why?", document("x"), Form(WHY.fields, "feedback", "v" * 3_000))


async def test_a_home_is_published_for_one_person(bot: Bot) -> None:
    button = Actions((Button("Snooze", "snooze", "v"),))
    await bot.surface.home(USER, Document("home", (Heading("Fleet"), Prose("fine"), button)))
    assert [block["type"] for block in bot.slack.homes[USER]["blocks"]] == ["header", "section", "actions"]


async def test_first_questions_are_pinned_to_a_direct_conversation(bot: Bot) -> None:
    await bot.surface.suggest(f"slack:{TEAM}:D0DIRECT", [(f"t{n}", f"q{n}") for n in range(6)])
    assert bot.slack.prompts["D0DIRECT"] == [{"title": f"t{n}", "message": f"q{n}"} for n in range(4)]


async def test_what_was_said_in_a_thread_is_read_in_order_and_ours_is_known(bot: Bot) -> None:
    root = bot.slack.said("prod-0 is slow", user="U0BEN")
    second = bot.slack.said(f"<@{BOT}> why? <https://x.com|docs>", thread_ts=root.ts)
    thread = f"{OPS}:{root.ts}"
    await bot.surface.post(thread, document("because"))
    said = await bot.surface.said(thread)
    assert said[:2] == [
        Said("U0BEN", "prod-0 is slow", root.ts, ours=False),
        Said(USER, "why? docs (https://x.com)", second.ts, ours=False),
    ]
    assert said[2].ours
    assert [one.order for one in await bot.surface.said(thread, second.ts)] == [said[2].order]


async def test_an_empty_status_ends_what_slack_shows_of_the_session(bot: Bot) -> None:
    root = bot.slack.said("hello")
    await bot.surface.status(f"{OPS}:{root.ts}", "")
    assert bot.slack.sessions == [("C0OPS", root.ts, "active")]


FAULTS = [
    (Scripted(200, "token_revoked"), AccessEnded),
    (Scripted(200, "is_archived"), PlaceGone),
    (Scripted(500, "internal_error"), SurfaceAway),
    (Scripted(503, html=True), SurfaceAway),
]


@pytest.mark.parametrize(("answer", "kind"), FAULTS)
async def test_refusals_are_sorted_by_what_is_to_be_done(bot: Bot, answer: Scripted, kind: type[SurfaceError]) -> None:
    bot.slack.fail("chat.postMessage", answer)
    with pytest.raises(kind):
        await bot.surface.post(OPS, document("x"))
