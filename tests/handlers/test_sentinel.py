"""The sentinel's card, in both languages and with names that come from strangers."""

from dataclasses import replace

import pytest

from agent.patrol.finding import ClusterEvidence, Finding, Identity
from agent.patrol.report import Severity
from agent.patrol.sentinel import Sighting, Trigger
from handlers import buttons
from handlers.document import Actions, Button, Document, Prose
from handlers.locale import ENGLISH, Locale
from handlers.sentinel import NO_REPORT, SHOWN, Card, card
from handlers.words import Language
from tests.handlers.conftest import words


def sighting(
    trigger: Trigger = "critical", name: str = "orders", number: int = 1, severity: Severity = "Critical"
) -> Sighting:
    bad = Finding(f"c-{number}", "disk_used_pct", severity, 95.0, "%", "disk used 95%", 60.0)
    identity = Identity(f"c-{number}", name, customer="Acme", tier="A")
    return Sighting(trigger, ClusterEvidence(identity, score=61.6, findings=(bad,)), 61.6, 88.2)


def drawn(*sightings: Sighting, locale: Locale = ENGLISH, **more: int) -> Document:
    return card(Card(sightings, "08:15", {"c-2": "R-1"}, **more), locale)


@pytest.mark.parametrize(
    ("trigger", "english", "chinese"),
    [
        ("critical", "New Critical", "新增严重"),
        ("slide", "Score fell from 88 to 62 within a day", "评分在一天内从 88 降至 62"),
        ("storm", "Storm of 62 different alerts", "告警风暴:62 种不同告警"),
        ("important", "Tier A newly in Warning", "A 级客户新出现警告"),
    ],
)
def test_a_card_says_what_happened_to_whom_and_why(trigger: Trigger, english: str, chinese: str) -> None:
    said = words(drawn(sighting(trigger)))
    assert all(part in said for part in (english, "orders", "Acme", "disk used 95", "Sentinel at 08:15"))
    assert chinese in words(drawn(sighting(trigger), locale=Locale("zh")))


def test_names_of_strangers_stay_text() -> None:
    said = words(drawn(sighting(name="**x** [y](https://evil.example)")))
    assert "[y](https://evil.example)" not in said


def test_buttons_lead_to_the_report_where_one_tells_of_the_cluster() -> None:
    document = drawn(sighting(number=1), sighting(number=2))
    rows = [part.buttons for part in document.parts if isinstance(part, Actions)]
    first, second = ([one for one in row if isinstance(one, Button)] for row in rows)
    assert [buttons.investigated(one.value) for one in first] == [(NO_REPORT, "c-1")]
    assert buttons.investigated(second[0].value) == ("R-1", "c-2")
    assert (second[1].action, second[1].value) == (buttons.ACKNOWLEDGE, buttons.flag("R-1", "c-2"))


def test_a_long_card_counts_what_it_leaves_out_and_what_is_not_investigated() -> None:
    document = drawn(*(sighting(number=number) for number in range(SHOWN + 3)), left=6, budget=2)
    assert len([part for part in document.parts if isinstance(part, Prose)]) == SHOWN + 1
    assert "And 3 more" in words(document)
    assert "Not investigated by itself: 6; the 2 investigations of the day are used up." in words(document)


@pytest.mark.parametrize(
    ("language", "one", "three"),
    [
        ("en", "one cluster turned bad", "3 clusters turned bad"),
        ("zh", "1 个集群出现恶化", "3 个集群出现恶化"),
    ],
)
def test_a_card_counts_what_turned_bad(language: Language, one: str, three: str) -> None:
    assert one in words(drawn(sighting(), locale=Locale(language)))
    assert three in words(drawn(*(sighting(number=number) for number in range(3)), locale=Locale(language)))


def test_a_notification_names_the_clusters_that_are_shown() -> None:
    document = drawn(*(sighting(name=f"c{number}", number=number) for number in range(SHOWN + 1)))
    assert document.fallback.endswith(": c0, c1, c2, c3, c4")


def test_a_slide_without_a_finding_is_marked_as_a_warning() -> None:
    seen = sighting("slide")
    calm = replace(seen, cluster=replace(seen.cluster, findings=()))
    assert "🟠 **Score fell" in words(drawn(calm))
    assert "🔴" in words(drawn(seen))


def test_no_more_than_three_reasons_are_given_and_none_is_long() -> None:
    seen = sighting()
    many = tuple(replace(seen.cluster.findings[0], reason=f"reason {number} " + "x" * 900) for number in range(5))
    said = words(drawn(replace(seen, cluster=replace(seen.cluster, findings=many))))
    assert [f"reason {number}" in said for number in range(5)] == [True, True, True, False, False]
    assert "x" * 301 not in said


def test_a_cluster_whose_customer_is_not_known_is_told_by_its_tier() -> None:
    seen = sighting()
    nameless = replace(seen.cluster, identity=replace(seen.cluster.identity, customer=""))
    said = words(drawn(replace(seen, cluster=nameless)))
    assert "Acme" not in said
    assert ENGLISH.say("flag.tier", tier="A") in said
