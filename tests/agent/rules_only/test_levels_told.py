"""What the rules-only analyst calls Critical, Warning or nothing at all, held against the rules file by itself: every
figure of every table is on the side of its limit that it is said to be on."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agent.chat import BYOCAgent
from agent.patrol.rules import load_rules
from mcp_server.door import Door
from tests.agent.rules_only.test_end_to_end import agent, answered

__all__ = ["agent"]

RULES = load_rules()
RANKED = [
    ("which clusters have the highest disk usage?", "disk_used_pct"),
    ("which clusters have the least memory?", "memory_available_pct"),
    ("highest fe heap by cluster", "fe_heap_used_pct"),
    ("error rate by cluster", "error_share_pct"),
    ("磁盘使用率最高的集群", "disk_used_pct"),
    ("可用内存最低的集群", "memory_available_pct"),
]
LEVELS = {"Critical": "Critical", "Warning": "Warning", "严重": "Critical", "警告": "Warning"}
_CELL = re.compile(r"([\d,.]+)%(?: ?\((\w+)\))?")


@pytest.fixture
async def kinds(door: Door) -> Mapping[str, str]:
    """The type of each cluster by the beginning of its id, as tables show it: some types have limits of their own."""
    read = await door.read("SELECT biz_id, cluster_type FROM byoc.clusters", max_rows=500)
    return {str(cluster)[:8]: str(kind or "") for cluster, kind in read.rows}


def level(dimension: str, value: float, kind: str) -> str:
    """What the rules file says of a value that is judged alone."""
    rule = RULES.of(kind).dimensions[dimension]
    if rule.alone == "never":
        return ""
    for name, limit in (("Critical", rule.limits.red), ("Warning", rule.limits.yellow)):
        if name == "Warning" and rule.alone == "red":
            continue
        if value <= limit if rule.direction == "down" else value >= limit:
            return name
    return ""


def rows(text: str) -> Iterator[list[str]]:
    """The cells of the first table of an answer, without its head."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    for line in table[2:]:
        if set(line) <= set("| -"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize(("question", "dimension"), RANKED, ids=[question for question, _ in RANKED])
async def test_every_row_of_a_ranking_is_called_what_the_rules_call_it(
    agent: BYOCAgent, kinds: Mapping[str, str], question: str, dimension: str
) -> None:
    text = await answered(agent, question)
    found = [(kinds[cells[1]], _CELL.match(cells[3])) for cells in rows(text)]
    assert len(found) >= 5
    for kind, cell in found:
        assert cell is not None, text
        value = float(cell.group(1).replace(",", ""))
        assert LEVELS.get(cell.group(2) or "", "") == level(dimension, value, kind), text


@pytest.mark.parametrize(("question", "dimension"), RANKED, ids=[question for question, _ in RANKED])
async def test_a_ranking_begins_with_what_is_worst(agent: BYOCAgent, question: str, dimension: str) -> None:
    cells = [_CELL.match(row[3]) for row in rows(await answered(agent, question))]
    values = [float(cell.group(1).replace(",", "")) for cell in cells if cell is not None]
    falling = RULES.dimensions[dimension].direction == "down"
    assert values == sorted(values, reverse=not falling)


KINDS = {
    "disk_filling": "disk used",
    "error_burst": "failed queries",
    "fe_heap": "FE heap used",
    "memory_leak": "memory available",
}


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_planted_fault_leads_the_answer_about_its_cluster_by_its_measure_and_level(
    agent: BYOCAgent, truth: Mapping[str, Any], kind: str
) -> None:
    planted = [fault["cluster_id"] for fault in truth["faults"] if fault["kind"] == kind]
    assert planted
    for cluster in planted:
        text = await answered(agent, f"how is {cluster}?")
        first = text.splitlines()[0]
        assert " is Critical" in first or " is Warning" in first, first
        assert KINDS[kind] in first
        told = {cells[0]: cells[3] for cells in rows(text)}
        assert told[KINDS[kind]] in {"Critical", "Warning"}


async def test_a_healthy_cluster_is_beyond_no_limit_of_the_rules(agent: BYOCAgent, truth: Mapping[str, Any]) -> None:
    for cluster in truth["must_not_flag"][:4]:
        text = await answered(agent, f"how is {cluster}?")
        assert "is Critical" not in text.splitlines()[0]
        assert "Critical" not in {cells[3] for cells in rows(text)}


async def test_what_is_near_its_limit_is_listed_with_that_limit(agent: BYOCAgent, kinds: Mapping[str, str]) -> None:
    text = await answered(agent, "which clusters are near breaking point?")
    named = {RULES.dimensions[key].label: key for key in ("disk_used_pct", "fe_heap_used_pct", "memory_available_pct")}
    seen = 0
    for cells in rows(text):
        if (dimension := named.get(cells[2])) is None:
            continue
        seen += 1
        value, kind = _CELL.match(cells[3]), kinds[cells[1]]
        assert value is not None
        assert cells[4] == f"{RULES.of(kind).dimensions[dimension].limits.red:g}%"
        assert (value.group(2) or "") == level(dimension, float(value.group(1)), kind)
    assert seen >= 5
