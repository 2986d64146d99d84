"""Lark as a surface: what people see in the chats of a strict fake company."""

import asyncio
import json
import sys

import pytest

from bot.charts.picture import NoPicture, Painter
from bot.lark import events
from bot.lark.delivery import Delivery
from bot.lark.surface import LarkSurface
from handlers.document import (
    Actions,
    Button,
    Chart,
    Document,
    Field,
    File,
    Form,
    Heading,
    Menu,
    Prose,
    Series,
    Table,
)
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.surface import Mark, Press, Question, SurfaceError
from tests.bot.lark.conftest import Bench
from tests.fakes.lark import APP, Scripted, payloads
from tests.fakes.lark.cards import pressable

CHAT = f"lark:{APP}:oc_ops"
MARK = Mark("turn-1", "answer", repeated=False)
AGAIN = Mark("turn-1", "answer", repeated=True)


def prose(text: str) -> Document:
    return Document(text[:50] or "–", (Prose(text),))


def thread_of(bench: Bench, text: str = "why?") -> str:
    return f"{CHAT}:{bench.lark.said(text).id}"


async def test_a_post_in_a_chat_starts_a_topic_and_replies_hang_under_it(bench: Bench) -> None:
    posted = await bench.surface.post(CHAT, prose("Hello"))
    reply = await bench.surface.post(posted.thread, prose("More"))
    first, second = bench.lark.posts
    assert posted.thread == f"{CHAT}:{first.id}" == posted.messages[0] == reply.thread
    assert (second.root, second.thread != "") == (first.id, True)
    assert reply.messages == (f"{CHAT}:{second.id}",)


async def test_what_is_posted_to_a_person_is_a_topic_of_the_chat_that_replies_will_come_from(bench: Bench) -> None:
    posted = await bench.surface.post(f"lark:{APP}:ou_anna", prose("Hello"))
    [post] = bench.lark.posts
    assert posted.thread == f"lark:{APP}:oc_p2p_ou_anna:{post.id}"
    await bench.surface.post(posted.thread, prose("More"))
    assert bench.lark.posts[1].root == post.id


async def test_a_bare_chat_id_is_one_of_our_app(bench: Bench) -> None:
    posted = await bench.surface.post("oc_ops", prose("Hello"))
    assert posted.thread.startswith(f"{CHAT}:om_")


async def test_a_place_that_is_none_of_larks_is_refused(bench: Bench) -> None:
    with pytest.raises(SurfaceError, match="no Lark chat"):
        await bench.surface.post("#ops", prose("Hello"))


async def test_where_a_chat_knows_no_topics_the_reply_stands_in_the_chat(bench: Bench) -> None:
    bench.lark.topics = False
    thread = thread_of(bench)
    await bench.surface.post(thread, prose("One"))
    await bench.surface.post(thread, prose("Two"))
    assert [bench.lark.words(post).splitlines()[0] for post in bench.lark.posts] == ["One", "Two"]
    # the second one did not ask for a topic any more
    assert [one["reply_in_thread"] for one in bench.lark.called("messages.reply")] == [True, False, False]


async def test_a_long_document_is_many_cards_in_order_and_nothing_is_lost(bench: Bench) -> None:
    paragraphs = [f"Paragraph {n}: " + "words " * 60 for n in range(300)]
    posted = await bench.surface.post(CHAT, prose("\n\n".join(paragraphs)))
    posts = bench.lark.posts
    assert [f"{CHAT}:{post.id}" for post in posts] == list(posted.messages)
    assert {post.root for post in posts[1:]} == {posts[0].id}
    read = "\n".join(bench.lark.words(post) for post in posts)
    assert [read.count(f"Paragraph {n}: ") for n in range(300)] == [1] * 300
    assert f"Part 1 of {len(posts)}; continues below" in bench.lark.words(posts[0])


async def test_a_long_document_in_chinese_keeps_to_limits_that_count_bytes(bench: Bench) -> None:
    table = Table(("集群", "说明"), tuple((f"集群-{n}", "磁盘使用率持续上升" * 4) for n in range(150)))
    text = "\n\n".join(f"第{n}段。" + "磁盘使用率在过去一天中持续上升。" * 8 for n in range(150))
    await bench.surface.post(CHAT, Document("报告", (Prose(text), table), "zh"))
    read = "\n".join(bench.lark.words(post) for post in bench.lark.posts)
    assert [read.count(f"第{n}段。") for n in range(150)] == [1] * 150
    assert {post.kind for post in bench.lark.posts} <= {"interactive", "file"}


