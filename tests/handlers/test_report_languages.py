"""One report in channels of two languages: each reads it in its own, when it is posted and when it is redrawn."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from handlers import buttons
from handlers.locale import ENGLISH, Locale
from handlers.report import report_document
from handlers.reporting import deliver
from tests.handlers.conftest import Desk, words
from tests.handlers.reports import flagged, patrolled
from tests.handlers.test_decisions import VALUE
from tests.handlers.test_patrol import typed

CHINESE = Locale("zh", ZoneInfo("Asia/Shanghai"))
REPORT = patrolled(
    "R-1",
    flagged(1),
    fleet_narrative="One cluster needs attention.",
    words={"zh": {"One cluster needs attention.": "一个集群需要关注。", "grow the disk": "扩容磁盘"}},
)


@pytest.fixture
def bilingual(desk: Desk) -> Desk:
    """The channel x:Z reads Chinese, all others English."""

    async def locale(place: str, user: str) -> Locale:
        return CHINESE if place.startswith("x:Z") else ENGLISH

    desk.deps = replace(desk.deps, locale=locale)
    desk.patrols.report = REPORT
    return desk


async def test_each_channel_gets_the_same_report_in_its_own_language(bilingual: Desk) -> None:
    for channel in ("x:C", "x:Z"):
        await deliver("report", channel, "U1", REPORT, bilingual.deps)
    english, chinese = (words(document) for _, document in bilingual.surface.posts)
    assert "One cluster needs attention." in english
    assert "grow the disk" in english
    assert "一个集群需要关注。" in chinese
    assert "扩容磁盘" in chinese
    assert "One cluster" not in chinese


async def test_the_plain_form_of_a_report_is_in_that_language_too(bilingual: Desk) -> None:
    await deliver("report", "x:Z", "U1", REPORT, bilingual.deps)
    assert "一个集群需要关注。" in bilingual.surface.posts[0][1].fallback


async def test_a_decision_redraws_each_message_in_its_language(bilingual: Desk) -> None:
    for channel in ("x:C", "x:Z"):
        await deliver("report", channel, "U1", REPORT, bilingual.deps)
    await bilingual.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:1")
    drawn = {message.rpartition(":")[0]: words(document) for message, document in bilingual.surface.updates}
    assert "一个集群需要关注。" in drawn["x:Z"]
    assert "One cluster needs attention." in drawn["x:C"]


async def test_the_last_report_again_is_told_in_the_language_of_who_asks(bilingual: Desk) -> None:
    await deliver("report", "x:C", "U1", REPORT, bilingual.deps)
    assert "一个集群需要关注。" in words(await typed(bilingual, "last", channel="x:Z"))


async def test_a_model_is_told_the_language_of_the_channel_that_asks_first(bilingual: Desk) -> None:
    await typed(bilingual, "weekly", channel="x:Z")
    await typed(bilingual, "weekly", channel="x:C")
    assert bilingual.patrols.languages == ["zh", "en"]


async def test_a_thread_under_a_report_rests_on_the_report_as_it_was_made(bilingual: Desk) -> None:
    await deliver("report", "x:Z", "U1", REPORT, bilingual.deps)
    body = await bilingual.store.find("R-1")
    assert body is not None
    assert body["fleet_narrative"] == "One cluster needs attention."


def test_a_report_without_a_memory_is_told_in_the_language_of_the_terminal() -> None:
    assert "一个集群需要关注。" in words(report_document(REPORT, CHINESE))
    assert "One cluster needs attention." in words(report_document(REPORT))
