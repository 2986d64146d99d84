"""Predictions that can be tested: what is stated, how it is graded, and how a label is earned or lost."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from agent.patrol.predictions import State, Statement, earned, grade, label_of, tallies
from agent.patrol.report import LabelRecord, PatrolReport
from tests.agent.doubles import ScriptedModel, say
from tests.agent.patrol.courses import AS_OF, ramps, rhythm
from tests.agent.patrol.test_evidence import cid, healthy
from tests.agent.patrol.test_run import GOOD, patrol
from tests.agent.patrol.warehouse import GIB, Cluster, FleetTools

SAID = Statement(cid(1), "disk_used_pct", 90.0, False, AS_OF - timedelta(hours=24), 24, 0.9, 0.9, "High")
FILLING = {"disk_free": ramps(rhythm(450 * GIB), -10 * GIB, 28), "disk_percent": ramps(rhythm(55), 1.0, 28)}
OPERATION = {"cluster_id": cid(1), "type": "NODE_UPDATE", "state": "DONE", "detail": "disks 2 -> 4"}


@dataclass
class Book:
    """A prediction store in memory; `error` is raised by all that it does."""

    kept: dict[str, Statement] = field(default_factory=dict)
    error: Exception | None = None

    async def open(self) -> list[Statement]:
        return self._known({"open"})

    async def graded(self) -> list[Statement]:
        return self._known({"hit", "missed"})

    async def keep(self, statements: list[Statement]) -> None:
        self._known(set())
        self.kept |= {one.key: one for one in statements}

    def _known(self, states: set[str]) -> list[Statement]:
        if self.error is not None:
            raise self.error
        return [one for one in self.kept.values() if one.state in states]


def record(label: str, *states: State) -> list[Statement]:
    """Graded statements that were computed as surely as the label says."""
    chance = {"High": 0.9, "Medium": 0.6, "Low": 0.3}[label]
    one = replace(SAID, chance=chance, probability=chance, label=label)  # type: ignore[arg-type]
    return [replace(one, cluster_id=cid(at), state=state) for at, state in enumerate(states)]


def hours(*values: float | None) -> dict[int, float]:
    """A course, oldest first, that ends at the newest hour."""
    return {back: value for back, value in enumerate(reversed(values)) if value is not None}


# What a statement becomes.


def test_two_bad_hours_of_three_are_a_hit() -> None:
    assert grade(SAID, hours(*[80.0] * 10, 91.0, 89.0, 92.0, *[80.0] * 11), AS_OF, acted=False).state == "hit"


def test_a_single_wild_hour_is_a_miss() -> None:
    assert grade(SAID, hours(*[80.0] * 12, 99.0, *[80.0] * 11), AS_OF, acted=False).state == "missed"


def test_before_it_is_due_only_a_hit_is_told() -> None:
    early = replace(SAID, made=AS_OF - timedelta(hours=6))
    assert grade(early, hours(*[80.0] * 6), AS_OF, acted=False).state == "open"
    assert grade(early, hours(*[80.0] * 3, 91.0, 92.0, 93.0), AS_OF, acted=False).state == "hit"


def test_what_happened_before_or_after_its_time_does_not_count() -> None:
    late = replace(SAID, made=AS_OF - timedelta(hours=30))
    course = dict.fromkeys(range(6, 30), 80.0) | dict.fromkeys(range(6), 95.0) | {30: 95.0, 31: 95.0}
    assert grade(late, course, AS_OF, acted=False).state == "missed"


def test_too_little_data_or_a_helping_hand_makes_it_void() -> None:
    assert grade(SAID, hours(*[80.0] * 8), AS_OF, acted=False).state == "void"
    assert grade(SAID, hours(*[80.0] * 24), AS_OF, acted=True).state == "void"
    assert grade(SAID, hours(*[95.0] * 24), AS_OF, acted=True).state == "hit"


def test_free_memory_is_graded_downwards() -> None:
    memory = replace(SAID, dimension="memory_available_pct", threshold=10.0, down=True)
    assert grade(memory, hours(*[9.0] * 24), AS_OF, acted=False).state == "hit"
    assert grade(memory, hours(*[30.0] * 24), AS_OF, acted=False).state == "missed"


# Labels and their record.


@pytest.mark.parametrize(
    ("chance", "label"), [(0.9, "High"), (0.8, "High"), (0.6, "Medium"), (0.3, "Low"), (0.1, None)]
)
def test_a_probability_has_its_label(chance: float, label: str | None) -> None:
    assert label_of(chance) == label


def test_without_a_record_a_chance_stays_as_it_was_computed() -> None:
    assert earned(0.9, []) == pytest.approx(0.9)


def test_a_high_that_misses_is_demoted() -> None:
    assert label_of(earned(0.9, record("High", "missed"))) == "Medium"
    assert label_of(earned(0.9, record("High", *["missed"] * 5))) == "Low"


def test_a_medium_that_always_comes_true_is_promoted() -> None:
    assert label_of(earned(0.6, record("Medium", *["hit"] * 8))) == "High"


def test_each_label_has_a_record_of_its_own() -> None:
    assert earned(0.9, record("Low", *["missed"] * 20)) == pytest.approx(0.9)


def test_the_record_counts_hits_and_squared_errors() -> None:
    graded = [*record("High", "hit", "hit", "missed"), *record("Low", "missed")]
    assert tallies(graded) == (LabelRecord("High", 3, 2, 0.277), LabelRecord("Low", 1, 0, 0.09))


# Through a whole patrol.


def fleet(**options: object) -> FleetTools:
    return FleetTools([Cluster(cid(1), "filling", FILLING), *healthy(4)], **options)  # type: ignore[arg-type]


async def run(book: Book | None, tools: FleetTools | None = None, text: str | None = None) -> PatrolReport:
    model = ScriptedModel(say(text)) if text else ScriptedModel(analyst="rules-only")
    return (await patrol(model, tools or fleet(), predictions=book).run_patrol("morning", "clock"))[1]


async def test_a_course_is_stated_for_both_horizons_and_kept() -> None:
    book = Book()
    report = await run(book)
    (told,) = report.predictions
    assert told.text.startswith("disk used of filling goes from")
    assert (told.cluster_id, told.dimension, told.threshold) == (cid(1), "disk_used_pct", 90.0)
    assert told.due == f"{AS_OF + timedelta(hours=told.horizon_hours):%Y-%m-%d %H:%M}"
    assert {one.horizon for one in book.kept.values()} == {24, 48}
    assert all(one.state == "open" and 0 < one.probability <= 1 for one in book.kept.values())


async def test_a_course_that_goes_on_is_stated_once() -> None:
    book = Book({SAID.key: replace(SAID, made=AS_OF - timedelta(hours=1))})
    report = await run(book)
    assert len(report.predictions) == 1
    assert sorted(one.horizon for one in book.kept.values() if one.made == AS_OF) == [48]


async def test_what_is_due_is_graded_and_the_record_is_printed() -> None:
    book = Book({one.key: one for one in (SAID, replace(SAID, cluster_id=cid(101), threshold=40.0))})
    report = await run(book)
    assert {one.cluster_id: one.state for one in book.kept.values() if one.made < AS_OF} == {
        cid(1): "missed",
        cid(101): "hit",
    }
    assert report.record == (LabelRecord("High", 2, 1, 0.41),)


async def test_a_graded_patrol_takes_no_more_than_twenty_statements() -> None:
    tools = fleet()
    report = await run(Book({SAID.key: SAID}), tools)
    assert report.usage.queries <= 20
    assert report.usage.queries == len(tools.statements)


async def test_somebody_who_acted_in_time_spoils_no_record() -> None:
    acted = OPERATION | {"created_at": f"{AS_OF - timedelta(hours=4)}"}
    book = Book({SAID.key: SAID})
    report = await run(book, fleet(operations=[acted]))
    assert book.kept[SAID.key].state == "void"
    assert report.record == ()


async def test_a_record_of_misses_lowers_what_the_next_patrol_says() -> None:
    first = (await run(Book())).predictions[0]
    missed = {one.key: one for one in record(first.confidence, *["missed"] * 6)}
    (later,) = (await run(Book(missed))).predictions
    assert later.probability is not None
    assert first.probability is not None
    assert later.probability < first.probability


async def test_a_book_that_cannot_be_read_or_kept_stops_no_report(caplog: pytest.LogCaptureFixture) -> None:
    report = await run(Book(error=OSError("disk is gone")))
    assert len(report.predictions) == 1
    assert "could not be read" in caplog.text
    assert "disk is gone" not in str(report.to_json())


async def test_without_a_book_predictions_are_made_all_the_same() -> None:
    assert len((await run(None)).predictions) == 1


async def test_a_models_own_prediction_is_low_and_its_copy_of_ours_is_dropped() -> None:
    text = GOOD.replace("- [High] disk of full reaches 100% in 8 h", "- [High] filling is full soon\n- [High] rain")
    report = await run(Book(), text=text)
    assert [(one.text == "rain", one.confidence) for one in report.predictions][1:] == [(True, "Low")]
    assert report.predictions[0].probability is not None


async def test_a_failed_look_back_leaves_statements_open() -> None:
    book = Book({SAID.key: SAID})
    tools = fleet(broken=[f"cluster_id IN ('{cid(1)}')"])
    report = await run(book, tools)
    assert book.kept[SAID.key] == SAID
    assert report.record == ()


async def test_what_is_no_cluster_id_enters_no_statement_and_is_void() -> None:
    strange = replace(SAID, cluster_id="x'; DROP TABLE y")
    book, tools = Book({strange.key: strange}), fleet()
    await run(book, tools)
    assert not any("DROP" in sql for sql in tools.statements)
    assert book.kept[strange.key].state == "void"