async def test_the_same_mark_posts_once_whatever_is_lost_on_the_way(bench: Bench) -> None:
    thread = thread_of(bench)
    document = prose("\n\n".join("line " * 300 for _ in range(30)))
    first = await bench.surface.post(thread, document, MARK)
    second = await bench.surface.post(thread, document, AGAIN)
    assert first == second
    assert len(bench.lark.posts) == len(first.messages) > 1


async def test_a_post_whose_reply_got_lost_is_sent_again_and_stands_once(bench: Bench) -> None:
    bench.lark.fail("messages.create", Scripted(lost=True))
    posted = await bench.surface.post(CHAT, prose("Hello"))
    assert len(bench.lark.posts) == len(posted.messages) == 1
    assert len(bench.lark.called("messages.create")) == 2


async def test_a_card_that_lark_refuses_goes_out_as_text_with_all_its_words(bench: Bench) -> None:
    bench.lark.fail("messages.create", Scripted(230099, "Failed to create card content"))
    table = Table(("name", "value"), (("a<b", "1"),))
    await bench.surface.post(CHAT, Document("f", (Heading("Title"), Prose("**bold** & <at id=all></at>"), table)))
    [post] = bench.lark.posts
    assert post.kind == "post"
    read = bench.lark.words(post)
    assert all(words in read for words in ("Title", "bold", "& < at id=all>", "name · value", "a<b · 1"))
    assert not bench.lark.mentioned


async def test_charts_are_drawn_by_lark_and_files_go_under_the_post(bench: Bench) -> None:
    chart = Chart("line", "Compaction", ("a", "b"), (Series("s", (1.0, 2.0)),), "score", "rises")
    document = Document("f", (Prose("See"), chart, File("rows.csv", "All rows", b"a,b\n1,2\n")))
    await bench.surface.post(CHAT, document)
    card, file = bench.lark.posts
    assert "Compaction, score" in bench.lark.words(card)
    assert "rises" in bench.lark.words(card)
    assert (file.kind, file.root) == ("file", card.id)
    assert bench.lark.files[json.loads(file.content)["file_key"]] == ("rows.csv", b"a,b\n1,2\n")


LARGE = Chart("line", "Much", tuple(map(str, range(500))), (Series("s", (1.0,) * 500),), alt="flat")
PAINT = [
    sys.executable,
    "-c",
    "import sys; sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n' + sys.stdin.buffer.read()[:9])",
]


async def test_a_very_large_chart_is_an_uploaded_picture(bench: Bench) -> None:
    surface = LarkSurface(bench.api, Delivery(bench.api, (), Painter(command=PAINT)), APP)
    await surface.post(CHAT, Document("f", (LARGE,)))
    [post] = bench.lark.posts
    [picture] = bench.lark.images.values()
    assert picture.startswith(b"\x89PNG")
    assert post.shows["body"]["elements"][0]["img_key"] in bench.lark.images
    assert "flat" in bench.lark.words(post)


async def test_a_chart_that_nobody_can_paint_is_a_table_with_all_its_figures(bench: Bench) -> None:
    surface = LarkSurface(bench.api, Delivery(bench.api, (), Painter(command=[sys.executable, "-c", ""])), APP)
    await surface.post(CHAT, Document("f", (LARGE,)))
    read = "\n".join(bench.lark.words(post) for post in bench.lark.posts)
    assert all(f"\n{number}\n" in read for number in range(500))


async def test_suggested_questions_are_buttons_that_ask_them(bench: Bench) -> None:
    await bench.surface.suggest(f"lark:{APP}:ou_anna", [("Worst clusters", "Which clusters are the worst?")])
    [post] = bench.lark.posts
    [button] = pressable(post.shows)
    asked = events.press(payloads.press(post, button), APP)
    assert isinstance(asked, Question)
    assert (asked.text, asked.thread) == ("Which clusters are the worst?", f"lark:{APP}:oc_p2p_ou_anna:{post.id}")


async def test_a_file_that_cannot_be_uploaded_fails_nothing(bench: Bench) -> None:
    bench.lark.fail("files.create", Scripted(234006, "file size invalid"))
    posted = await bench.surface.post(CHAT, Document("f", (Prose("See"), File("a.csv", "t", b"x"))))
    assert len(posted.messages) == len(bench.lark.posts) == 1


