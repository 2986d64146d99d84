"""`/patrol` and what can be typed behind it, as people see it."""

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from agent.patrol.errors import WarehouseUnreadable
from handlers import buttons, handle
from handlers.document import Document, Heading, Note
from handlers.locale import Locale
from handlers.patrol import COMMANDS
from handlers.surface import PatrolRequest
from handlers.words import WORDS
from tests.handlers.conftest import Bench, Desk, offered, words
from tests.handlers.reports import ID, finding, flagged, patrolled
from tests.handlers.test_decisions import VALUE, posted


async def typed(desk: Bench, text: str, user: str = "U1", channel: str = "x:C") -> Document:
    """The last thing that is posted after a command."""
    await handle(PatrolRequest(f"k-{len(desk.surface.posts)}", channel, user, text), desk.deps)
    return desk.surface.posts[-1][1]


async def test_the_help_names_every_command_in_both_languages() -> None:
    for text in WORDS["patrol.help"].values():
        assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("word", ["help", "帮助"])
async def test_the_help_can_be_asked_for(bench: Bench, word: str) -> None:
    assert "`/patrol handover`" in words(await typed(bench, word))


async def test_the_plain_form_of_the_help_escapes_nothing(bench: Bench) -> None:
    shown = await typed(bench, "what_is *this*?")
    assert shown.fallback == "“what_is *this*?” is nothing that a patrol can be asked for. What can be asked:"
    assert r"what\_is \*this\*" in words(shown)


@pytest.mark.parametrize("word", ["last", "status", "open", "handover", "schedule", "mute", "cluster prod-1"])
async def test_where_nothing_is_remembered_that_is_said(bench: Bench, word: str) -> None:
    assert "Nothing is remembered" in words(await typed(bench, word))


@pytest.mark.parametrize("word", [name for name in COMMANDS if name != "help"])
async def test_who_sees_only_a_part_of_the_fleet_gets_none_of_it(desk: Desk, word: str) -> None:
    desk.patrols.partial = {"x:C"}
    assert "sees only a part" in words(await typed(desk, word))
    assert desk.patrols.runs == []


async def test_a_cluster_may_still_be_asked_about_there_and_the_agent_sees_what_its_reader_may(desk: Desk) -> None:
    await posted(desk)
    desk.patrols.partial = {"x:C"}
    answer = words(await typed(desk, "cluster prod-1"))
    assert "How is the cluster prod-1 doing?" in answer
    assert words(desk.surface.posts[-2][1]) == "Looking at “prod-1” now:"


async def test_a_patrol_that_runs_already_is_joined(bench: Bench) -> None:
    bench.patrols.gate.clear()
    first = asyncio.create_task(typed(bench, "evening", channel="x:C"))
    while not bench.patrols.runs:
        await asyncio.sleep(0)
    second = asyncio.create_task(typed(bench, "evening", channel="x:D"))
    while len(bench.surface.posts) < 2:
        await asyncio.sleep(0)
    bench.patrols.gate.set()
    await asyncio.gather(first, second)
    said = [words(document) for _, document in bench.surface.posts]
    assert said[0] == "Evening patrol has started. The report will appear in this channel."
    assert said[1] == "Evening patrol is already running. The report will appear in this channel."
    assert len(bench.patrols.runs) == 1


async def test_a_patrol_of_another_process_is_joined_and_shown_as_running(desk: Desk) -> None:
    desk.patrols.elsewhere = ("evening",)
    assert "Running: Evening patrol" in words(await typed(desk, "status"))
    await typed(desk, "evening")
    assert "is already running" in words(desk.surface.posts[1][1])


async def test_a_long_report_goes_on_in_its_thread_which_knows_it(desk: Desk) -> None:
    await posted(desk, *(flagged(n) for n in range(20)))
    places = [place for place, _ in desk.surface.posts[1:]]
    assert places == ["x:C", *["x:C:2"] * (len(places) - 1)]
    assert len(places) > 2
    assert await desk.store.knows("x:C:2")
    (opening,) = await desk.store.load("x:C:2")
    told = str(opening.messages[0])
    assert "disk: 80 is too much" in told
    assert "SELECT 1 FROM metrics.amv_hourly_snapshots_v1" in told


