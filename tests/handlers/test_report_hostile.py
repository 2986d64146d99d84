"""Whatever data, a model or a person puts into a report: it mentions nobody, leads nowhere, and breaks nothing."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patrol.report import CustomerSummary, Prediction, RecommendedAction
from bot.lark.card import rendered
from bot.slack.blocks import messages
from handlers.document import Document
from handlers.findings import Decision, Deed, Tracked, compare, decided
from handlers.home import Home, home_document
from handlers.locale import ENGLISH, Locale
from handlers.patrol import help_document
from handlers.report import report_document, report_pages
from handlers.report_flag import Sight
from handlers.standing import Standing, handover_document, open_document, schedule_document
from handlers.timetable import Timetable
from tests.fakes.lark.cards import problems as card_problems
from tests.fakes.slack import problems
from tests.handlers.reports import ID, MOMENT, finding, flagged, patrolled

BAIT = [
    "<!channel>",
    "<@U123>",
    "<#C1|x>",
    "<at id=all></at>",
    '<at user_id="all">all</at>',
    "<person id='ou_1'></person>",
    "[click](https://evil.example)",
    "https://evil.example/x?a=1",
    "**bold** _it_ `code` ~~s~~",
    "# Heading",
    "- item",
    "| a | b |\n| --- | --- |",
    "```\nfence",
    "{reason} {0} %s",
    "\u202e\u200b\x00\x1b[31m",
    "&lt;!here&gt;",
]
TEXT = st.lists(st.sampled_from(BAIT) | st.text(max_size=12), max_size=4).map(" ".join)
LOCALES = st.sampled_from([ENGLISH, Locale("zh")])
LIVE = re.compile(r"<[!@#]|<at\b|<person\b|<https?://|\]\(https?://", re.IGNORECASE)


def documents(one: str, other: str, locale: Locale) -> Iterator[Document]:
    """Everything that this area shows, with hostile words wherever words come from elsewhere."""
    silent = finding(9.0, "Unknown", "freshness", unit="h", reason=one)
    cluster = flagged(1, finding(reason=other), silent, cluster_name=one, customer=other, reason=one, since=other)
    nameless = flagged(2, finding(dimension=one[:40] or "x"), cluster_name="", cluster_id=other or "c", customer=one)
    now = patrolled(
        "R-1",
        cluster,
        nameless,
        fleet_narrative=one,
        notice=other,
        as_of=one,
        predictions=(Prediction(one, "High"),),
        customer_summaries=(CustomerSummary(other, "S", one),),
        recommended_actions=(RecommendedAction("Today", other),),
    )
    _, known = compare(patrolled("R-0", cluster, flagged(3, cluster_name=one)), {}, MOMENT, None)
    held = {two.key: decided(two, Decision("known", note=one), "U1", other, MOMENT) for two in known}
    changes, tracked = compare(now, held, MOMENT + timedelta(hours=12), MOMENT)
    standing = {two.key: replace(two, assignee_name=one) for two in tracked}
    sight = Sight(now, MOMENT, changes, standing, locale)
    yield from report_pages(sight)
    yield from report_pages(replace(sight, now={}))
    yield report_document(now, locale)
    yield from _between(one, other, list(standing.values()), sight)


def _between(one: str, other: str, found: list[Tracked], sight: Sight) -> Iterator[Document]:
    """What is shown between reports."""
    standing = Standing(MOMENT, sight.locale, found)
    deeds = [Deed(MOMENT, ID.format(1), one, other, act, "U1", other, one) for act in ("known", "assigned", "snoozed")]
    yield open_document(standing)
    yield handover_document(MOMENT, deeds, standing)
    yield home_document(Home("U1", standing, sight))
    yield schedule_document(Timetable("x:C", "08:00", name=one), sight.locale)
    yield help_document(one, sight.locale.say)


@settings(max_examples=30, deadline=None)
@given(TEXT, TEXT, LOCALES)
def test_nothing_that_is_shown_is_alive_on_slack(one: str, other: str, locale: Locale) -> None:
    assert list(marked_up({"type": "mrkdwn", "text": "<!x>"})) == ["<!x>"]
    for document in documents(one, other, locale):
        for message in messages(document, ()):
            assert problems(list(message.blocks)) == []
            assert not LIVE.search(message.text)
            assert not LIVE.search(" ".join(marked_up(message.blocks)))


@settings(max_examples=30, deadline=None)
@given(TEXT, TEXT, LOCALES)
def test_nothing_that_is_shown_is_alive_on_lark(one: str, other: str, locale: Locale) -> None:
    for document in documents(one, other, locale):
        for card in rendered(document, ()).cards:
            assert card_problems(card) == []
            read = " ".join(marked_up(card))
            assert read
            assert not LIVE.search(read)


def marked_up(value: object) -> Iterator[str]:
    """The texts of a payload that a platform reads as markup; plain ones are shown letter by letter."""
    if isinstance(value, list | tuple):
        for one in value:
            yield from marked_up(one)
    elif isinstance(value, dict):
        if "mrkdwn" in (value.get("type"), value.get("tag")) or value.get("tag") in ("markdown", "lark_md"):
            yield str(value.get("text") or value.get("content"))
        for one in value.values():
            yield from marked_up(one)


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT)
def test_what_travels_in_buttons_is_short_and_json_whatever_the_data_holds(one: str, other: str) -> None:
    for document in documents(one, other, ENGLISH):
        for message in messages(document, ()):
            for element in (
                each for block in message.blocks if block["type"] == "actions" for each in block["elements"]
            ):
                values = [element.get("value"), *(option["value"] for option in element.get("options", ()))]
                assert all(len(value) <= 2_000 for value in values if value)
                assert json.loads(json.dumps(element)) == element
