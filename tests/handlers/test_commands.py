"""Words that are no question."""

from dataclasses import replace

import pytest

from handlers import handle
from handlers.commands import command_of, is_stop
from handlers.document import Note, Prose
from handlers.locale import Locale
from handlers.preferences import CONTEXT, FOLLOW, LANGUAGE, MUTED, TOLD, ZONE
from handlers.surface import Question
from handlers.words import Language, say
from tests.handlers.conftest import Bench

THREAD, CHANNEL = "slack:T:C:1.1", "slack:T:C"


def said(text: str, order: str = "2.2") -> Question:
    return Question(f"slack:T:C:{order}", THREAD, "anna", text, order)


def answer(bench: Bench) -> str:
    _, document = bench.surface.posts[-1]
    return "\n".join(
        p.text if isinstance(p, Note) else p.markdown for p in document.parts if isinstance(p, Note | Prose)
    )


@pytest.mark.parametrize("text", ["stop", "Stop!", " STOP. ", "cancel", "停止", "取消。"])
def test_one_word_stops(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize("text", ["stop the cluster", "please stop", "", "stopp"])
def test_a_sentence_does_not_stop(text: str) -> None:
    assert not is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "help me with prod-0",
        "reset all clusters",
        "mute the alert",
        "context?",
        "language",
        "follow-ups maybe",
        "time zone",
        "time zone of the fleet",
        "how is the fleet?",
        "",
        "help " + "x" * 100,
    ],
)
def test_a_question_that_begins_like_a_command_is_a_question(text: str) -> None:
    assert command_of(text) is None


@pytest.mark.parametrize(
    "text", ["help", "Help!", "帮助", "reset", "mute", "unmute", "follow-ups off", "time zone utc"]
)
def test_a_command_is_known_however_it_is_typed(text: str) -> None:
    assert command_of(text) is not None


async def test_help_tells_what_can_be_said_and_asks_no_model(bench: Bench) -> None:
    await handle(said("help"), bench.deps)
    for words in ("stop", "reset", "unmute", "follow-ups off", "context off", "language chinese", "time zone"):
        assert f"`{words}" in answer(bench)
    assert "can be wrong" in answer(bench)
    assert bench.agents.threads == {}


async def test_reset_forgets_the_thread_and_what_was_said_in_it(bench: Bench) -> None:
    await handle(said("how is prod-0?"), bench.deps)
    await handle(said("reset", "3.3"), bench.deps)
    assert bench.agents.threads == {}
    assert (await bench.deps.preferences.of(THREAD))[TOLD] == "3.3"
    assert "forgotten" in answer(bench)


async def test_a_muted_thread_is_remembered_until_it_is_unmuted(bench: Bench) -> None:
    await handle(said("mute"), bench.deps)
    assert (await bench.deps.preferences.of(THREAD))[MUTED] == "on"
    assert (await bench.deps.preferences.of("slack:T:C:9.9")).get(MUTED) is None
    await handle(said("unmute"), bench.deps)
    assert MUTED not in await bench.deps.preferences.of(THREAD)


@pytest.mark.parametrize(
    ("name", "off", "on"), [(FOLLOW, "follow-ups off", "follow-ups on"), (CONTEXT, "上下文 关", "context on")]
)
async def test_a_switch_holds_for_the_whole_channel(bench: Bench, name: str, off: str, on: str) -> None:
    await handle(said(off), bench.deps)
    assert (await bench.deps.preferences.of(CHANNEL))[name] == "off"
    await handle(said(on), bench.deps)
    assert name not in await bench.deps.preferences.of(CHANNEL)


DONE = [
    ("help", "帮助", "help", {}),
    ("reset", "重置", "reset.done", {}),
    ("mute", "静音", "mute.done", {}),
    ("unmute", "取消静音", "unmute.done", {}),
    ("follow-ups off", "跟进 关", "follow.off", {}),
    ("follow-ups on", "跟进 开", "follow.on", {}),
    ("context off", "上下文 关", "context.off", {}),
    ("context on", "上下文 开", "context.on", {}),
    ("language auto", "语言 自动", "language.done", {}),
]


@pytest.mark.parametrize(("english", "chinese", "key", "values"), DONE)
@pytest.mark.parametrize("reads", ["en", "zh"])
async def test_a_command_in_either_language_is_answered_in_that_of_the_reader(
    bench: Bench, english: str, chinese: str, key: str, values: dict[str, str], reads: Language
) -> None:
    async def locale(place: str, user: str) -> Locale:
        return Locale(reads)

    deps = replace(bench.deps, locale=locale)
    for text in (english, chinese, f"  {english.upper()}. "):
        await handle(said(text), deps)
        assert answer(bench) == say(reads, key, **values)
    assert bench.agents.threads == {}


async def test_the_language_of_a_channel_can_be_set_and_left_to_people_again(bench: Bench) -> None:
    async def locale(place: str, user: str) -> Locale:
        told = (await bench.deps.preferences.of(CHANNEL)).get(LANGUAGE, "en")
        return Locale("zh" if told == "zh" else "en")

    deps = replace(bench.deps, locale=locale)
    await handle(said("language chinese"), deps)
    assert "中文" in answer(bench)
    await handle(said("语言 自动"), deps)
    assert LANGUAGE not in await bench.deps.preferences.of(CHANNEL)


async def test_a_time_zone_is_taken_in_any_spelling(bench: Bench) -> None:
    await handle(said("time zone asia/shanghai"), bench.deps)
    assert (await bench.deps.preferences.of(CHANNEL))[ZONE] == "Asia/Shanghai"
    await handle(said("时区 auto"), bench.deps)
    assert ZONE not in await bench.deps.preferences.of(CHANNEL)


@pytest.mark.parametrize("name", ["mars/olympus", "../etc/passwd", "*x*"])
async def test_a_time_zone_that_is_none_is_told(bench: Bench, name: str) -> None:
    await handle(said(f"time zone {name}"), bench.deps)
    assert "is no time zone" in answer(bench)
    assert ZONE not in await bench.deps.preferences.of(CHANNEL)
