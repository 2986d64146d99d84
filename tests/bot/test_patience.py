"""What happens to a post while its platform is away, has ended our access, or has lost the thread."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.messages import user_text
from agent.session import SavedTurn
from bot.meters import Meters
from bot.patience import PROBE, PatientSurface, Waits
from bot.store import Store, open_store
from bot.store.outbox import Outbox, is_stand_in, message_of, stand_in_of
from handlers.document import Document, Note
from handlers.faults import AccessEnded, PlaceGone, SurfaceAway
from handlers.findings import UNDRAWN, Page
from handlers.surface import Mark, Posted, SurfaceError, Writing
from handlers.writing import whole
from tests.bot.store.conftest import Clock
from tests.fakes.thinking import Surface

THREAD, OTHER, CHANNEL = "slack:T:C:1.1", "slack:T:C:2.1", "slack:T:C"
AWAY = SurfaceAway("Slack could not be reached")
REVOKED = AccessEnded("Slack refused: token_revoked")


def document(text: str) -> Document:
    return Document(text, (Note(text),))


def mark(turn: str, part: str = "answer") -> Mark:
    return Mark(turn, part, repeated=False)


class Platform(Surface):
    """Fails while `faults` says so; a marked post that is there already is not made again. `lost` posts arrive, but
    their answer does not."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: SurfaceError | None = None
        self.faults: list[SurfaceError] = []
        self.lost = 0
        self.tried: list[Mark | None] = []
        self.there: dict[tuple[str, str], Posted] = {}

    async def post(self, place: str, document: Document, mark: Mark | None = None) -> Posted:
        self.tried.append(mark)
        if fault := (self.faults.pop(0) if self.faults else self.fault):
            raise fault
        name = (mark.turn, mark.part) if mark else ("", "")
        if mark and mark.repeated and name in self.there:
            return self.there[name]
        self.there[name] = await super().post(place, document, mark)
        if self.lost:
            self.lost -= 1
            raise AWAY
        return self.there[name]

    def writing(self, thread: str, mark: Mark | None, user: str) -> AbstractAsyncContextManager[Writing]:
        return whole(self, thread, mark)

    @property
    def words(self) -> list[tuple[str, str]]:
        return [(place, document.fallback) for place, document in self.posts]