async def test_a_turn_that_is_repeated_compares_with_what_it_compared_with_before(desk: Desk) -> None:
    desk.patrols.report = patrolled("R-1", flagged(1))
    for _ in range(2):
        assert "This is the first report" in words(await typed(desk, "now"))


async def test_last_shows_the_last_report_as_things_stand(desk: Desk) -> None:
    assert "There is no report yet" in words(await typed(desk, "last"))
    await posted(desk)
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    runs = len(desk.patrols.runs)
    again = await typed(desk, "last")
    assert again.parts[0] == Heading("Morning patrol: 1 warning of 170 clusters")
    assert "acknowledged by Anna" in words(again)
    assert len(desk.patrols.runs) == runs
    await desk.press(buttons.REOPEN, VALUE)
    assert {message for message, _ in desk.surface.updates[-2:]} == {"x:C:3", "x:C:4"}


async def test_the_status_tells_what_runs_what_comes_and_what_was_last(desk: Desk) -> None:
    shown = words(await typed(desk, "status"))
    assert "Running: none" in shown
    assert "Next here: Evening patrol, 2026-11-20 18:00 UTC" in shown
    assert "Last: none yet" in shown
    await posted(desk)
    desk.patrols.gate.clear()
    running = asyncio.create_task(typed(desk, "weekly", channel="x:D"))
    while len(desk.patrols.runs) < 2:
        await asyncio.sleep(0)
    shown = words(await typed(desk, "status", channel="x:E"))
    assert "Running: Weekly patrol" in shown
    assert "Next here: none is scheduled" in shown
    assert "Last: Morning patrol, 2026-11-20 08:00 UTC (1 new)" in shown
    desk.patrols.gate.set()
    await running


async def test_what_is_open_is_listed_by_what_was_decided(desk: Desk) -> None:
    assert "Nothing is open." in words(await typed(desk, "open"))
    await posted(desk, flagged(1), flagged(2), flagged(3), flagged(4, finding(97, "Critical", "cpu_util_pct")))
    value = {n: buttons.flag("R-1", ID.format(n)) for n in (1, 2, 3)}
    await desk.press(buttons.ACKNOWLEDGE, value[1])
    await desk.press(buttons.SNOOZE, buttons.snooze("8h", value[2]), "U2")
    await desk.press(buttons.KNOWN_NOTED, value[3], note="JIRA 7")
    await desk.press(buttons.ASSIGNED, value[3], who="me")
    document = await typed(desk, "open")
    assert document.parts[0] == Heading("Open findings: 4")
    groups = [part.markdown.splitlines() for part in document.parts[1:]]  # type: ignore[union-attr]
    assert [group[0] for group in groups] == [
        "**Open** (1)",
        "**Acknowledged** (1)",
        "**Snoozed** (1)",
        "**Known issues** (1)",
    ]
    assert groups[0][2].startswith("- 🔴 **prod\\-4**: BE CPU 97%, open for 2 days")
    assert "💤 _snoozed until 2026-11-20 16:00 UTC by Bob_" in groups[2][2]
    assert "📌 _known issue (Anna, 2026-11-20 08:00 UTC): JIRA 7_ · 👤 _assigned to Anna_" in groups[3][2]


async def test_a_long_list_is_counted_in_full(desk: Desk) -> None:
    await posted(desk, *(flagged(n) for n in range(45)))
    shown = words(await typed(desk, "open"))
    assert "Open findings: 45" in shown
    assert "… and 15 more" in shown


async def test_a_flagged_cluster_is_shown_with_its_buttons_and_its_history(desk: Desk) -> None:
    await posted(desk, flagged(1), flagged(2))
    await desk.press(buttons.ACKNOWLEDGE, VALUE)
    for name in ("prod-1", "PROD-1", ID.format(1), ID.format(1)[:13]):
        document = await typed(desk, f"cluster {name}")
        assert document.parts[0] == Heading("prod-1")
        assert "acknowledged by Anna" in words(document)
        assert "- 2026-11-20 08:00 UTC: new, **prod\\-1**, disk used\n" in words(document)
        assert "Anna acknowledged **prod\\-1**, disk used" in words(document)
        assert offered(document)[buttons.REOPEN] == VALUE


