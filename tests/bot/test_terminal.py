"""Documents on a terminal: everything shown, nothing executed."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.terminal import Terminal
from handlers.document import (
    Actions,
    Button,
    Chart,
    Divider,
    Document,
    Field,
    Fields,
    File,
    Form,
    Heading,
    Note,
    Part,
    Prose,
    Series,
    Table,
)
from handlers.surface import Posted, Press, Step, SurfaceError


def printed(*parts: Part) -> str:
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=100), Console(file=io.StringIO()))
    asyncio.run(terminal.post("t", Document("x", parts)))
    return out.getvalue()


def test_every_kind_of_part_is_shown() -> None:
    text = printed(
        Heading("Morning patrol"),
        Prose("**two** clusters\n\n- one\n- two"),
        Fields((("disk", "91 %"), ("heap", "40 %"))),
        Table(("cluster", "p99"), (("a", "120"), ("b", "90"))),
        Chart("line", "Failed queries", ("10:00", "11:00"), (Series("prod-a", (3.25, None)),), "%"),
        File("rows.csv", "All 412 rows", b"a,b"),
        Divider(),
        Note("rules-only · 3 queries"),
    )
    assert "All 412 rows: rows.csv, 3 bytes" in text
    for words in (
        "Failed queries, %",
        "prod-a",
        "10:00",
        "3.25",
        "Morning patrol",
        "two clusters",
        "disk",
        "91 %",
        "cluster",
        "120",
        "rules-only · 3 queries",
    ):
        assert words in text


def test_a_chart_keeps_its_figures_on_a_narrow_screen() -> None:
    values = tuple(float(n) for n in range(400))
    chart = Chart("line", "p99", tuple(map(str, range(400))), (Series("prod-recommendations-07-x", values),))
    out = io.StringIO()
    terminal = Terminal(Console(file=out, width=80), Console(file=io.StringIO()))
    asyncio.run(terminal.post("t", Document("x", (chart,))))
    _, course, labels = out.getvalue().splitlines()
    assert course.startswith("prod-recommendations-07…  ▁") and course.endswith("█  0 to 399, last 399")
    assert len(course) <= 80 and labels.strip() == "0 … 399"


def test_buttons_are_left_out_where_they_cannot_be_pressed() -> None:
    assert printed(Heading("x"), Actions((Button("Investigate", "investigate", "c1"),))).strip() == "x"


def test_square_brackets_in_data_are_text_and_not_style() -> None:
    assert "[bold red]prod[/]" in printed(Heading("[bold red]prod[/]"), Fields((("a", "[/x]"),)))


def test_a_link_shows_where_it_leads() -> None:
    assert "https://evil.example" in printed(Prose("[the console](https://evil.example)"))


@given(st.text(max_size=200))
def test_no_text_can_send_an_escape_to_the_terminal(text: str) -> None:
    shown = printed(Heading(text), Prose(text), Fields(((text, text),)), Table((text,), ((text,),), text), Note(text))
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown


def test_progress_without_a_terminal_is_a_line_each_on_the_other_stream() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(Console(file=out), Console(file=err, width=80))
    terminal.show("Reading metrics")
    terminal.show("Reading alerts")
    terminal.show("")
    assert err.getvalue().splitlines() == ["· Reading metrics", "· Reading alerts"]
    assert out.getvalue() == ""


def test_progress_on_a_terminal_is_one_line_that_changes_and_goes_away() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(Console(file=out), Console(file=err, width=80, force_terminal=True))
    terminal.show("Reading metrics")
    terminal.show("Reading \x1b[31malerts")
    asyncio.run(terminal.post("t", Document("x", (Prose("done"),))))
    shown = err.getvalue()
    assert "\x1b[31malerts" not in shown
    assert "\x1b[2K" in shown
    assert "done" in out.getvalue()
    terminal.show("")
    assert err.getvalue() == shown


def test_the_status_of_a_thread_is_shown_without_its_name() -> None:
    err = io.StringIO()
    terminal = Terminal(Console(file=io.StringIO()), Console(file=err, width=80))
    asyncio.run(terminal.status("slack:T:C:1", "Asking the model"))
    assert err.getvalue() == "· Asking the model\n"


def on_terminal(out: io.StringIO, err: io.StringIO | None = None) -> Terminal:
    return Terminal(Console(file=out, width=100), Console(file=err or io.StringIO(), width=80))


PRESS = Press("k", "why", "v", "anna", "t", "t")


def test_what_others_see_alone_or_in_a_dialog_is_printed() -> None:
    out = io.StringIO()
    terminal = on_terminal(out)

    async def show() -> None:
        await terminal.whisper("t", "anna", Document("x", (Prose("just you"),)))
        await terminal.dialog(PRESS, "SQL", Document("x", (Prose("SELECT 1"),)))
        await terminal.home("anna", Document("x", (Prose("welcome home"),)))
        await terminal.update("t", Document("x", (Prose("drawn anew"),)))
        await terminal.suggest("t", [("a", "b")])

    asyncio.run(show())
    for words in ("just you", "SQL", "SELECT 1", "welcome home", "drawn anew"):
        assert words in out.getvalue()


def test_a_terminal_asks_nothing_and_hears_nobody_else() -> None:
    terminal = on_terminal(io.StringIO())
    with pytest.raises(SurfaceError, match="no dialogs"):
        asyncio.run(terminal.dialog(PRESS, "Why?", Document("x", ()), Form((Field("why", "Why?"),), "why")))
    assert asyncio.run(terminal.said("t")) == ()


def test_an_answer_is_printed_when_it_is_whole_and_its_steps_before() -> None:
    out, err = io.StringIO(), io.StringIO()
    terminal = on_terminal(out, err)

    async def write() -> Posted:
        async with terminal.writing("t", None, "anna") as writing:
            await writing.steps([Step("1", "Reading alerts", "running")])
            await asyncio.sleep(0)
            await writing.text("It is ")
            assert out.getvalue() == ""
            return await writing.finish(Document("x", (Prose("It is well."),)))

    assert asyncio.run(write()) == Posted("t", ("t",))
    assert "It is well." in out.getvalue()
    assert "Reading alerts" in err.getvalue()
