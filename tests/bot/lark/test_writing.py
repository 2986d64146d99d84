"""An answer that grows in a card on Lark, whatever Lark does to the card meanwhile."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.lark.delivery import Delivery
from bot.lark.surface import LarkSurface
from handlers.locale import Locale
from handlers.surface import Step
from tests.bot.lark.conftest import Bench
from tests.bot.lark.test_surface import AGAIN, CHAT, MARK, prose, thread_of
from tests.fakes.lark import APP, Scripted


async def test_an_answer_grows_in_a_card_and_is_whole_in_the_same_place(bench: Bench) -> None:
    thread = thread_of(bench)
    async with bench.surface.writing(thread, MARK, "ou_anna") as writing:
        await writing.steps([Step("1", "Reading metrics", "running")])
        await bench.lark.until(lambda: len(bench.lark.posts) == 1)
        [post] = bench.lark.posts
        assert "⏳ Reading metrics" in bench.lark.words(post)
        assert "Stop" in bench.lark.words(post)
        await writing.steps([Step("1", "Reading metrics", "done"), Step("2", "Thinking", "running")])
        await writing.text("The **disk")
        await bench.lark.until(lambda: "The" in bench.lark.words(post))
        await writing.text("** is full")
        await bench.lark.until(lambda: "**disk** is full" in bench.lark.words(post))
        assert "✅ Reading metrics" in bench.lark.words(post)
        posted = await writing.finish(prose("The disk is full, entirely."))
    assert bench.lark.posts == [post]
    assert posted.messages == (f"{CHAT}:{post.id}",)
    assert bench.lark.words(post).splitlines()[0] == "The disk is full, entirely."
    assert "Stop" not in bench.lark.words(post)
    assert bench.lark.cards[post.card_id].streams_since is None


async def test_text_that_is_taken_back_is_seen_no_more(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Wrong")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        [post] = bench.lark.posts
        await writing.text("")
        await bench.lark.until(lambda: "Wrong" not in bench.lark.words(post))
        await writing.finish(prose("Right"))


async def test_an_answer_that_is_left_unfinished_is_taken_back(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Half")
        await bench.lark.until(lambda: bool(bench.lark.posts))
    assert bench.lark.posts == []


async def test_a_card_that_lark_closed_after_ten_minutes_streams_on(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Begun")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        [post] = bench.lark.posts
        bench.time.now += 700
        await writing.text(", and gone on")
        await bench.lark.until(lambda: "Begun, and gone on" in bench.lark.words(post))
        await writing.finish(prose("Whole"))
    assert bench.lark.words(post).splitlines()[0] == "Whole"


async def test_an_answer_that_nobody_saw_growing_is_a_plain_post(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.finish(prose("At once"))
    [post] = bench.lark.posts
    assert post.card_id == ""
    assert bench.lark.words(post).splitlines()[0] == "At once"


async def test_a_growing_card_that_lark_refuses_costs_nothing_but_the_growing(bench: Bench) -> None:
    bench.lark.scopes.discard("cardkit:card:write")
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Half")
        await bench.lark.until(lambda: bool(bench.lark.called("cards.create")))
        await writing.finish(prose("Whole"))
    assert [bench.lark.words(post).splitlines()[0] for post in bench.lark.posts] == ["Whole"]


async def test_a_card_that_cannot_be_finished_is_taken_back_and_the_answer_is_posted(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Half")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        bench.lark.fail("cards.update", Scripted(300302, "card not found"))
        await writing.finish(prose("Whole"))
    assert [bench.lark.words(post).splitlines()[0] for post in bench.lark.posts] == ["Whole"]


async def test_a_turn_that_was_cut_off_finishes_in_the_card_it_left_behind(bench: Bench) -> None:
    thread = thread_of(bench)
    cut_off = bench.surface.writing(thread, MARK, "ou_anna")
    writing = await cut_off.__aenter__()
    await writing.text("Half an ans")
    await bench.lark.until(lambda: bool(bench.lark.posts))
    [left] = bench.lark.posts
    # what a killed process does: nothing more
    fresh = LarkSurface(bench.api, Delivery(bench.api, ()), APP, now=bench.time.epoch)
    async with fresh.writing(thread, AGAIN, "ou_anna") as again:
        posted = await again.finish(prose("Whole"))
    assert bench.lark.posts == [left]
    assert posted.messages == (f"{CHAT}:{left.id}",)
    assert bench.lark.words(left).splitlines()[0] == "Whole"
    await writing._newest.end()  # type: ignore[attr-defined]


async def test_a_long_answer_grows_as_far_as_a_card_goes_and_is_whole_in_several(bench: Bench) -> None:
    text = "\n\n".join(f"Paragraph {n} " + "words " * 40 for n in range(200))
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text(text)
        await bench.lark.until(lambda: bool(bench.lark.posts))
        posted = await writing.finish(prose(text))
    posts = bench.lark.posts
    assert len(posts) == len(posted.messages) > 1
    read = "\n".join(bench.lark.words(post) for post in posts)
    assert [read.count(f"Paragraph {n} ") for n in range(200)] == [1] * 200


async def test_a_redraw_of_an_answer_that_had_grown_goes_by_its_card(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Half")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        posted = await writing.finish(prose("Whole"))
    await bench.surface.update(posted.messages[0], prose("Redrawn"))
    [post] = bench.lark.posts
    assert bench.lark.words(post).splitlines()[0] == "Redrawn"


async def test_a_process_that_was_restarted_too_fast_still_changes_the_card(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("Half")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        [post] = bench.lark.posts
        bench.lark.cards[post.card_id].sequence = 1_000 + int((bench.time.epoch() - 1_767_225_600) * 5)
        await writing.finish(prose("Whole"))
    assert bench.lark.posts == [post]
    assert bench.lark.words(post).splitlines()[0] == "Whole"


async def test_texts_of_ours_are_in_the_language_of_the_reader(bench: Bench) -> None:
    async def chinese(place: str, user: str) -> Locale:
        return Locale("zh")

    surface = LarkSurface(bench.api, Delivery(bench.api, ()), APP, chinese)
    async with surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.text("部分")
        await bench.lark.until(lambda: bool(bench.lark.posts))
        assert "停止" in bench.lark.words(bench.lark.posts[0])
        await writing.finish(prose("完成"))
    assert Locale("zh").time(datetime(2026, 11, 20, tzinfo=UTC)) == "2026-11-20 00:00 UTC"


async def test_a_plan_without_a_word_of_the_answer_is_taken_back_when_the_turn_is_stopped(bench: Bench) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
            await writing.steps([Step("1", "Reading metrics", "running")])
            await bench.lark.until(lambda: bool(bench.lark.posts))
            raise asyncio.CancelledError
    assert bench.lark.posts == []


async def test_a_card_that_cannot_be_ended_where_it_stands_hides_no_stop(bench: Bench) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
            await writing.text("Half")
            await bench.lark.until(lambda: bool(bench.lark.posts))
            bench.lark.fail("cards.settings", Scripted(300302, "card not found"))
            raise asyncio.CancelledError
    assert len(bench.lark.posts) == 1


async def test_a_long_plan_shows_its_latest_steps(bench: Bench) -> None:
    async with bench.surface.writing(thread_of(bench), MARK, "ou_anna") as writing:
        await writing.steps([Step(str(n), f"Step {n} *of* many", "done") for n in range(20)])
        await bench.lark.until(lambda: bool(bench.lark.posts))
        told = bench.lark.words(bench.lark.posts[0])
        await writing.finish(prose("Done"))
    assert "… 12" in told
    assert "Step 19 &#42;of&#42; many" in told
    assert "Step 11" not in told
