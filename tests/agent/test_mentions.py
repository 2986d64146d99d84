"""Ids and names in a text: which there are, and which of them exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.mentions import Register

ONE = "0a1b2c3d-0000-4000-8000-00000000000a"
TWO = "77777777-1111-4000-8000-00000000000b"
SAID = ("q-7f3a91 read it", "node uat-queue-77 of us-east-1", "UPGRADE by account 5e6f7a8b")
FLEET = Register([ONE, TWO], ["prod-ads-02", "uat-lakehouse-03", "dev_shop", "订单-01", "orders-7"], SAID)


def unknown(text: str, fleet: Register = FLEET) -> list[str]:
    return sorted(text[one.start : one.end] for one in fleet.mentions(text) if not fleet.holds(one))


@pytest.mark.parametrize(
    "text",
    [
        f"cluster {ONE} and 0a1b2c3d, 77777777-1111-4000-8000-00000000000b",
        "PROD-ADS-02 and prod-ads-02",
        "集群prod-ads-02的磁盘",
        "uat-queue-77 in us-east-1 stands in a result",
        "q-7f3a91, account 5e6f7a8b",
        "cluster `订单-01`, cluster **dev_shop**",
        "cluster **prod-ads-02 (tier S)**, 集群「订单-01(S 级)」",
        "out-of-memory, day-over-day, top-10, tier-1, p-99, 24-48, 2026-11-20, sha-256",
        "version 3.5.3-ee on r6i.4xlarge",
        "starrocks_fe_query_total and node_memory_MemAvailable_bytes",
        "a decade of facades, defaced; 20261120",
    ],
)
def test_what_exists_and_what_is_no_name_is_left_alone(text: str) -> None:
    assert unknown(text) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("prod-payments-09 is full", ["prod-payments-09"]),
        ("集群prod-payments-09的磁盘", ["prod-payments-09"]),
        ("orders-9 beside orders-7", ["orders-9"]),
        ("0a1b2c3e and deadbee1", ["0a1b2c3e", "deadbee1"]),
        ("77777777-1111-4000-8000-00000000000c", ["77777777-1111-4000-8000-00000000000c"]),
        ("by q-abcdef", ["q-abcdef"]),
        ("cluster `ghost` and cluster “no such”", ["ghost", "no such"]),
        ("cluster **ghost (tier S)** and cluster `(none)`", ["(none)", "ghost (tier S)"]),
    ],
)
def test_what_exists_nowhere_is_told(text: str, missing: list[str]) -> None:
    assert unknown(text) == missing


def test_a_name_in_quotes_is_one_mention_and_not_two() -> None:
    assert len(list(FLEET.mentions("cluster `prod-ads-02`, cluster `prod-none-99`"))) == 2


def test_a_fleet_whose_names_are_plain_words_is_no_reason_to_doubt_words() -> None:
    assert unknown("orders-now-7 and other-words-1", Register([ONE], ["orders", "billing"], ())) == []


@given(st.text(max_size=80), st.lists(st.text(max_size=12), max_size=4))
def test_no_text_and_no_names_break_it(text: str, names: list[str]) -> None:
    register = Register([ONE], names, ["said"])
    for one in register.mentions(text):
        assert text[one.start : one.end] == one.text
        register.holds(one)


@given(st.from_regex(r"[a-z]{3,6}-[a-z]{3,6}-[0-9]{2}", fullmatch=True))
def test_every_name_of_the_fleet_holds_and_every_other_of_its_kind_does_not(name: str) -> None:
    fleet = Register([ONE], ["prod-ads-02"], ())
    assert unknown(f"on {name}: full", Register([ONE], [name], ())) == []
    assert unknown(f"on {name}: full", fleet) == ([] if name == "prod-ads-02" else [name])
