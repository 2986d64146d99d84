"""Deciding under a report: everybody sees it at once, it is noted who did it, and strangers decide nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import buttons, handle
from handlers.buttons import short_id
from handlers.document import Document, Field
from handlers.findings import Page, key_of
from handlers.locale import Locale
from handlers.surface import Mark, PatrolRequest, Posted, SurfaceError
from tests.handlers.conftest import Desk, offered, words
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled

KEY = key_of(ID.format(1), "disk_used_pct")
VALUE = buttons.flag("R-1", ID.format(1))


async def posted(desk: Desk, *clusters, report_id: str = "R-1", channel: str = "x:C", **more) -> None:
    desk.patrols.report = patrolled(report_id, *(clusters or (flagged(1),)), **more)
    await handle(PatrolRequest(f"k-{report_id}-{channel}", channel, "U1", "morning"), desk.deps)


async def stands(desk: Desk, key: str = KEY):
    return (await desk.store.findings.now([key]))[key]


DECISIONS = [
    (buttons.ACKNOWLEDGE, VALUE, {}, "acknowledged", "acknowledged by Anna, 2026-11-20 08:05 UTC"),
    (buttons.SNOOZE, buttons.snooze("1h", VALUE), {}, "snoozed", "snoozed until 2026-11-20 09:05 UTC by Anna"),
    (buttons.SNOOZE, buttons.snooze("3d", VALUE), {}, "snoozed", "snoozed until 2026-11-23 08:05 UTC by Anna"),
    (buttons.KNOWN_NOTED, VALUE, {"note": "JIRA 7"}, "known", "known issue (Anna, 2026-11-20 08:05 UTC): JIRA 7"),
]


@pytest.mark.parametrize(("action", "value", "entered", "mode", "told"), DECISIONS)
async def test_a_decision_is_kept_and_redraws_the_message_in_place(
    desk: Desk, action: str, value: str, entered: dict[str, str], mode: str, told: str
) -> None:
    await posted(desk)
    desk.clock.forward(minutes=5)
    await desk.press(action, value, message="x:C:2", **entered)
    assert (await stands(desk)).handling.mode == mode
    ((message, document),) = desk.surface.updates
    assert message == "x:C:2"
    assert told in words(document)
    assert buttons.REOPEN in offered(document)
    assert desk.whispered() == []


async def test_reopening_takes_the_decision_back(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    await desk.press(buttons.REOPEN, VALUE, "U2", message="x:C:2")
    _, document = desk.surface.updates[-1]
    assert "acknowledged" not in words(document)
    assert buttons.ACKNOWLEDGE in offered(document)


async def test_a_decision_is_about_all_findings_of_the_cluster(desk: Desk) -> None:
    await posted(desk, flagged(1, finding(), finding(97.0, "Critical", "cpu_util_pct")), flagged(2))
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    found = {one.key: one.handling.mode for one in await desk.store.findings.open()}
    assert sorted(found.values()) == ["acknowledged", "acknowledged", "open"]


async def test_the_same_report_in_two_channels_is_redrawn_in_both_each_in_its_language(desk: Desk) -> None:
    async def locale(place: str, user: str) -> Locale:
        return Locale("zh") if place.startswith("x:Z") else Locale()

    desk.deps = replace(desk.deps, locale=locale)
    await posted(desk)
    await posted(desk, channel="x:Z")
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    assert {message: "已确认" in words(document) for message, document in desk.surface.updates} == {
        "x:C:2": False,
        "x:Z:4": True,
    }


async def test_a_press_on_an_old_report_shows_in_the_newest_one_too(desk: Desk) -> None:
    await posted(desk)
    desk.clock.forward(hours=12)
    await posted(desk, report_id="R-2")
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    assert {message for message, _ in desk.surface.updates} == {"x:C:2", "x:C:4"}
    assert all("acknowledged by Anna" in words(document) for _, document in desk.surface.updates)


async def test_only_the_page_that_shows_the_cluster_is_redrawn(desk: Desk) -> None:
    await posted(desk, *(flagged(n) for n in range(20)))
    places = [place for place, _ in desk.surface.posts]
    assert places == ["x:C", "x:C", "x:C:2", "x:C:2", "x:C:2"][: len(places)]
    await desk.press(buttons.ACKNOWLEDGE, buttons.flag("R-1", ID.format(19)), message="x:C:4")
    ((message, document),) = desk.surface.updates
    assert "prod\\-19**" in words(document)
    assert message != "x:C:2"


async def test_a_message_keeps_its_clusters_even_if_this_version_would_lay_it_out_otherwise(desk: Desk) -> None:
    await posted(desk, *(flagged(n) for n in range(20)))
    pages = await desk.store.findings.pages("R-1")
    assert [page.number for page in pages] == list(range(len(pages)))
    assert {one for page in pages for ids in page.plan for one in ids} == {short_id(ID.format(n)) for n in range(20)}
    earlier = Page("x:C:99", "R-1", 0, "en", "UTC", ((short_id(ID.format(7)), short_id(ID.format(19))), ()))
    await desk.store.findings.remember([earlier])
    await desk.press(buttons.ACKNOWLEDGE, buttons.flag("R-1", ID.format(19)), message="x:C:99")
    drawn = dict(desk.surface.updates)
    assert [f"prod\\-{n}**" in words(drawn["x:C:99"]) for n in (7, 19, 0)] == [True, True, False]
    assert desk.whispered() == []


async def test_a_post_without_a_message_is_no_page_and_breaks_no_report(desk: Desk) -> None:
    async def nameless(place: str, document: Document, mark: Mark | None = None) -> Posted:
        return Posted("x:C:7", ())

    desk.surface.post = nameless  # type: ignore[method-assign]
    await posted(desk)
    assert await desk.store.findings.pages("R-1") == []
    assert await desk.store.knows("x:C:7")


async def test_two_at_once_end_up_on_the_message_whatever_the_order(desk: Desk) -> None:
    await posted(desk)
    await asyncio.gather(
        desk.press(buttons.KNOWN_NOTED, VALUE, note="JIRA 7", message="x:C:2"),
        desk.press(buttons.ASSIGNED, VALUE, "U2", who="me", message="x:C:2"),
    )
    _, last = desk.surface.updates[-1]
    assert "JIRA 7" in words(last)
    assert "assigned to Bob" in words(last)


class Overtaken:
    """A surface on which another replica decides while the first drawing is on its way."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._update, self.raced = desk, desk.surface.update, False

    async def __call__(self, message: str, document: Document, mark: Mark | None = None) -> None:
        if not self.raced:
            self.raced = True
            await self._desk.store.findings.assign([KEY], "U2", "Bob", "U2", "Bob")
        await self._update(message, document, mark)


