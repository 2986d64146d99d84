"""Pictures: made by a process of its own, within a time, in letters that exist."""

import asyncio
import os
import struct
import sys
from pathlib import Path

import pytest

from bot.charts.fonts import Fonts
from bot.charts.picture import NoPicture, Painter
from handlers.document import Chart, Series
from tests.bot.charts.conftest import COURSE, RANKING

HOSTILE = "'] + fetch('http://127.0.0.1:1/')"
CHINESE = Chart("bar", "磁盘", ("生产",), (Series("x", (1.0,)),))


def worker(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


@pytest.mark.parametrize("chart", [COURSE, Chart("pie", HOSTILE, (HOSTILE,), (Series(HOSTILE, (1.0,)),), HOSTILE)])
async def test_a_chart_becomes_a_png_wide_enough_to_read(chart: Chart) -> None:
    picture = await Painter().png(chart)
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert 800 <= width <= 2_400 and 500 <= height <= 2_400


LONG = tuple(f"11-{1 + place // 24:02d} {place % 24:02d}:00" for place in range(400))
EXTREME: dict[str, Chart] = {
    "one point": Chart("line", "t", ("now",), (Series("s", (3.0,)),)),
    "nothing but gaps": Chart("area", "t", ("a", "b"), (Series("s", (None, None)), Series("t", (1.0, None)))),
    "as much as there may be": Chart(
        "line", "t" * 100, LONG, tuple(Series(f"prod-lakehouse-{n}", tuple(map(float, range(400)))) for n in range(12))
    ),
    "far apart": Chart("bar", "t", ("a", "b", "c"), (Series("s", (-1e12, 1e-9, 1e300)), Series("t", (0.0, 0.0, 0.0)))),
    "forty long names": Chart(
        "bar", "t", tuple(f"prod-recommendations-{n:02d}" for n in range(40)), (Series("s", (1.0,) * 40),), "%"
    ),
    "twelve parts": Chart("pie", "t", tuple(f"3.{n}" for n in range(12)), (Series("s", (1.0,) * 12),)),
}


@pytest.mark.parametrize("name", EXTREME)
async def test_extreme_charts_are_drawn_too(name: str) -> None:
    assert len(await Painter().png(EXTREME[name])) > 5_000


async def test_one_that_hangs_is_killed_and_there_is_no_picture(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    hangs = f"import os, sys, threading; open({str(mark)!r}, 'w').write(str(os.getpid())); threading.Event().wait()"
    with pytest.raises(NoPicture, match="too long"):
        await Painter(seconds=1.5, command=worker(hangs)).png(RANKING)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_one_that_nobody_waits_for_any_more_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    hangs = f"import os, threading; open({str(pipe)!r}, 'w').write(str(os.getpid())); threading.Event().wait()"
    task = asyncio.create_task(Painter(command=worker(hangs)).png(RANKING))
    pid = int(await asyncio.to_thread(pipe.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_failures_make_room_for_the_next_picture() -> None:
    painter = Painter(command=worker("raise SystemExit(1)"))
    found = await asyncio.gather(*(painter.png(RANKING) for _ in range(5)), return_exceptions=True)
    assert [type(one) for one in found] == [NoPicture] * 5
    assert (await Painter().png(RANKING)).startswith(b"\x89PNG")


@pytest.mark.parametrize("script", ["raise SystemExit(3)", "print('no picture')", "import os; os.abort()"])
async def test_one_that_fails_gives_no_picture(script: str) -> None:
    with pytest.raises(NoPicture):
        await Painter(command=worker(script)).png(RANKING)


async def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    tells = "import os, sys; sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n' + ' '.join(os.environ).encode())"
    assert b"ANTHROPIC" not in await Painter(command=worker(tells)).png(RANKING)


async def test_without_a_font_for_it_chinese_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(NoPicture, match="no font"):
        await Painter(fonts=Fonts([tmp_path])).png(CHINESE)


def test_a_font_of_the_host_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "DejaVuSans.ttf").touch()
    assert not Fonts([tmp_path]).can_write("生产")
    assert Fonts([tmp_path / "missing", tmp_path]).can_write("prod é ü –")
    (tmp_path / "deep" / "NotoSansCJK-Regular.ttc").touch()
    assert Fonts([tmp_path]).can_write("生产")
