"""What a model is shown of a thread: whole turns, stable cuts, thinking only where it still holds."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from agent.messages import Message, user_text
from agent.session import CLEARED, HistoryLimits, MemorySessions, SavedTurn, history_for
from tests.agent.doubles import call, check_valid

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}


def said(*blocks: object) -> Message:
    return {"role": "assistant", "content": list(blocks)}  # type: ignore[arg-type]


def turn(number: int, model: str = "m", rows: str = "rows", rounds: int = 1) -> SavedTurn:
    messages = [user_text(f"question {number}")]
    for index in range(rounds):
        call_id = f"c{number}_{index}"
        messages.append(said(THOUGHT, call(call_id, a=1)))
        content = [{"type": "tool_result", "tool_use_id": call_id, "content": rows}]
        messages.append({"role": "user", "content": content})
    messages.append(said(THOUGHT, {"type": "text", "text": f"answer {number}"}))
    return SavedTurn(model, tuple(messages))


def thoughts(messages: list[Message]) -> int:
    return sum(block["type"] == "thinking" for message in messages for block in message["content"])


def results(messages: list[Message]) -> list[str]:
    return [b["content"] for message in messages for b in message["content"] if b["type"] == "tool_result"]


def test_a_short_thread_is_shown_exactly_as_it_was_sent() -> None:
    turns = [turn(1), turn(2)]
    assert history_for("m", turns) == [message for each in turns for message in each.messages]


def test_another_model_gets_no_thinking_of_the_first() -> None:
    assert thoughts(history_for("other", [turn(1), turn(2)])) == 0


def test_thinking_counts_again_after_the_last_turn_of_another_model() -> None:
    shown = history_for("m", [turn(1), turn(2, model="rules-only"), turn(3)])
    assert thoughts(shown) == 2
    assert thoughts(shown[-4:]) == 2


def test_old_results_are_emptied_in_batches_and_stay_paired() -> None:
    limits = HistoryLimits(full_turns=2, clear_turns=3)
    turns = [turn(number) for number in range(1, 8)]
    cleared = [results(history_for("m", turns[:n], limits)).count(CLEARED) for n in range(1, 8)]
    assert cleared == [0, 0, 0, 0, 3, 3, 3]
    assert thoughts(history_for("m", turns, limits)) == 0


def test_old_turns_are_left_out_in_batches() -> None:
    limits = HistoryLimits(max_turns=6, drop_turns=3, full_turns=100)
    turns = [turn(number) for number in range(1, 12)]
    shown = [len(history_for("m", turns[:n], limits)) // 4 for n in range(1, 12)]
    assert shown == [1, 2, 3, 4, 5, 6, 4, 5, 6, 4, 5]


def test_huge_turns_are_left_out_by_size_but_the_newest_stays() -> None:
    limits = HistoryLimits(max_chars=10_000, full_turns=100)
    turns = [turn(1, rows="x" * 6000), turn(2, rows="x" * 6000), turn(3, rows="x" * 90_000)]
    assert history_for("m", turns, limits)[0] == user_text("question 3")


@given(
    st.lists(st.tuples(st.sampled_from(["m", "n"]), st.integers(0, 900), st.integers(0, 3)), max_size=30),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 6),
    st.integers(1, 6),
)
def test_whatever_is_cut_the_history_stays_valid_and_in_caps(
    shapes: list[tuple[str, int, int]], most: int, drop: int, full: int, clear: int
) -> None:
    limits = HistoryLimits(
        max_turns=most, drop_turns=min(drop, most), full_turns=full, clear_turns=clear, max_chars=5000
    )
    turns = [turn(n, model, "x" * (size + 1), rounds) for n, (model, size, rounds) in enumerate(shapes)]
    # The signature of these thoughts is no real one, so they are left out of the check.
    shown = history_for("none of them", turns, limits)
    check_valid([*shown, user_text("and now?")])
    assert sum(message["content"][0].get("text", "").startswith("question") for message in shown) <= most
    assert not turns or shown[-1] == {**turns[-1].messages[-1], "content": [turns[-1].messages[-1]["content"][-1]]}


@given(st.lists(st.integers(0, 900), min_size=1, max_size=40))
def test_a_cut_stays_where_it_is_until_the_next_one(sizes: list[int]) -> None:
    limits = HistoryLimits(max_turns=10, drop_turns=5, max_chars=6000)
    turns = [turn(n, rows="x" * (size + 1)) for n, size in enumerate(sizes)]
    firsts = [history_for("m", turns[: n + 1], limits)[0]["content"][0]["text"] for n in range(len(turns))]
    numbers = [int(first.split()[1]) for first in firsts]
    assert numbers == sorted(numbers)
    moves = [later - earlier for earlier, later in itertools.pairwise(numbers) if later != earlier]
    assert all(move >= 2 for move in moves)


async def test_the_store_keeps_threads_apart_and_forgets_on_demand() -> None:
    store = MemorySessions()
    await store.append("a", turn(1))
    await store.append("b", turn(2))
    assert (await store.load("a"), await store.load("b")) == ((turn(1),), (turn(2),))
    await store.clear("a")
    assert (await store.load("a"), await store.load("never seen")) == ((), ())


async def test_the_longest_unused_thread_is_forgotten_first() -> None:
    store = MemorySessions(max_threads=2)
    for thread in ("a", "b", "a", "c"):
        await store.append(thread, turn(1))
    assert [len(await store.load(thread)) for thread in "abc"] == [2, 0, 1]


async def test_a_thread_is_held_by_one_at_a_time_in_the_order_of_asking() -> None:
    store, order = MemorySessions(), []

    async def hold(name: str, thread: str) -> None:
        async with store.exclusive(thread):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(hold("first", "a"), hold("second", "a"), hold("other", "b"))
    assert [step for step in order if "other" not in step] == ["first in", "first out", "second in", "second out"]
    assert order.index("other in") < order.index("first out")


async def test_a_thread_that_is_written_to_again_is_not_the_longest_unused() -> None:
    store = MemorySessions(max_threads=2)
    for thread in ("a", "b", "a", "c"):
        await store.append(thread, turn(1))
    assert [len(await store.load(thread)) for thread in "abc"] == [2, 0, 1]


async def test_a_holder_that_fails_lets_the_next_one_in() -> None:
    store = MemorySessions()
    order: list[str] = []

    async def failing() -> None:
        async with store.exclusive("t"):
            order.append("first")
            raise ConnectionError("gone")

    async def next_one() -> None:
        async with store.exclusive("t"):
            order.append("second")

    results = await asyncio.gather(failing(), next_one(), return_exceptions=True)
    assert isinstance(results[0], ConnectionError)
    assert order == ["first", "second"]


async def test_who_gives_up_waiting_for_a_thread_does_not_block_it() -> None:
    store = MemorySessions()
    async with store.exclusive("t"):
        waiting = asyncio.create_task(store.exclusive("t").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with asyncio.timeout(40), store.exclusive("t"):
        assert await store.load("t") == ()


async def test_what_was_loaded_does_not_change_when_the_thread_goes_on() -> None:
    store = MemorySessions()
    await store.append("t", turn(1))
    before = await store.load("t")
    await store.append("t", turn(2))
    assert (len(before), len(await store.load("t"))) == (1, 2)


def test_thinking_stays_out_for_as_long_as_an_earlier_turn_is_another_models() -> None:
    turns = [turn(1), turn(2), turn(3, model="other")]
    assert thoughts(history_for("m", turns)) == 0
    assert thoughts(history_for("other", turns)) == 2
    assert thoughts(history_for("m", [*turns, turn(4)])) == 2


def test_a_message_of_thinking_alone_keeps_a_place_in_the_history() -> None:
    silent = SavedTurn("m", (user_text("q"), said(THOUGHT)))
    shown = history_for("other", [silent])
    assert shown[1]["content"] == [{"type": "text", "text": "(no visible text)"}]
    check_valid([*shown, user_text("and now?")])