async def test_what_another_replica_decided_meanwhile_is_drawn_after_all(desk: Desk) -> None:
    await posted(desk)
    desk.surface.update = Overtaken(desk)  # type: ignore[method-assign]
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    assert ["assigned to Bob" in words(document) for _, document in desk.surface.updates] == [False, True]
    assert "acknowledged by Anna" in words(desk.surface.updates[-1][1])


async def test_a_message_that_cannot_be_redrawn_costs_nothing_but_the_drawing(desk: Desk) -> None:
    async def refuse(message: str, document: Document, mark: Mark | None = None) -> None:
        raise SurfaceError("the message is gone")

    await posted(desk)
    desk.surface.update = refuse  # type: ignore[method-assign]
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    assert (await stands(desk)).handling.mode == "acknowledged"


async def test_assigning_offers_oneself_those_who_decided_lately_and_nobody(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE, "U2", message="x:C:2")
    await desk.press(buttons.ASSIGN, VALUE, "U1", message="x:C:2")
    ((_, title, document, form),) = desk.surface.dialogs
    assert (title, form and form.action, form and form.value) == ("Assign", buttons.ASSIGNED, VALUE)
    assert "prod\\-1" in words(document)
    assert form is not None
    who, person, name = form.fields
    assert person == Field("person", "Or anybody else", "person", (("Bob", "U2"),), optional=True)
    assert who.options == (("Me", "me"), ("Bob", "user:U2"), ("Nobody", "nobody"))
    assert name == Field("name", "Or somebody else's name", optional=True)


ASSIGNED = [
    ({"who": "me"}, "U1", "Anna"),
    ({"who": "user:U2"}, "U2", "Bob"),
    ({"who": "me", "person": "U2"}, "U2", "Bob"),
    ({"who": "me", "person": "U77"}, "U77", "U77"),
    ({"who": "me", "name": " Cleo of the\nnight shift "}, "", "Cleo of the night shift"),
]


@pytest.mark.parametrize(("entered", "user", "name"), ASSIGNED)
async def test_whoever_is_chosen_or_named_has_it(desk: Desk, entered: dict[str, str], user: str, name: str) -> None:
    await posted(desk)
    await desk.press(buttons.REOPEN, VALUE, "U2", message="x:C:2")
    await desk.press(buttons.ASSIGNED, VALUE, message="x:C:2", **entered)
    found = await stands(desk)
    assert (found.assignee, found.assignee_name) == (user, name)
    assert f"assigned to {name}" in words(desk.surface.updates[-1][1])
    await desk.press(buttons.ASSIGNED, VALUE, message="x:C:2", who="nobody")
    assert (await stands(desk)).assignee_name == ""