async def test_a_long_table_shows_its_beginning_and_all_of_it_is_a_file(bench: Bench) -> None:
    rows = tuple((f"cluster-{n}", "x" * 40) for n in range(1_000))
    await bench.surface.post(CHAT, Document("f", (Table(("cluster", "note"), rows, "Clusters"),)))
    card, file = bench.lark.posts
    assert "of 1000 rows; all of them are in Clusters.csv" in bench.lark.words(card)
    name, content = bench.lark.files[json.loads(file.content)["file_key"]]
    assert name == "Clusters.csv"
    assert len(content.decode("utf-8-sig").splitlines()) == 1_001


async def test_a_post_is_redrawn_in_place_and_the_latest_wins(bench: Bench) -> None:
    posted = await bench.surface.post(CHAT, prose("One"))
    await bench.surface.update(posted.messages[0], prose("Two"))
    [post] = bench.lark.posts
    assert bench.lark.words(post).splitlines()[0] == "Two"
    assert post.updates == 1


class Slow(Painter):
    """Paints nothing, and takes as long over it as the test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def png(self, chart: Chart) -> bytes:
        self.begun.set()
        await self.let.wait()
        raise NoPicture("taken away")


async def test_a_card_that_takes_long_to_draw_never_replaces_one_that_was_wanted_later(bench: Bench) -> None:
    painter = Slow()
    surface = LarkSurface(bench.api, Delivery(bench.api, (), painter), APP)
    posted = await surface.post(CHAT, prose("One"))
    older = asyncio.create_task(surface.update(posted.messages[0], Document("f", (LARGE,))))
    await painter.begun.wait()
    newer = asyncio.create_task(surface.update(posted.messages[0], prose("Three")))
    for _ in range(3):
        await surface.post(CHAT, prose("time in which a card without a chart is drawn and sent"))
    painter.let.set()
    await asyncio.gather(older, newer)
    redrawn = bench.lark.posts[0]
    assert bench.lark.words(redrawn).splitlines()[0] == "Three"
    assert redrawn.updates == 1


async def test_a_document_too_long_for_one_card_is_not_redrawn(bench: Bench) -> None:
    posted = await bench.surface.post(CHAT, prose("One"))
    with pytest.raises(SurfaceError, match="too long"):
        await bench.surface.update(posted.messages[0], prose("\n\n".join("word " * 300 for _ in range(60))))


async def test_buttons_know_the_topic_they_stand_in_also_after_a_redraw(bench: Bench) -> None:
    thread = thread_of(bench)
    document = Document("f", (Actions((Button("Go", "go", "v"), Menu("Snooze", "snooze", (("1 h", "1h"),)))),))
    posted = await bench.surface.post(thread, document)
    fresh = LarkSurface(bench.api, Delivery(bench.api, ()), APP)
    for surface in (bench.surface, fresh):
        await surface.update(posted.messages[0], document)
        [post] = bench.lark.posts
        values = [one["behaviors"][0]["value"] for one in pressable(post.shows)]
        assert values == [{"action": "go", "value": "v", "thread": thread}, {"action": "snooze", "thread": thread}]


async def test_what_was_said_in_a_topic_is_read_oldest_first(bench: Bench) -> None:
    thread = thread_of(bench, "why is prod-1 slow?")
    root = thread.rpartition(":")[2]
    await bench.surface.post(thread, prose("The disk is full."))
    bench.lark.said("and prod-2?", sender="ou_ben", root=root)
    said = await bench.surface.said(thread)
    assert [(one.user, one.text.splitlines()[0], one.ours) for one in said] == [
        ("ou_anna", "why is prod-1 slow?", False),
        (APP, "The disk is full.", True),
        ("ou_ben", "and prod-2?", False),
    ]
    assert await bench.surface.said(thread, after=said[1].order) == [said[2]]


async def test_of_a_long_topic_the_latest_two_hundred_are_read(bench: Bench) -> None:
    thread = thread_of(bench, "first")
    for number in range(230):
        bench.lark.said(f"message {number}", root=thread.rpartition(":")[2])
    said = await bench.surface.said(thread)
    assert [one.text for one in said] == [f"message {n}" for n in range(30, 230)]


async def test_a_message_without_a_topic_is_all_that_was_said(bench: Bench) -> None:
    assert [one.text for one in await bench.surface.said(thread_of(bench, "alone"))] == ["alone"]


async def test_a_whisper_a_dialog_and_the_home_are_seen_by_one_person_alone(bench: Bench) -> None:
    thread = thread_of(bench)
    press = Press("k", "bad", "v", "ou_anna", thread, f"{CHAT}:om_9")
    form = Form((Field("why", "Why?", "multiline"), Field("kind", "Kind", "choice", (("A", "a"), ("B", "b")))), "why")
    await bench.surface.whisper(thread, "ou_anna", prose("psst"))
    await bench.surface.dialog(press, "Tell me", prose("What was wrong?"), form)
    await bench.surface.home("ou_anna", prose("Home"))
    assert {post.chat for post in bench.lark.posts} == {"oc_p2p_ou_anna"}
    dialog = bench.lark.posts[1]
    assert "Tell me" in bench.lark.words(dialog)
    submit = next(one for one in pressable(dialog.shows) if one["tag"] == "button")
    told = submit["behaviors"][0]["value"]
    assert told == {"action": "why", "value": "", "thread": thread, "message": f"{CHAT}:om_9"}


async def test_a_dialog_that_is_asked_for_twice_is_shown_once(bench: Bench) -> None:
    press = Press("k", "sql", "v", "ou_anna", thread_of(bench), "")
    await bench.surface.dialog(press, "SQL", prose("SELECT 1"))
    await bench.surface.dialog(press, "SQL", prose("SELECT 1"))
    assert len(bench.lark.posts) == 1


async def test_what_is_worked_on_has_a_reaction_until_the_answer_comes(bench: Bench) -> None:
    thread = thread_of(bench)
    further = bench.lark.said("and?", root=thread.rpartition(":")[2])
    bench.surface.heard(f"{CHAT}:{further.id}", thread)
    await bench.surface.status(thread, "Thinking")
    await bench.surface.status(thread, "Reading metrics")
    assert list(bench.lark.reactions.values()) == [(further.id, "OnIt")]
    await bench.surface.post(thread, prose("Answer"))
    await bench.surface.idle()
    assert bench.lark.reactions == {}


async def test_work_that_no_message_asked_for_has_its_reaction_where_the_topic_begins(bench: Bench) -> None:
    thread = thread_of(bench)
    await bench.surface.status(thread, "Thinking")
    assert list(bench.lark.reactions.values()) == [(thread.rpartition(":")[2], "OnIt")]
    await bench.surface.status(CHAT, "Checking the fleet")
    await bench.surface.status(thread, "")
    await bench.surface.idle()
    assert bench.lark.reactions == {}


async def test_a_reaction_that_cannot_be_taken_away_holds_up_nothing(bench: Bench) -> None:
    thread = thread_of(bench)
    await bench.surface.status(thread, "Thinking")
    bench.lark.fail("reactions.delete", Scripted(231011, "not there"))
    await bench.surface.post(thread, prose("Answer"))
    await bench.surface.idle()
    assert len(bench.lark.posts) == 1


async def test_the_rate_that_lark_allows_is_kept(bench: Bench) -> None:
    for number in range(12):
        await bench.surface.post(CHAT, prose(f"{number}"))
    assert len(bench.lark.posts) == 12
    assert len(bench.lark.called("messages.create")) == 12


async def test_what_lark_asks_to_wait_is_waited(bench: Bench) -> None:
    bench.lark.fail("messages.create", Scripted(99991400, "limit", 429, {"x-ogw-ratelimit-reset": "7"}))
    await bench.surface.post(CHAT, prose("Hello"))
    assert len(bench.lark.posts) == 1
    assert 7 in bench.time.slept


@pytest.mark.parametrize(
    ("code", "fault", "words"),
    [
        (230002, PlaceGone, "add the bot to the chat"),
        (231003, PlaceGone, "231003"),
        (10014, AccessEnded, "LARK_APP_SECRET"),
        (230049, SurfaceAway, "asks to wait"),
        (230018, SurfaceError, "administrators"),
    ],
)
async def test_a_refusal_says_what_kind_it_is_and_what_to_do(
    bench: Bench, code: int, fault: type[SurfaceError], words: str
) -> None:
    bench.lark.fail("messages.create", Scripted(code, "secret internals"))
    with pytest.raises(fault, match=words) as told:
        await bench.surface.post(CHAT, prose("Hello"))
    assert "secret internals" not in str(told.value)
