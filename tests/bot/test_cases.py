"""Investigations as rows: whole, within what the columns take, and one row for one id."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import aiomysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.investigation.checking import Checked
from agent.investigation.conclusion import Action, EvidenceItem
from agent.model import Usage
from bot.cases import investigation_row
from bot.errors import WarehouseError
from bot.writer import NoWriter, WarehouseWriter
from sandbox.launch import Endpoint
from tests.bot.test_writer import address
from tests.fakes.investigations import CLUSTER, concluded, failed, made, scene

COLUMNS = (
    "investigation_id",
    "task_id",
    "cluster_id",
    "cluster_name",
    "customer_name",
    "severity",
    "confidence",
    "root_cause",
    "evidence",
    "recommended_actions",
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "duration_seconds",
    "created_at",
)
BYTES = {"cluster_name": 256, "customer_name": 256, "root_cause": 4096, "evidence": 8192, "recommended_actions": 4096}


def row_of(investigation: Any) -> dict[str, Any]:
    return dict(zip(COLUMNS, investigation_row(investigation), strict=True))


async def stored(warehouse: Endpoint, investigation_id: str) -> list[dict[str, Any]]:
    user, password = warehouse.reader
    place = {"host": warehouse.host, "port": warehouse.port, "user": user, "password": password}
    async with aiomysql.connect(**place) as connection, connection.cursor(aiomysql.DictCursor) as cursor:
        await cursor.execute(
            "SELECT * FROM alerts.agent_investigations WHERE investigation_id = %s", (investigation_id,)
        )
        return list(await cursor.fetchall())


def test_a_row_holds_what_was_found() -> None:
    row = row_of(made())
    assert row == {
        "investigation_id": "i-1",
        "task_id": None,
        "cluster_id": CLUSTER,
        "cluster_name": "prod-1",
        "customer_name": "Acme & Sons",
        "severity": "Critical",
        "confidence": 0.7,
        "root_cause": "Likely set off by the version change to 3.5.3-ee.",
        "evidence": "p99 950 ms, usually 273 ms (q-1)\nno receipt\n"
        "Ruled out: more queries: the same number as before\nUnknown: what the application changed",
        "recommended_actions": "[Immediate] compare the plans\n[This Week] upgrade",
        "provider": "claude",
        "model": "claude-sonnet-5-5",
        "input_tokens": 1000,
        "output_tokens": 200,
        "duration_seconds": 12.5,
        "created_at": datetime(2026, 11, 20, 8),
    }


def test_cached_tokens_are_counted_as_read() -> None:
    done = made()
    done = replace(done, answer=replace(done.answer, usage=Usage(10, 1, 200, 3000)))
    assert row_of(done)["input_tokens"] == 3210


def test_one_that_came_to_nothing_has_no_row() -> None:
    with pytest.raises(ValueError, match="without a conclusion"):
        investigation_row(failed())


def test_a_cluster_that_nobody_knows_is_stored_by_what_was_asked() -> None:
    row = row_of(made(scene=scene(known=False, cluster_id="", asked="x" * 100), task="sentinel:x" * 10))
    assert (row["cluster_id"], row["task_id"]) == ("x" * 64, ("sentinel:x" * 10)[:64])
    # columns count bytes, and these characters have three
    assert row_of(made(scene=scene(known=False, cluster_id="", asked="集" * 100)))["cluster_id"] == "集" * 21


TEXT = st.text(st.sampled_from("ab 的原因🔴é"), min_size=1, max_size=600).filter(str.strip)


@given(texts=st.lists(TEXT, min_size=12, max_size=12), name=st.text(max_size=400), cause=TEXT)
def test_no_text_is_longer_than_its_column(texts: list[str], name: str, cause: str) -> None:
    said = concluded(
        root_cause=(cause * 3)[:1_500],
        evidence=[EvidenceItem(text=one, query_id="q-1") for one in texts],
        ruled_out=texts[:10],
        unknown=texts[:10],
        actions=[Action(urgency="Today", text=one) for one in texts[:8]],
    )
    row = row_of(made(Checked(said), scene=scene(name=name.encode(errors="ignore").decode())))
    for column, size in BYTES.items():
        assert len(row[column].encode()) <= size
    # only whole lines are left out
    assert all(line.startswith("[Today] ") for line in row["recommended_actions"].splitlines() if line)


async def test_it_arrives_whole_and_the_same_id_twice_is_one_row(warehouse: Endpoint) -> None:
    writer = WarehouseWriter(address(warehouse))
    await writer.write_investigation(made(id="case-1"))
    again = made(Checked(concluded(root_cause="Something else.")), id="case-1")
    await writer.write_investigation(again)
    (row,) = await stored(warehouse, "case-1")
    assert row["root_cause"] == "Something else."
    assert row["recommended_actions"] == "[Immediate] compare the plans\n[This Week] upgrade"
    assert str(row["created_at"]) == "2026-11-20 08:00:00"
    assert row["confidence"] == 0.7


@pytest.mark.parametrize("changed", [{"password": "wrong"}, {"user": "reader", "password": "reader"}])
async def test_an_account_that_may_not_write_is_one_line(warehouse: Endpoint, changed: dict[str, str]) -> None:
    with pytest.raises(WarehouseError, match="cannot store the investigation"):
        await WarehouseWriter(address(warehouse, **changed)).write_investigation(made(id="case-2"))
    assert await stored(warehouse, "case-2") == []


async def test_without_a_writer_account_nothing_is_stored() -> None:
    await NoWriter().write_investigation(made())
