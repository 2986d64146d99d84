"""The file of causes and the words of conclusions: whole, known to the rules of health, and in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from agent import investigation
from agent.catalogue import LANGUAGES, placeholders
from agent.investigation.checking import CAPS
from agent.investigation.phrases import WORDS, Phrases
from agent.investigation.signs import DEFAULT, Pair, load_causes
from agent.patrol.rules import load_rules
from handlers.words import WORDS as SHOWN
from schema import TABLES

FOLDER = Path(investigation.__file__).parent
ROOT = FOLDER.parents[1]
CAUSES = load_causes()
BESIDE = {"freshness", DEFAULT}


def pairs() -> Iterator[Pair]:
    for signs in CAUSES.dimensions.values():
        yield from signs.pairs


def test_every_dimension_of_the_file_is_one_of_the_rules() -> None:
    assert set(CAUSES.dimensions) - BESIDE <= set(load_rules().dimensions)


def test_a_dimension_without_signs_of_its_own_has_the_default_ones() -> None:
    assert CAUSES.of("slow_query_pct") == CAUSES.dimensions[DEFAULT]
    assert CAUSES.of("no such thing").pairs


def test_every_metric_is_one_that_the_simulated_fleet_sends() -> None:
    groups = yaml.safe_load((ROOT / "sandbox/fleet/dictionary.yaml").read_text(encoding="utf-8"))
    sent = {name for group in groups.values() for name in group}
    read = {pair.metric for pair in pairs()} | {signs.witness for signs in CAUSES.dimensions.values()}
    # latency is a histogram there and its quantiles are exported under names of their own
    assert {name for name in read if name not in sent and not re.search(r"_p9[59]$", name)} == set()


def test_every_metric_cause_and_operation_has_its_words() -> None:
    for pair in pairs():
        assert f"metric.{pair.metric}" in WORDS.texts
        assert not pair.cause or f"cause.{pair.cause}" in WORDS.texts
    for signs in CAUSES.dimensions.values():
        assert f"metric.{signs.witness}" in WORDS.texts
    for deed in CAUSES.operations:
        assert not deed.cause or f"deed.{deed.cause}" in WORDS.texts


@pytest.mark.parametrize("key", WORDS.texts)
def test_every_text_stands_in_every_language_with_the_same_placeholders(key: str) -> None:
    texts = WORDS.texts[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    # a Chinese finding is put together from its figures, an English one is the rules' own sentence
    assert len({placeholders(text) for text in texts.values()}) == 1


def test_every_text_is_asked_for_and_every_asked_one_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    asked = set(re.findall(r'\b_?say\(\s*"([a-z0-9_.]+)"', source))
    assert asked <= set(WORDS.texts)
    named = set(re.findall(r'"((?:do|say|out|unknown|seen|why)\.[a-z_]+)"', source))
    built = ("metric.", "cause.", "deed.", "step.", "trait.", "out.", "say.shared_", "why.", "seen.")
    assert {key for key in WORDS.texts if not key.startswith(built)} - asked - named == set()


def test_every_doubt_has_its_words_in_the_channel() -> None:
    told = {key.removeprefix("investigation.doubt.") for key in SHOWN if key.startswith("investigation.doubt.")}
    assert told == set(CAPS)


def test_the_page_tells_every_cap() -> None:
    page = (ROOT / "docs/investigations.md").read_text(encoding="utf-8")
    for cap in CAPS.values():
        assert f"| {cap:.2f} (" in page


@pytest.mark.parametrize(
    ("kind", "detail", "cause"),
    [
        ("UPDATE", "sr_version 3.4.7-ee -> 3.5.3-ee", "upgrade"),
        ("UPDATE", "setting query_timeout changed, all nodes restarted one after another", "restart"),
        ("UPDATE", "setting max_user_connections changed", "setting"),
        ("NODE_UPDATE", "compute nodes 3 -> 6", "resize"),
        ("NODE_UPDATE", "volume type gp2 -> gp3", "resize"),
        ("STOP", "stop", "stop"),
        ("UPDATE", "labels changed", ""),
        ("START", "start by schedule", ""),
    ],
)
def test_an_operation_is_known_by_its_type_or_its_detail(kind: str, detail: str, cause: str) -> None:
    deed = CAUSES.deed(kind, detail)
    assert deed is not None
    assert deed.cause == cause


def test_an_operation_that_nobody_described_is_not_explained_away() -> None:
    assert CAUSES.deed("MIGRATE", "moved to another region") is None


@pytest.mark.parametrize(
    ("detail", "kind", "dimension", "explains"),
    [
        ("labels changed", "UPDATE", "p99_latency_ms", False),
        ("sr_version a -> b", "UPDATE", "p99_latency_ms", True),
        ("volume type gp2 -> gp3", "NODE_UPDATE", "disk_used_pct", True),
        ("volume type gp2 -> gp3", "NODE_UPDATE", "error_share_pct", False),
        ("stop", "STOP", "freshness", True),
        ("stop", "STOP", "error_share_pct", False),
    ],
)
def test_an_operation_explains_only_what_it_can(detail: str, kind: str, dimension: str, explains: bool) -> None:
    deed = CAUSES.deed(kind, detail)
    assert deed is not None
    assert deed.explains(dimension) is explains


@pytest.mark.parametrize(
    ("factor", "ratio", "moved"),
    [(1.5, 1.5, True), (1.5, 1.49, False), (0.6, 0.6, True), (0.6, 0.61, False), (0.6, 2, False)],
)
def test_a_pair_moves_up_or_down(factor: float, ratio: float, moved: bool) -> None:
    assert Pair(metric="up", factor=factor).moved(ratio) is moved


def test_a_metric_without_words_is_called_by_its_name() -> None:
    assert Phrases("zh").metric("starrocks_odd") == "starrocks_odd"
    assert Phrases("zh").metric("starrocks_fe_txn_begin") == "导入事务"


def test_the_table_that_it_is_stored_in_is_there() -> None:
    assert "alerts.agent_investigations" in TABLES
