"""What handlers may rely on, whatever the platform: both surfaces pass each of these on a strict fake."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Field,
    Fields,
    File,
    Form,
    Heading,
    Note,
    Part,
    Prose,
    Series,
    Table,
)
from handlers.faults import PlaceGone, SurfaceAway
from handlers.surface import Mark, Step, SurfaceError
from tests.bot.stages import STAGES, Stage

MARK = Mark("turn-1", "answer", repeated=False)
AGAIN = Mark("turn-1", "answer", repeated=True)
LONG = "\n\n".join(f"Paragraph {n}. " + "words of it " * 40 for n in range(120))

DANGEROUS = """
<!channel>;<!here>;<@U1>;<at id=all></at>;<at user_id='all'>;<;>;&lt!here&gt;`;```;[x](https://evil.example);
<https://evil.example|x>;**; ;a;@all;|a|
"""
HOSTILE = st.lists(st.sampled_from([*DANGEROUS.split(";"), "\n\n", "|a|\n|-|\n|b|\n"]), max_size=20).map("".join)


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with STAGES[request.param]() as stage:
        yield stage


def prose(text: str, *more: Part) -> Document:
    return Document(text[:60] or "–", (Prose(text), *more))


def everything(text: str) -> Document:
    """A document with `text` in every place."""
    chart = Chart("bar", text or "t", (text or "x", "b"), (Series(text or "s", (1.0, 2.0)),), text, text)
    table = Table((text or "h", "b"), ((text, "1"),), text)
    button = Actions((Button(text or "b", "go", "v"),))
    fields = Fields(((text, text), ("b", "c")))
    return Document(text, (Heading(text or "h"), Prose(text), fields, table, chart, button, Note(text), Divider()))


async def test_a_post_in_a_channel_starts_a_thread_and_one_in_a_thread_stays_in_it(stage: Stage) -> None:
    posted = await stage.surface.post(stage.channel, prose("First"))
    reply = await stage.surface.post(posted.thread, prose("Second"))
    first, second = stage.seen()
    assert posted.thread == posted.messages[0] == first.reference == reply.thread == second.root
    assert (first.root, reply.messages) == (first.reference, (second.reference,))
    assert ("First" in first.words, "Second" in second.words) == (True, True)


async def test_a_long_post_is_in_order_and_nothing_of_it_is_lost(stage: Stage) -> None:
    posted = await stage.surface.post(stage.asked("why?"), prose(LONG))
    seen = stage.seen()
    assert posted.messages == tuple(one.reference for one in seen)
    assert len(seen) > 1
    assert len({one.root for one in seen}) == 1
    told = "\n".join(one.words for one in seen)
    places = [told.find(f"Paragraph {n}.") for n in range(120)]
    assert places == sorted(places)
    assert min(places) >= 0
    assert stage.harm() == []


async def test_a_marked_post_stands_once_however_often_it_is_made(stage: Stage) -> None:
    thread = stage.asked("why?")
    first = await stage.surface.post(thread, prose(LONG), MARK)
    second = await stage.restarted().post(thread, prose(LONG), AGAIN)
    assert first == second
    assert [one.reference for one in stage.seen()] == list(first.messages)


async def test_the_marks_of_other_posts_are_other_posts(stage: Stage) -> None:
    thread = stage.asked("why?")
    for part in ("answer", "apology"):
        await stage.surface.post(thread, prose(part), Mark("turn-1", part, repeated=False))
    await stage.surface.post(thread, prose("other turn"), Mark("turn-2", "answer", repeated=False))
    assert len(stage.seen()) == 3


async def test_a_post_that_broke_off_goes_on_behind_what_arrived(stage: Stage) -> None:
    thread = stage.asked("why?")
    stage.away()
    with pytest.raises(SurfaceError):
        await stage.surface.post(thread, prose(LONG), MARK)
    for _ in range(6):
        try:
            posted = await stage.restarted().post(thread, prose(LONG), AGAIN)
            break
        except SurfaceAway:
            continue
    assert [one.reference for one in stage.seen()] == list(posted.messages)


async def test_a_message_is_redrawn_in_place_and_the_latest_wins(stage: Stage) -> None:
    posted = await stage.surface.post(stage.channel, prose("before"))
    updates = (stage.surface.update(posted.messages[0], prose(f"state {n}")) for n in range(12))
    await asyncio.gather(*updates)
    [seen] = stage.seen()
    assert seen.reference == posted.messages[0]
    assert "state 11" in seen.words
    assert "before" not in seen.words


async def test_a_document_that_fits_no_single_message_is_no_redrawing(stage: Stage) -> None:
    posted = await stage.surface.post(stage.channel, prose("before"))
    with pytest.raises(SurfaceError):
        await stage.surface.update(posted.messages[0], prose(LONG))
    assert "before" in stage.seen()[0].words


async def test_an_answer_grows_and_is_whole_in_the_end(stage: Stage) -> None:
    thread = stage.asked("why?")
    async with stage.surface.writing(thread, MARK, stage.user) as writing:
        await writing.steps([Step("1", "Reading metrics", "running")])
        await writing.text("The disk is")
        await stage.until(lambda: any("The disk is" in one.words for one in stage.seen()))
        await writing.text(" full.")
        posted = await writing.finish(prose("The disk is full, since Friday."))
    told = "\n".join(one.words for one in stage.seen())
    assert told.count("The disk is full") == 1
    assert "since Friday" in told
    assert posted.thread == thread
    assert posted.messages[0] in [one.reference for one in stage.seen()]
    assert stage.harm() == []


async def test_a_long_answer_that_grew_is_whole_too(stage: Stage) -> None:
    thread = stage.asked("why?")
    async with stage.surface.writing(thread, MARK, stage.user) as writing:
        await writing.text("Paragraph")
        await stage.until(lambda: any("Paragraph" in one.words for one in stage.seen()))
        await writing.text(LONG.removeprefix("Paragraph"))
        await writing.finish(prose(LONG))
    told = "\n".join(one.words for one in stage.seen())
    assert [told.count(f"Paragraph {n}.") for n in range(120)] == [1] * 120


async def test_what_was_streamed_can_be_taken_back(stage: Stage) -> None:
    thread = stage.asked("why?")
    async with stage.surface.writing(thread, MARK, stage.user) as writing:
        await writing.text("Nonsense")
        await stage.until(lambda: any("Nonsense" in one.words for one in stage.seen()))
        await writing.text("")
        await writing.text("Sense")
        await writing.finish(prose("Sense."))
    assert "Nonsense" not in "\n".join(one.words for one in stage.seen())


async def left(stage: Stage, thread: str, fault: BaseException) -> None:
    """An answer that is left half-way."""
    with pytest.raises(type(fault)):
        async with stage.surface.writing(thread, MARK, stage.user) as writing:
            await writing.text("Half an answer")
            await stage.until(lambda: any("Half an answer" in one.words for one in stage.seen()))
            raise fault


async def test_an_answer_that_a_fault_breaks_off_is_taken_back(stage: Stage) -> None:
    await left(stage, stage.asked("why?"), RuntimeError("broken"))
    assert stage.seen() == []


async def test_an_answer_that_is_stopped_ends_where_it_stands_and_a_repeated_turn_finishes_it(stage: Stage) -> None:
    thread = stage.asked("why?")
    await left(stage, thread, asyncio.CancelledError())
    [seen] = stage.seen()
    assert "Half an answer …" in seen.words
    assert "Stop" not in seen.words
    async with stage.restarted().writing(thread, AGAIN, stage.user) as again:
        await again.finish(prose("The whole answer."))
    [seen] = stage.seen()
    assert "The whole answer." in seen.words
    assert "Half an answer" not in seen.words


async def test_a_turn_that_was_cut_off_leaves_one_answer(stage: Stage) -> None:
    thread = stage.asked("why?")
    cut_off = stage.surface.writing(thread, MARK, stage.user)
    writing = await cut_off.__aenter__()
    await writing.text("Half an answer")
    await stage.until(lambda: any("Half an answer" in one.words for one in stage.seen()))
    async with stage.restarted().writing(thread, AGAIN, stage.user) as again:
        await again.finish(prose("The whole answer."))
    told = "\n".join(one.words for one in stage.seen())
    assert told.count("The whole answer.") == 1
    assert "Half an answer" not in told
    # what the killed process held is let go of
    await cut_off.__aexit__(None, None, None)


async def test_files_go_with_the_document_byte_for_byte(stage: Stage) -> None:
    content = bytes(range(256)) * 40
    await stage.surface.post(stage.asked("rows?"), prose("See the file.", File("rows.csv", "All rows", content)))
    assert stage.files() == {"rows.csv": content}
    assert "rows.csv" in stage.seen()[0].words


async def test_tables_and_charts_are_shown_with_their_figures_or_go_into_files(stage: Stage) -> None:
    small = Table(("cluster", "disk"), (("prod-1", "85.3"), ("prod-2", "40.1")), "Disks")
    rows = tuple((f"cluster-{n}", f"value-{n}") for n in range(3_000))
    chart = Chart("line", "Compaction", ("Mon", "Tue"), (Series("prod-1", (12.0, 815.0)),), "score", "It rises.")
    await stage.surface.post(stage.asked("disks?"), Document("f", (small, chart, Table(("a", "b"), rows, "Many"))))
    told = "\n".join(one.words for one in stage.seen())
    assert all(words in told for words in ("cluster", "prod-1", "85.3", "40.1", "Disks", "Compaction"))
    everywhere = told + "\n".join(content.decode("utf-8-sig") for content in stage.files().values())
    assert all(f"value-{n}" in everywhere for n in range(0, 3_000, 97))
    assert stage.harm() == []


async def test_buttons_carry_their_action_and_value(stage: Stage) -> None:
    buttons = (Button("Go", "go", "v1", "primary"), Button("No", "no", "ü" * 500, "danger"))
    await stage.surface.post(stage.asked("?"), Document("f", (Prose("x"), Actions(buttons))))
    told = [(one["action"].partition(":")[0], one["value"]) for one in stage.values()]
    assert told == [("go", "v1"), ("no", "ü" * 500)]


async def test_a_whisper_a_dialog_and_the_home_are_for_one_person(stage: Stage) -> None:
    thread = stage.asked("why?")
    form = Form((Field("why", "Why was it wrong?", "multiline"),), "answer_why", "a-1")
    await stage.surface.whisper(thread, stage.user, prose("only you see this"))
    await stage.surface.dialog(stage.pressed(thread), "Tell me", prose("What was wrong?"), form)
    await stage.surface.home(stage.user, prose("your assignments"))
    told = stage.alone()
    assert all(words in told for words in ("only you see this", "What was wrong?", "Why was it wrong?"))
    assert "your assignments" in told
    assert "answer_why" in told or stage.seen() == []
    assert stage.seen() == []


async def test_what_was_said_in_a_thread_is_read_in_order_with_who_said_it(stage: Stage) -> None:
    thread = stage.asked("why is prod-1 slow?")
    await stage.surface.post(thread, prose("Its disk is full."))
    stage.asked("and prod-2?", root=thread)
    said = await stage.surface.said(thread)
    assert [one.ours for one in said] == [False, True, False]
    assert (said[0].user, said[0].text, said[2].text) == (stage.user, "why is prod-1 slow?", "and prod-2?")
    assert [one.order for one in said] == sorted(one.order for one in said)
    assert await stage.surface.said(thread, after=said[1].order) == [said[2]]


async def test_a_rate_limit_is_waited_for(stage: Stage) -> None:
    stage.limited(7)
    await stage.surface.post(stage.asked("?"), prose("Hello"))
    assert len(stage.seen()) == 1
    assert stage.slept() >= 7


async def test_a_platform_that_is_away_and_a_place_that_is_gone_are_told_apart(stage: Stage) -> None:
    thread = stage.asked("?")
    stage.gone()
    with pytest.raises(PlaceGone):
        await stage.surface.post(thread, prose("Hello"))
    stage.away()
    with pytest.raises(SurfaceAway):
        await stage.surface.post(thread, prose("Hello"))


async def test_a_place_of_no_platform_is_refused(stage: Stage) -> None:
    with pytest.raises(SurfaceError):
        await stage.surface.post("somewhere:else:entirely:or:not", prose("Hello"))


@pytest.mark.parametrize("name", sorted(STAGES))
async def test_nothing_in_a_document_mentions_anybody_or_breaks_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with STAGES[name]() as stage:
        texts: list[str] = []

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(text=HOSTILE)
        def collect(text: str) -> None:
            texts.append(text)

        collect()
        for text in texts:
            await stage.surface.post(stage.channel, everything(text))
        assert stage.harm() == []
        assert len(stage.seen()) >= len(texts)


@pytest.mark.parametrize("name", sorted(STAGES))
@pytest.mark.parametrize(
    "text", ["<!channel> <at id=all></at> [x](https://evil.example) `<@U1>`", "a<at user_id='all'>b</at><!here|x>"]
)
async def test_no_cut_between_two_pieces_of_a_stream_makes_a_mention(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(variable, raising=False)
    for cut in range(1, len(text), 5):
        async with STAGES[name]() as stage:
            async with stage.surface.writing(stage.asked("?"), MARK, stage.user) as writing:
                for piece in (text[:cut], text[cut:]):
                    await writing.text(piece)
                    await stage.until(lambda: bool(stage.seen()))
                assert stage.harm() == []
                await writing.finish(prose(text))
            assert stage.harm() == []
