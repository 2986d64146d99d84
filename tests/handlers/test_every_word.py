"""Every word behind `/patrol`, in both languages, in every state that a channel can be in, whatever names there are."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.patrol.errors import WarehouseUnreadable
from handlers import buttons, handle
from handlers.document import Document
from handlers.patrol import COMMANDS, help_document
from handlers.surface import PatrolRequest
from handlers.words import say
from tests.handlers.conftest import Bench, Desk, words
from tests.handlers.readers import alive, foreign, speaking
from tests.handlers.reports import ID, finding, flagged, patrolled
from tests.handlers.test_decisions import VALUE, posted
from tests.handlers.test_report_hostile import TEXT

HOSTILE = "<!channel> <at id=all></at> [x](https://evil.example) | `y` {who}"
SAME = [
    ("现在", "now"),
    ("早间", "morning"),
    ("晚间", "evening"),
    ("每周", "weekly"),
    ("上次", "last"),
    ("状态", "status"),
    ("集群", "cluster"),
    ("未解决", "open"),
    ("时间", "schedule"),
    ("交接", "handover"),
    ("静音", "mute"),
    ("取消静音", "unmute"),
    ("帮助", "help"),
    ("on-demand", "now"),
    ("On_Demand", "NOW"),
]
NAMES = ("prod-1", "prod-2", "grow the disk")


async def fresh(desk: Desk) -> None:
    """Nothing happened yet."""


async def reported(desk: Desk) -> None:
    """A report with a critical, a warning and an unknown cluster."""
    critical = flagged(2, finding(97.0, "Critical"), finding(9.0, "Warning", "query_error_pct"))
    await posted(desk, flagged(1), critical, flagged(3, finding(13.0, "Unknown", "freshness", unit="h")))


async def handled(desk: Desk) -> None:
    """A report, and a decision of every kind about it."""
    await reported(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    await desk.press(buttons.ASSIGNED, VALUE, who="me")
    two = buttons.flag("R-1", ID.format(2))
    await desk.press(buttons.KNOWN_NOTED, two, note="JIRA-7")
    await desk.press(buttons.SNOOZE, buttons.snooze("3d", buttons.flag("R-1", ID.format(3))))


async def recovered(desk: Desk) -> None:
    """What was flagged once is well again."""
    await handled(desk)
    desk.clock.forward(hours=12)
    desk.patrols.report = patrolled("R-2")
    await handle(PatrolRequest("k-R-2", "x:C", "U1", "evening"), desk.deps)


async def scheduled(desk: Desk) -> None:
    """Reports by the clock, but silent for now."""
    for text in ("schedule morning 7:30 evening 19:00 weekly fri 09:00 Asia/Shanghai", "mute 8h"):
        await typed(desk, text)


async def blind(desk: Desk) -> None:
    """The last patrol saw nothing."""
    await reported(desk)
    desk.patrols.fault = WarehouseUnreadable("2003: cannot connect")
    await typed(desk, "evening")


async def partly(desk: Desk) -> None:
    """The channel sees a part of the fleet."""
    await reported(desk)
    desk.patrols.partial = {"x:C"}


async def named(desk: Desk) -> None:
    """Whoever named the clusters means harm."""
    clusters = (flagged(n, finding(reason=HOSTILE), cluster_name=HOSTILE, customer=HOSTILE) for n in range(3))
    await posted(desk, *clusters, fleet_narrative=HOSTILE)


STATES: list[Callable[[Desk], Awaitable[None]]] = [fresh, reported, handled, recovered, scheduled, blind, partly]


async def typed(desk: Bench, text: str, user: str = "U1") -> list[Document]:
    """All that is posted on a command."""
    before = len(desk.surface.posts)
    await handle(PatrolRequest(f"k-{before}", "x:C", user, text), desk.deps)
    assert {place.rpartition(":")[0] or place for place, _ in desk.surface.posts[before:]} <= {"x", "x:C"}
    return [document for _, document in desk.surface.posts[before:]]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_word_is_answered_in_the_language_of_the_channel(
    desk: Desk, state: Callable[[Desk], Awaitable[None]], language: str
) -> None:
    speaking(desk, language)
    await state(desk)
    for word in COMMANDS:
        text = "cluster prod-1" if word == "cluster" else word
        documents = await typed(desk, text)
        assert documents, word
        for document in documents:
            # what the agent says follows the question, and is tested where it is written
            if not any("You said" in line or "How is the cluster" in line for line in words(document).splitlines()):
                assert foreign(document, language, known=NAMES) == [], word
            assert alive(document) == [], word


@pytest.mark.parametrize(("chinese", "english"), SAME)
async def test_a_chinese_word_does_what_the_english_one_does(desk: Desk, chinese: str, english: str) -> None:
    await scheduled(desk)
    await reported(desk)
    runs = len(desk.patrols.runs)
    shown = [document.parts for document in await typed(desk, english)]
    ran = desk.patrols.runs[runs:]
    assert [document.parts for document in await typed(desk, chinese)] == shown
    assert desk.patrols.runs[runs + len(ran) :] == ran


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("word", list(COMMANDS))
async def test_hostile_names_stay_text_behind_every_word(desk: Desk, word: str, language: str) -> None:
    speaking(desk, language)
    await named(desk)
    text = f"cluster {ID.format(1)}" if word == "cluster" else word
    for document in await typed(desk, text):
        assert alive(document) == []


@pytest.mark.parametrize("word", ["cluster", "schedule", "handover", "mute"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_hostile_words_behind_a_command_stay_text(desk: Desk, word: str, language: str) -> None:
    speaking(desk, language)
    await reported(desk)
    for text in (HOSTILE, "x" * 3_000, "\u202e\x00\x1b[31m", "-1", "99999999999999999d", "0h", "٣d"):
        for document in await typed(desk, f"{word} {text}"):
            assert alive(document) == []
            assert len(document.fallback) <= 300
    assert [one.mode for one in [found.handling for found in await desk.store.findings.open()]] == ["open"] * 4


@given(TEXT, st.sampled_from(["en", "zh"]))
async def test_whatever_else_is_typed_gets_the_help_and_starts_nothing(typed_words: str, language: str) -> None:
    bench = Bench()
    speaking(bench, language)
    if not typed_words.split() or typed_words.split()[0].lower() in COMMANDS:
        return
    (shown,) = await typed(bench, typed_words)
    assert alive(shown) == []
    assert say("zh" if language == "zh" else "en", "patrol.help").strip() in words(shown)
    assert bench.patrols.runs == []


def test_the_help_that_was_asked_for_complains_of_nothing() -> None:
    for language in ("en", "zh"):
        for nothing in ("", "   ", "\n\t"):
            document = help_document(nothing, lambda key, language=language, **values: say(language, key, **values))
            assert len(document.parts) == 1


async def test_words_behind_one_that_takes_none_are_no_command(desk: Desk) -> None:
    for word in ("now", "morning", "last", "status", "open", "unmute", "help"):
        (shown,) = await typed(desk, f"{word} prod-1")
        assert f"“{word} prod\\-1” is nothing" in words(shown)
    assert desk.patrols.runs == []


async def test_a_cluster_is_found_by_the_beginning_of_its_id_and_not_by_less_than_six_characters(desk: Desk) -> None:
    await reported(desk)
    (by_id,) = await typed(desk, f"cluster {ID.format(2)[:8]}")
    (by_name,) = await typed(desk, "cluster PROD-2")
    assert by_id.parts == by_name.parts
    assert len(await typed(desk, f"cluster {ID.format(2)[:5]}")) == 2
    assert "prod-2" not in str(desk.surface.posts[-2][1].parts)


@pytest.mark.parametrize("text", ["cluster", "cluster   ", "集群"])
async def test_a_cluster_that_is_not_named_is_asked_for(desk: Desk, text: str) -> None:
    await reported(desk)
    (shown,) = await typed(desk, text)
    assert words(shown) == say("en", "cluster.which")


@pytest.mark.parametrize(
    ("text", "hours"), [("handover", 12), ("handover 3h", 3), ("handover 2d", 48), ("交接 30h", 30)]
)
async def test_a_handover_reaches_as_far_back_as_is_asked(desk: Desk, text: str, hours: int) -> None:
    await reported(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    done = say("en", "handover.done")
    desk.clock.forward(hours=hours - 0.1)
    assert done in words((await typed(desk, text))[0])
    desk.clock.forward(hours=0.2)
    assert done not in words((await typed(desk, text))[0])
