"""Rows larger than memory should hold: read in pieces across frames, cut to what is shown, counted in full."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.err import OperationalError

from mcp_server.config import WarehouseConfig
from mcp_server.executor import Executor
from mcp_server.long_rows import Beginning, LongRow, read_long_row, shown
from tests.fakes.mysql_proxy import Weather, proxy

Configs = Callable[..., WarehouseConfig]

FRAME = 0xFFFFFF


def length_coded(cell: bytes | None) -> bytes:
    if cell is None:
        return b"\xfb"
    size = len(cell)
    if size < 251:
        return bytes([size]) + cell
    if size < 1 << 16:
        return b"\xfc" + size.to_bytes(2, "little") + cell
    if size < 1 << 24:
        return b"\xfd" + size.to_bytes(3, "little") + cell
    return b"\xfe" + size.to_bytes(8, "little") + cell


class Bytes:
    """A wire that holds the frames of one packet; the first frame's length is given away by `length`."""

    def __init__(self, payload: bytes) -> None:
        self._frames = [payload[at : at + FRAME] for at in range(0, len(payload) + 1, FRAME)]
        self._now = self._frames.pop(0)
        self.length = len(self._now)

    async def header(self) -> int:
        assert not self._now
        self._now = self._frames.pop(0)
        return len(self._now)

    async def exactly(self, count: int) -> bytes:
        taken, self._now = self._now[:count], self._now[count:]
        assert len(taken) == count
        return taken


def cells_of(row: LongRow) -> list[bytes | None]:
    cells = []
    while True:
        try:
            cells.append(row.read_length_coded_string())
        except IndexError:
            return cells


def read(cells: Sequence[bytes | None], keep_chars: int) -> list[bytes | None]:
    wire = Bytes(b"".join(map(length_coded, cells)))
    return cells_of(asyncio.run(read_long_row(wire, wire.length, keep_chars)))


@given(st.lists(st.none() | st.text(max_size=400), max_size=8), st.integers(1, 100))
def test_every_cell_is_shown_as_if_it_had_been_read_whole(texts: list[str | None], limit: int) -> None:
    raw = [None if text is None else text.encode("utf-8", "replace") for text in texts]
    found = read(raw, limit)
    assert [cell and shown(cell, limit) for cell in found] == [cell and shown(cell, limit) for cell in raw]


@pytest.mark.parametrize("size", [250, 251, 65_535, 65_536, FRAME - 4, FRAME - 3, FRAME, FRAME + 5, 2 * FRAME])
def test_a_cell_is_read_across_all_frames_and_its_neighbours_stay_whole(size: int) -> None:
    first, wide, last = read([b"before", b"x" * size, b"after"], 10)
    assert (first, last) == (b"before", b"after")
    assert wide is not None
    assert shown(wide, 10) == "x" * 10 + f"…[+{size - 10} chars]"
    assert len(wide) <= 40


def test_characters_are_counted_and_none_is_torn() -> None:
    (cell,) = read(["é😀".encode() * 5_000], 3)
    assert cell is not None
    assert shown(cell, 3) == "é😀é…[+9997 chars]"


def test_a_row_of_many_wide_cells_keeps_four_mebibytes() -> None:
    cells = read([b"y" * 400_000] * 40, 65_536)
    assert sum(len(cell or b"") for cell in cells) <= 4 << 20
    last = cells[-1]
    assert last is not None
    assert shown(last, 65_536) == "…[+400000 chars]"


@pytest.mark.parametrize("payload", [b"\xff", b"\x05abc", b"\xfd\x01", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff.."])
def test_a_malformed_row_is_an_error_of_the_connection(payload: bytes) -> None:
    wire = Bytes(payload)
    with pytest.raises(OperationalError):
        asyncio.run(read_long_row(wire, wire.length, 10))


def test_a_short_cell_is_no_beginning_of_something_else() -> None:
    assert shown(b"plain", 5) == "plain"
    whole = Beginning(b"plain")
    whole.chars = 5
    assert shown(whole, 5) == "plain"


async def test_a_cell_of_the_warehouse_larger_than_a_packet_is_shown_cut(config: Configs) -> None:
    async with Executor(config(max_cell_chars=100)) as executor:
        sql = "SELECT 1 AS a, REPEAT('é', 9000000) AS wide, 2 AS b UNION ALL SELECT 3, 'small', 4"
        fetched = await executor.fetch(sql, max_rows=5)
        assert sorted(fetched.rows, key=str) == [[1, "é" * 100 + "…[+8999900 chars]", 2], [3, "small", 4]]
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]


async def test_a_connection_that_ends_inside_a_long_row_is_lost_and_the_read_tried_again(
    config: Configs, known_warehouse
) -> None:
    async with proxy(known_warehouse) as way, Executor(config(port=way.port)) as executor:
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]
        way.cut()
        way.weather = Weather(ends_after=2_000_000)
        call = asyncio.create_task(executor.fetch("SELECT REPEAT('x', 5000000) AS wide", max_rows=1))
        await asyncio.gather(call, return_exceptions=True)
        assert str(call.exception()) == "unavailable: the connection to the warehouse was lost"
        way.weather = Weather()
        assert (await executor.fetch("SELECT 1", max_rows=1)).rows == [[1]]


GROWTH = """
import asyncio, json, sys
from mcp_server.config import WarehouseConfig
from mcp_server.executor import Executor

def rss(key):
    line = next(line for line in open("/proc/self/status") if line.startswith(key))
    return int(line.split()[1]) // 1024

async def main():
    async with Executor(WarehouseConfig.model_validate_json(sys.argv[1])) as executor:
        await executor.fetch("SELECT 1", max_rows=1)
        before = rss("VmRSS")
        fetched = await executor.fetch(sys.argv[2], max_rows=20_000)
        print(json.dumps({"rows": len(fetched.rows), "more": fetched.more, "grown": rss("VmHWM") - before}))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT i, 'a text of some length' AS t FROM TABLE(generate_series(1, 500000)) AS g(i)", 20_000),
        ("SELECT REPEAT('x', 50000000) AS wide", 1),
        ("SELECT REPEAT('x', 900000) AS wide FROM TABLE(generate_series(1, 300)) AS g(i)", None),
    ],
    ids=["500000 rows", "a cell of 50 MB", "270 MB of rows"],
)
def test_a_giant_result_grows_memory_by_at_most_32_mib(config: Configs, sql: str, rows: int | None) -> None:
    reader = config()
    settings = json.dumps(reader.model_dump() | {"password": reader.password.get_secret_value()})
    done = subprocess.run([sys.executable, "-c", GROWTH, settings, sql], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["grown"] <= 32
    assert 0 < found["rows"] == (rows or found["rows"])
    assert found["more"] is (rows != 1)
