"""Our page for one person."""

from dataclasses import replace

from handlers import buttons
from handlers.document import Document, Heading
from handlers.locale import Locale
from tests.handlers.conftest import Desk, words
from tests.handlers.reports import ID, flagged
from tests.handlers.test_decisions import posted


async def page(desk: Desk, user: str = "U1") -> Document:
    await desk.press(buttons.HOME, "", user)
    drawn_for, document = desk.surface.homes[-1]
    assert drawn_for == user
    return document


async def test_the_page_shows_the_fleet_what_is_open_and_what_comes_next(desk: Desk) -> None:
    await posted(desk, flagged(1), flagged(2))
    await desk.press(buttons.ACKNOWLEDGE, buttons.flag("R-1", ID.format(2)))
    shown = words(await page(desk))
    assert "**2 warning of 170 clusters**" in shown
    assert "Last: Morning patrol, 2026-11-20 08:00 UTC (2 new)" in shown
    assert "Open findings\n- 🟠 **prod\\-1**: disk used 85%" in shown
    assert "prod\\-2" not in shown
    assert "Next patrol: Evening patrol, 2026-11-20 18:00 UTC" in shown


async def test_everybody_sees_their_own_assignments(desk: Desk) -> None:
    await posted(desk, flagged(1), flagged(2))
    await desk.press(buttons.ASSIGNED, buttons.flag("R-1", ID.format(2)), who="me")
    assert "Assigned to me\n- 🟠 **prod\\-2**" in words(await page(desk, "U1"))
    assert "Nothing is assigned to you." in words(await page(desk, "U2"))


async def test_before_the_first_report_the_page_says_so(desk: Desk) -> None:
    shown = words(await page(desk))
    assert "There is no report yet" in shown
    assert "Nothing is open." in shown


async def test_what_we_may_do_how_data_is_used_and_that_we_can_be_wrong_always_stands_there(desk: Desk) -> None:
    desk.patrols.partial = {"x:C:1"}
    partial = await page(desk)
    desk.deps = replace(desk.deps, desk=None)
    for document in (partial, await page(desk)):
        shown = words(document)
        assert "I can only read: I change nothing on any cluster." in shown
        assert "How I use data" in shown
        assert "I can be wrong." in shown


async def test_who_sees_a_part_of_the_fleet_sees_no_findings_of_the_rest(desk: Desk) -> None:
    await posted(desk)
    desk.patrols.partial = {"x:C:1"}
    shown = words(await page(desk))
    assert "prod" not in shown
    assert "you see only a part of the fleet" in shown


async def test_the_page_speaks_the_language_of_whoever_opens_it(desk: Desk) -> None:
    async def locale(place: str, user: str) -> Locale:
        return Locale("zh")

    await posted(desk)
    desk.deps = replace(desk.deps, locale=locale)
    document = await page(desk)
    assert Heading("指派给我的") in document.parts
    assert "没有指派给您的问题。" in words(document)