async def test_somebody_who_was_not_offered_is_not_assigned(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ASSIGNED, VALUE, who="user:U999")
    assert (await stands(desk)).assignee_name == ""
    assert desk.surface.updates == []


async def test_whoever_gets_it_is_told_once_and_the_one_who_takes_it_is_not(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ASSIGNED, VALUE, message="x:C:2", who="me", person="U2")
    assert [(place, user) for place, user, _ in desk.surface.whispers] == [("x:C:2", "U2")]
    assert desk.whispered() == ["Anna assigned prod-1 to you."]
    for entered in ({"who": "me"}, {"who": "nobody"}, {"who": "me", "name": "Cleo"}, {"who": "me", "person": "U1"}):
        await desk.press(buttons.ASSIGNED, VALUE, message="x:C:2", **entered)
    assert len(desk.surface.whispers) == 1


async def test_an_assignment_holds_though_nobody_can_be_told(desk: Desk) -> None:
    async def refuse(place: str, user: str, document: Document) -> None:
        raise SurfaceError("user_not_in_channel")

    await posted(desk)
    desk.surface.whisper = refuse  # type: ignore[method-assign]
    await desk.press(buttons.ASSIGNED, VALUE, message="x:C:2", who="me", person="U2")
    assert (await stands(desk)).assignee == "U2"
    assert "assigned to Bob" in words(desk.surface.updates[-1][1])


@pytest.mark.parametrize("picked", ["<!channel>", "U2|x", "U" * 65, "U 2"])
async def test_what_is_no_id_of_a_person_is_not_assigned(desk: Desk, picked: str) -> None:
    await posted(desk)
    await desk.press(buttons.ASSIGNED, VALUE, who="me", person=picked)
    assert (await stands(desk)).assignee_name == ""
    assert desk.surface.updates == []


async def test_a_known_issue_is_asked_for_with_what_was_noted_before(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.KNOWN_NOTED, VALUE, note="JIRA 7")
    await desk.press(buttons.KNOWN, VALUE)
    ((_, _, _, form),) = desk.surface.dialogs
    assert form is not None
    assert (form.fields[0].kind, form.fields[0].initial, form.action) == ("multiline", "JIRA 7", buttons.KNOWN_NOTED)


async def test_a_press_elsewhere_is_confirmed_to_whoever_pressed(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:9")
    assert desk.whispered() == ["Noted for prod-1."]


async def test_what_has_recovered_takes_no_decision_and_says_so(desk: Desk) -> None:
    await posted(desk)
    await posted(desk, flagged(2), report_id="R-2")
    await desk.press(buttons.ACKNOWLEDGE, VALUE, message="x:C:2")
    assert "has recovered in the meantime" in desk.whispered()[0]
    assert "recovered 2026-11-20 08:00 UTC" in words(desk.surface.updates[0][1])


async def test_who_may_not_see_the_fleet_decides_nothing(desk: Desk) -> None:
    await posted(desk)
    desk.patrols.partial = {"x:C:2"}
    for action in (buttons.ACKNOWLEDGE, buttons.ASSIGN, buttons.ASSIGNED, buttons.KNOWN):
        await desk.press(action, VALUE, message="x:C:2")
    assert (await stands(desk)).handling.mode == "open"
    assert desk.surface.dialogs == []
    assert all("sees only a part" in told for told in desk.whispered())


async def test_a_report_that_is_forgotten_says_so(desk: Desk) -> None:
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    assert "no longer kept" in desk.whispered()[0]


FORGED = [
    (buttons.ACKNOWLEDGE, "nonsense"),
    (buttons.ACKNOWLEDGE, buttons.flag("R-1", "no such cluster")),
    (buttons.SNOOZE, VALUE),
    (buttons.SNOOZE, f"99d:{VALUE}"),
]


@pytest.mark.parametrize(("action", "value"), FORGED)
async def test_a_value_of_no_button_of_ours_changes_nothing(desk: Desk, action: str, value: str) -> None:
    await posted(desk)
    await desk.press(action, value)
    assert (await stands(desk)).handling.mode == "open"
    assert (desk.surface.updates, desk.whispered()) == ([], [])


async def test_a_snooze_ends_by_itself(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.SNOOZE, buttons.snooze("1h", VALUE))
    assert (await stands(desk)).handling.quiet(MOMENT + timedelta(minutes=59))
    desk.clock.forward(hours=12)
    await posted(desk, report_id="R-2")
    assert "Back, its snooze is over: **prod\\-1**" in words(desk.surface.posts[-1][1])