class Bench:
    """A patient surface on a platform, with a clock that only its own sleeping moves."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.time = store, clock, 0.0
        self.meters = Meters()
        self.slept: list[float] = []
        self.gone: list[str] = []
        self.platform, self.outbox = Platform(), Outbox(store.database, self.now)
        self.surface = self.another()

    def another(self, waits: Waits | None = None) -> PatientSurface:
        """The surface of another process, or of this one begun again."""
        return PatientSurface(
            self.platform,
            self.outbox,
            gone=self.end,
            waits=waits,
            meters=self.meters,
            clock=lambda: self.time,
            sleep=self.sleep,
        )

    def counted(self, *ends: str) -> list[float]:
        """How many posts ended so."""
        found = [self.meters.registry.get_sample_value("starwatch_posts_total", {"end": end}) for end in ends]
        return [one or 0.0 for one in found]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)

    def pass_by(self, seconds: float) -> None:
        self.time += seconds
        self.clock.forward(seconds=seconds)

    def now(self) -> datetime:
        """No two moments are the same."""
        self.clock.forward(microseconds=1)
        return self.clock()

    async def end(self, thread: str) -> None:
        self.gone.append(thread)

    async def waiting(self) -> int:
        return (await self.outbox.waiting()).count


@pytest.fixture
async def bench(own_database: str) -> AsyncIterator[Bench]:
    clock = Clock()
    async with open_store(own_database, clock) as store:
        yield Bench(store, clock)


async def test_a_platform_that_is_well_gets_a_post_as_it_is(bench: Bench) -> None:
    posted = await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert posted.thread == THREAD
    assert bench.platform.tried == [mark("t1")]
    assert (bench.slept, await bench.waiting()) == ([], 0)


async def test_a_post_is_tried_again_with_growing_waits_and_as_one_that_may_be_there(bench: Bench) -> None:
    bench.platform.faults = [AWAY] * 8
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert bench.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert bench.platform.tried == [mark("t1"), *[replace(mark("t1"), repeated=True)] * 8]
    assert bench.platform.words == [(THREAD, "hello")]


async def test_a_platform_that_says_how_long_to_wait_is_believed(bench: Bench) -> None:
    bench.platform.faults = [SurfaceAway("429", 30.0)]
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert bench.slept == [30]


async def test_a_post_whose_answer_was_lost_stands_once(bench: Bench) -> None:
    bench.platform.lost = 1
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert bench.platform.words == [(THREAD, "hello")]


async def test_after_a_quarter_of_an_hour_a_post_is_kept_and_posted_once_the_platform_is_back(bench: Bench) -> None:
    bench.platform.fault = AWAY
    posted = await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert posted.thread == THREAD
    assert 800 < sum(bench.slept) <= 900
    assert await bench.surface.deliver() == 0
    assert await bench.waiting() == 1
    bench.platform.fault = None
    bench.pass_by(15)
    assert await bench.surface.deliver() == 1
    assert bench.platform.words == [(THREAD, "hello")]
    assert await bench.waiting() == 0


async def test_every_post_is_counted_by_what_became_of_it(bench: Bench) -> None:
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    bench.platform.fault = SurfaceAway("429", 3600.0)
    for number in range(2):
        await bench.surface.post(OTHER, document("late"), mark(f"k{number}"))
    assert bench.counted("posted", "kept", "delivered", "refused", "dropped") == [1, 2, 0, 0, 0]
    bench.platform.fault, bench.platform.faults = None, [SurfaceError("no_text")]
    assert await bench.surface.deliver() == 1
    assert bench.counted("posted", "kept", "delivered", "refused", "dropped") == [1, 2, 1, 0, 1]
    for fault in (SurfaceError("no_text"), PlaceGone("gone")):
        bench.platform.faults = [fault]
        with pytest.raises(SurfaceError):
            await bench.surface.post(THREAD, document("never"), mark(f"r{fault}"))
    assert bench.counted("posted", "kept", "refused") == [1, 2, 2]


async def test_a_wait_that_outlasts_the_patience_is_not_begun(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    assert (bench.slept, await bench.waiting()) == ([], 1)


async def test_the_patience_counts_from_when_the_platform_went_away_for_all_posts_together(bench: Bench) -> None:
    bench.platform.fault = AWAY
    for number in range(4):
        await bench.surface.post(f"slack:T:C:{number}.1", document("hello"), mark(f"t{number}"))
    assert 800 < sum(bench.slept) <= 900
    assert await bench.waiting() == 4


async def test_a_fault_of_long_ago_does_not_count_against_the_patience_of_today(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    await bench.surface.post(THREAD, document("first"), mark("t1"))
    bench.pass_by(7200)
    bench.platform.fault, bench.platform.faults = None, [AWAY]
    await bench.surface.post(OTHER, document("second"), mark("t2"))
    assert bench.platform.words == [(OTHER, "second")]


async def test_a_thread_keeps_its_order_while_something_waits_for_it(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    await bench.surface.post(THREAD, document("first"), mark("t1"))
    bench.platform.fault = None
    await bench.surface.post(THREAD, document("second"), mark("t2"))
    await bench.surface.post(OTHER, document("elsewhere"), mark("t3"))
    assert bench.platform.words == [(OTHER, "elsewhere")]
    await bench.surface.deliver()
    await bench.surface.post(THREAD, document("third"), mark("t4"))
    assert bench.platform.words[1:] == [(THREAD, "first"), (THREAD, "second"), (THREAD, "third")]


async def test_what_is_kept_is_delivered_by_the_next_process_and_stands_once(bench: Bench) -> None:
    bench.platform.fault, bench.platform.lost = None, 1
    impatient = bench.another(Waits(patience=0))
    await impatient.post(THREAD, document("hello"), mark("t1"))
    assert await bench.waiting() == 1
    assert await bench.another().deliver() == 1
    assert bench.platform.words == [(THREAD, "hello")]


async def test_a_repeated_turn_keeps_its_post_once(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    for surface in (bench.surface, bench.another()):
        await surface.post(THREAD, document("hello"), mark("t1"))
    bench.platform.fault = None
    assert await bench.surface.deliver() == 1
    assert bench.platform.words == [(THREAD, "hello")]


async def test_a_report_that_is_kept_begins_its_thread_later_with_all_that_belongs_there(bench: Bench) -> None:
    said = SavedTurn("m", (user_text("the report"),))
    bench.platform.fault = SurfaceAway("429", 3600.0)
    posted = await bench.surface.post(CHANNEL, document("report"), mark("t1", "report"))
    assert is_stand_in(posted.thread)
    await bench.store.append(posted.thread, said)
    await bench.surface.status(posted.thread, "Thinking")
    await bench.surface.post(posted.thread, document("more"), mark("t1", "more"))
    bench.platform.fault = None
    assert await bench.surface.deliver() == 2
    (_, report), (thread, more) = bench.platform.words
    assert (report, more) == ("report", "more")
    assert await bench.store.load(thread) == [said]
    await bench.surface.post(posted.thread, document("late"), mark("t1", "late"))
    assert bench.platform.words[-1] == (thread, "late")
    assert bench.platform.statuses == []


@pytest.mark.parametrize("remembered", ["before it is posted", "after it is posted"])
async def test_a_report_that_is_posted_late_is_drawn_again_like_any_other(bench: Bench, remembered: str) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    posted = await bench.surface.post(CHANNEL, document("report"), mark("t1", "report"))
    below = await bench.surface.post(posted.thread, document("page 2"), mark("t1", "report-2"))
    names = [*posted.messages, *below.messages]
    pages = [Page(name, "R-1", number, "en", "UTC") for number, name in enumerate(names)]
    if remembered == "before it is posted":
        await bench.store.findings.remember(pages)
    bench.platform.fault = None
    assert await bench.surface.deliver() == 2
    if remembered == "after it is posted":
        await bench.store.findings.remember(pages)
    found = await bench.store.findings.pages("R-1")
    first, second = (bench.platform.there["t1", part].messages[0] for part in ("report", "report-2"))
    assert [page.message for page in found] == [first, second]
    assert [page.number for page in found] == [0, 1]
    await bench.surface.update(found[0].message, document("decided"))
    # whoever still knows it by the name that it had while it waited reaches the same message
    await bench.surface.update(names[1], document("decided, too"))
    assert [(message, one.fallback) for message, one in bench.platform.updates] == [
        (first, "decided"),
        (second, "decided, too"),
    ]


async def test_what_is_decided_while_a_report_waits_is_on_it_when_it_is_posted(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    (name,) = (await bench.surface.post(CHANNEL, document("report"), mark("t1", "report"))).messages
    await bench.surface.update(name, document("report, acknowledged"))
    bench.platform.fault = None
    await bench.surface.deliver()
    assert bench.platform.words == [(CHANNEL, "report, acknowledged")]
    assert bench.platform.updates == []


async def test_a_report_that_is_never_posted_is_not_drawn_again(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    (name,) = (await bench.surface.post(CHANNEL, document("report"), mark("t1", "report"))).messages
    await bench.store.findings.remember([Page(name, "R-1", 0, "en", "UTC")])
    bench.platform.fault = SurfaceError("Slack refused: is_archived")
    await bench.surface.deliver()
    assert await bench.store.findings.pages("R-1") == []
    with pytest.raises(SurfaceError, match="never made"):
        await bench.surface.update(name, document("decided"))


async def test_a_late_report_that_becomes_several_messages_is_remembered_but_never_redrawn(bench: Bench) -> None:
    name = await bench.outbox.put(CHANNEL, "t1", "report", {}, "away")
    await bench.store.findings.remember([Page(message_of(CHANNEL, name), "R-1", 0, "en", "UTC")])
    await bench.outbox.posted(name, THREAD, stand_in_of(CHANNEL, name), (THREAD, OTHER))
    (page,) = await bench.store.findings.pages("R-1")
    assert (page.message, page.number) == (THREAD, UNDRAWN)


async def test_an_access_that_was_ended_is_not_used_again_and_tried_once_a_minute(bench: Bench) -> None:
    bench.platform.fault = REVOKED
    for number in range(3):
        await bench.surface.post(f"slack:T:C:{number}.1", document("hello"), mark(f"t{number}"))
    assert len(bench.platform.tried) == 1
    assert await bench.surface.deliver() == 0
    assert (len(bench.platform.tried), await bench.waiting()) == (1, 3)
    bench.pass_by(PROBE)
    assert await bench.surface.deliver() == 0
    assert len(bench.platform.tried) == 2
    assert await bench.surface.deliver() == 0
    assert "token_revoked" in (await bench.outbox.waiting()).why
    bench.platform.fault = None
    bench.pass_by(PROBE)
    assert await bench.surface.deliver() == 3
    await bench.surface.post(THREAD, document("again"), mark("t9"))
    assert len(bench.platform.words) == 4


async def test_a_platform_that_is_away_holds_up_no_other(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    elsewhere = "lark:A:oc_1:om_1"
    for number, place in enumerate((THREAD, elsewhere, OTHER)):
        await bench.surface.post(place, document(place), mark(f"t{number}"))
    bench.platform.fault, bench.platform.faults = None, [AWAY]
    assert await bench.surface.deliver() == 1
    assert bench.platform.words == [(elsewhere, elsewhere)]
    bench.pass_by(15)
    assert await bench.surface.deliver() == 2


async def test_what_is_done_for_a_thread_that_is_gone_ends(bench: Bench) -> None:
    bench.platform.fault = PlaceGone("Slack refused: thread_not_found")
    with pytest.raises(PlaceGone):
        await bench.surface.post(THREAD, document("hello"), mark("t1"))
    with pytest.raises(PlaceGone):
        await bench.surface.post(CHANNEL, document("report"), mark("t2"))
    assert bench.gone == [THREAD]
    assert await bench.waiting() == 0


@pytest.mark.parametrize("fault", [PlaceGone("gone"), SurfaceError("no_text")])
async def test_what_the_platform_refuses_for_good_is_not_offered_again(bench: Bench, fault: SurfaceError) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    await bench.surface.post(THREAD, document("first"), mark("t1"))
    await bench.surface.post(OTHER, document("second"), mark("t2"))
    bench.platform.fault, bench.platform.faults = None, [fault]
    assert await bench.surface.deliver() == 1
    assert bench.platform.words == [(OTHER, "second")]
    assert await bench.waiting() == 0


async def test_a_post_that_nobody_could_recognise_is_neither_tried_again_nor_kept(bench: Bench) -> None:
    bench.platform.fault = AWAY
    with pytest.raises(SurfaceAway):
        await bench.surface.post(THREAD, document("hello"))
    assert (bench.slept, await bench.waiting()) == ([], 0)


async def test_the_end_of_an_answer_is_tried_again_and_kept_like_a_post(bench: Bench) -> None:
    bench.platform.faults = [AWAY]
    async with bench.surface.writing(THREAD, mark("t1"), "U1") as writing:
        assert (await writing.finish(document("answer"))).thread == THREAD
    assert bench.slept == [1]
    bench.platform.fault = SurfaceAway("429", 3600.0)
    async with bench.surface.writing(THREAD, mark("t2"), "U1") as writing:
        assert (await writing.finish(document("kept"))).thread == THREAD
    bench.platform.fault = None
    await bench.surface.deliver()
    assert bench.platform.words == [(THREAD, "answer"), (THREAD, "kept")]


async def test_a_turn_that_is_cut_off_while_it_waits_keeps_nothing(bench: Bench) -> None:
    bench.platform.fault = AWAY
    task = asyncio.create_task(bench.surface.post(THREAD, document("hello"), mark("t1")))
    while not bench.slept:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await bench.waiting() == 0


async def test_the_watch_delivers_as_soon_as_the_platform_is_back(bench: Bench) -> None:
    bench.platform.fault = SurfaceAway("429", 3600.0)
    await bench.surface.post(THREAD, document("hello"), mark("t1"))
    bench.platform.fault, bench.platform.faults = None, [AWAY, AWAY]
    watching = asyncio.create_task(bench.surface.watch())
    await until(lambda: bench.platform.words != [])
    watching.cancel()
    await asyncio.wait({watching})
    assert bench.slept[:2] == [15, 15]
    assert bench.platform.words == [(THREAD, "hello")]


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(0, 2)),
        st.tuples(st.just("away"), st.sampled_from([1, 2, 40])),
        st.tuples(st.just("lost"), st.just(1)),
        st.tuples(st.just("back"), st.just(0)),
        st.tuples(st.just("deliver"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("pass"), st.sampled_from([15, 400])),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(ACTIONS)
def test_whatever_happens_to_the_platform_each_post_stands_once_and_in_order(actions: list[tuple[str, int]]) -> None:
    asyncio.run(_played(actions))


async def _played(actions: list[tuple[str, int]]) -> None:
    clock = Clock()
    async with open_store("sqlite+aiosqlite:///:memory:", clock) as store:
        bench, wanted = Bench(store, clock), list[tuple[str, str]]()
        for number, (action, amount) in enumerate(actions):
            match action:
                case "post":
                    wanted.append((f"slack:T:C:{amount}.1", f"{number}"))
                    await bench.surface.post(wanted[-1][0], document(f"{number}"), mark(f"t{number}"))
                case "away":
                    bench.platform.faults += [AWAY] * amount
                case "lost":
                    bench.platform.lost += amount
                case "back":
                    bench.platform.faults.clear()
                case "deliver":
                    await bench.surface.deliver()
                case "restart":
                    bench.surface = bench.another()
                case _:
                    bench.pass_by(amount)
        bench.platform.faults.clear()
        while await bench.waiting():
            bench.pass_by(60)
            await bench.surface.deliver()
        assert sorted(bench.platform.words) == sorted(wanted)
        for place in {place for place, _ in wanted}:
            assert [post for post in bench.platform.words if post[0] == place] == [
                post for post in wanted if post[0] == place
            ]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)
