"""What counts as a figure of a text, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.numerals import SCALES, figures, numbers


def seen(text: str) -> list[str]:
    return [one.text for one in figures(text)]


@pytest.mark.parametrize(
    ("text", "value", "step", "unit"),
    [
        ("1,234 queries", 1234, 1, ""),
        ("1.2k errors", 1.2, 0.1, "k"),
        ("97 % full", 97, 1, "%"),
        ("at 0.0586%.", 0.0586, 0.0001, "%"),
        ("340 ms", 340, 1, "ms"),
        ("1.5 GiB of cache", 1.5, 0.1, "GiB"),
        ("12 hours behind", 12, 1, "h"),
        ("a 26-fold rise", 26, 1, "x"),
        ("2.5× as many", 2.5, 0.1, "x"),
        ("共有12个集群", 12, 1, ""),
        ("磁盘97.3%", 97.3, 0.1, "%"),
        ("写入3.4万次", 3.4, 0.1, "万"),
        ("about 1,200 queries", 1200, 100, ""),
        ("**42** rows", 42, 1, ""),
        ("cost $0.12 each", 0.12, 0.01, ""),
        ("fell by -12 %", 12, 1, "%"),
        ("`97.3 %`", 97.3, 0.1, "%"),
        ("2e3 rows", 2000, 1000, ""),
    ],
)
def test_a_quantity_is_read_with_its_unit_and_its_last_digit(text: str, value: float, step: float, unit: str) -> None:
    (one,) = figures(text)
    assert (one.value, one.unit) == (value, unit)
    assert one.step == pytest.approx(step)
    assert text[one.start : one.end] == one.text


@pytest.mark.parametrize(
    "text",
    [
        "version 3.4.7",
        "v3.4 and StarRocks 3.3",
        "on 3.5.3-ee",
        "版本 3.4",
        "at 14:00 UTC on 2026-11-20",
        "2026-11-20T14:00:05Z",
        "from 11-20 14:00",
        "20 Nov 2026, Nov 20",
        "11月20日",
        "since 2026",
        "8 am",
        "prod-ads-02 and p99 of m5.2xlarge in us-east-1",
        "0f3a91c2-7b1e-4c55-9d20-aa10be77c001",
        "(q-17) and q-a1b2",
        "1. first\n2. second",
        "| 1 | a |\n| 2 | b |",
        "step 3, option 2",
        "the 99th percentile",
        "in the last 24 h",
        "past 7 days",
        "a 24-hour window",
        "过去 24 小时",
        "`SELECT 5 FROM t`",
        "```\nSET x = 12\n```",
        "https://x.example/7/8",
        "top 5 clusters",
        "7e616162 and 30b14075",
    ],
)
def test_dates_versions_ids_windows_and_list_numbers_are_no_figures(text: str) -> None:
    assert seen(text) == []


def test_a_limit_is_told_from_a_measurement() -> None:
    assert [(one.text, one.given) for one in figures("disk 93%, above the limit of 90%")] == [
        ("93%", False),
        ("90%", True),
    ]
    table = "| cluster | now | Limit |\n|---|---|---|\n| a | 93% | 90% |"
    assert [(one.text, one.given) for one in figures(table)] == [("93%", False), ("90%", True)]


def test_both_ends_of_a_range_have_its_unit() -> None:
    assert [(one.value, one.unit) for one in figures("80–90 % and 3 to 5 GiB")] == [
        (80, "%"),
        (90, "%"),
        (3, "GiB"),
        (5, "GiB"),
    ]


def test_a_column_that_counts_rows_differs_from_one_that_measures() -> None:
    assert seen("| 1 | 33 |\n| 2 | 44 |") == ["33", "44"]
    assert seen("| 7 | 33 |\n| 9 | 44 |") == ["7", "33", "9", "44"]


def test_data_gives_all_its_numbers() -> None:
    assert list(numbers("compaction 1,234 > 1000; prod-02 p99 3.4.7")) == [1234, 1000]


@given(st.text(alphabet="0123456789.,%e-+ |`*\nkMGB年天:/ab#", max_size=60))
def test_no_text_breaks_it_and_figures_lie_where_they_say(text: str) -> None:
    last = 0
    for one in figures(text):
        assert last <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text and one.unit in SCALES
        last = one.end
    assert all(value >= 0 for value in numbers(text))