async def test_a_name_that_several_have_is_asked_about(desk: Desk) -> None:
    await posted(desk, flagged(1), flagged(2, cluster_name="prod-1"))
    told = words(await typed(desk, "cluster prod-1"))
    assert told == f"“prod-1” could be several: prod-1 ({ID.format(1)}), prod-1 ({ID.format(2)})"
    assert "Which one?" in words(await typed(desk, "cluster"))


async def test_a_cluster_that_is_not_flagged_is_looked_at_now(desk: Desk) -> None:
    answer = words(await typed(desk, "cluster calm-*7*"))
    assert "How is the cluster calm-*7* doing?" in answer
    assert "no report yet that could flag “calm-*7*”" in words(desk.surface.posts[-2][1])
    await posted(desk)
    await typed(desk, "cluster calm-7")
    place, document = desk.surface.posts[-2]
    assert place == "x:C"
    assert "is not flagged in the last report (2026-11-20 08:00 UTC)" in words(document)


async def test_a_handover_tells_what_changed_who_did_what_and_what_nobody_has(desk: Desk) -> None:
    assert "Nothing changed" in words(await typed(desk, "handover"))
    await posted(desk, flagged(9))
    desk.clock.forward(hours=13)
    await posted(desk, flagged(1), flagged(2), report_id="R-2")
    await desk.press(buttons.ACKNOWLEDGE, buttons.flag("R-2", ID.format(1)))
    await desk.press(buttons.SNOOZE, buttons.snooze("8h", buttons.flag("R-2", ID.format(1))), "U2")
    shown = words(await typed(desk, "handover"))
    assert "Handover: since 2026-11-20 09:00 UTC" in shown
    assert "2026-11-20 21:00 UTC: recovered, **prod\\-9**, disk used" in shown
    assert "new, **prod\\-9**" not in shown
    assert "Anna acknowledged **prod\\-1**, disk used" in shown
    assert "Bob snoozed **prod\\-1**, disk used, until 2026-11-21 05:00 UTC" in shown
    assert "**Nobody has taken yet (1)**\n\n- 🟠 **prod\\-2**" in shown
    assert "**In hands (1)**" in shown
    assert "new, **prod\\-9**" in words(await typed(desk, "handover 2d"))
    assert "“soon” is no span of time" in words(await typed(desk, "handover soon"))


async def test_assignments_are_handed_over_too(desk: Desk) -> None:
    await posted(desk)
    await desk.press(buttons.ASSIGNED, VALUE, name="Cleo")
    await desk.press(buttons.ASSIGNED, VALUE, who="nobody")
    await desk.press(buttons.REOPEN, VALUE)
    await desk.press(buttons.KNOWN_NOTED, VALUE, note="JIRA *7*")
    shown = words(await typed(desk, "handover"))
    assert "Anna assigned **prod\\-1**, disk used, to Cleo" in shown
    assert "Anna took **prod\\-1**, disk used, from whom it was assigned to" in shown
    assert "Anna reopened **prod\\-1**, disk used" in shown
    assert "a known issue: JIRA \\*7\\*" in shown
    assert "Every open finding is in somebody's hands." in shown


async def test_a_schedule_is_shown_set_and_taken_away(desk: Desk) -> None:
    shown = words(await typed(desk, "schedule"))
    assert "Reports in this channel (UTC)" in shown
    assert "- Morning patrol: every day at 08:00\n- Evening patrol: every day at 18:00" in shown
    assert "as set for this installation" in shown
    shown = words(await typed(desk, "schedule morning 7:30 evening off weekly Mon 09:00 Asia/Shanghai"))
    assert "Reports in this channel (Asia/Shanghai)" in shown
    assert "- Morning patrol: every day at 07:30\n- Weekly patrol: Mondays at 09:00" in shown
    assert "set by Anna" in shown
    assert "No report comes here by the clock." in words(await typed(desk, "schedule off"))


async def test_a_time_without_a_zone_is_meant_as_it_is_read_there(desk: Desk) -> None:
    async def locale(place: str, user: str) -> Locale:
        return Locale("en", ZoneInfo("Asia/Tokyo"))

    desk.deps = replace(desk.deps, locale=locale)
    assert "Reports in this channel (Asia/Tokyo)" in words(await typed(desk, "schedule morning 09:00", channel="x:D"))
    # the zone of a timetable that there is stays
    assert "Reports in this channel (UTC)" in words(await typed(desk, "schedule morning 09:00"))


async def test_a_schedule_that_makes_no_sense_changes_nothing(desk: Desk) -> None:
    assert "“noon” is no time of day" in words(await typed(desk, "schedule morning noon"))
    assert "every day at 08:00" in words(await typed(desk, "schedule"))


async def test_muting_a_channel_shows_in_its_status_and_ends(desk: Desk) -> None:
    assert "muted here until 2026-11-20 16:00 UTC" in words(await typed(desk, "mute 8h"))
    shown = words(await typed(desk, "status"))
    assert "muted here until 2026-11-20 16:00 UTC" in shown
    assert "Next here: Evening patrol, 2026-11-20 18:00 UTC" in shown
    assert "until `/patrol unmute`" in words(await typed(desk, "mute"))
    shown = words(await typed(desk, "status"))
    assert "`/patrol unmute` brings them back" in shown
    assert "Next here" not in shown
    assert "Scheduled reports come here again." in words(await typed(desk, "unmute"))
    assert "muted" not in words(await typed(desk, "status"))
    assert "“soon” is no span of time" in words(await typed(desk, "mute soon"))


async def test_a_chinese_channel_is_answered_in_chinese(desk: Desk) -> None:
    async def locale(place: str, user: str) -> Locale:
        return Locale("zh")

    desk.deps = replace(desk.deps, locale=locale)
    await posted(desk)
    assert "未解决的问题:1" in words(await typed(desk, "未解决"))
    assert "上一次:早间巡检,2026-11-20 08:00 UTC(新增 1)" in words(await typed(desk, "状态"))
    assert "交接:自 2026-11-19 20:00 UTC 起" in words(await typed(desk, "交接"))
    assert "早间巡检:每天 08:00" in words(await typed(desk, "时间"))


async def test_a_patrol_of_the_clock_that_saw_nothing_says_in_the_channel_since_when_and_what_is_unknown(
    desk: Desk,
) -> None:
    await posted(desk)
    desk.patrols.fault = WarehouseUnreadable("2003: cannot connect to 10.0.0.7")
    since = desk.clock.moment
    desk.clock.forward(hours=10)
    assert await desk.store.findings.delivery("x:C", desk.clock.moment) == "none"
    await handle(PatrolRequest("clock:evening@x:C:1", "x:C", "clock", "evening"), desk.deps)
    place, document = desk.surface.posts[-1]
    assert place == "x:C"
    why, known = (part.text for part in document.parts if isinstance(part, Note))
    assert why == WarehouseUnreadable.user_message and "10.0.0.7" not in known
    opened = await desk.store.findings.open()
    assert f"known is from {since:%Y-%m-%d %H:%M} UTC: {len(opened)} findings were open" in known
    assert opened and "is unknown" in known
    # a degraded report is a report: the alarm is for a channel that was told nothing
    assert await desk.store.findings.delivery("x:C", desk.clock.moment) == "posted"


async def test_a_first_patrol_that_saw_nothing_says_that_nothing_at_all_is_known(desk: Desk) -> None:
    desk.patrols.fault = WarehouseUnreadable("gone")
    await handle(PatrolRequest("clock:morning@x:C:1", "x:C", "clock", "morning"), desk.deps)
    assert "nothing at all is known" in str(desk.surface.posts[-1][1].parts)
