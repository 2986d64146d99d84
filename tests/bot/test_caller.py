"""Places of surfaces as the door's principals."""

import pytest

from bot.caller import PATROL, caller_in, reader_in, told
from mcp_server.principal import META_KEY, Principal, caller_named


@pytest.mark.parametrize(
    ("thread", "principal"),
    [
        ("slack:T1:C1:1766.24", Principal("slack", "C1", "U1")),
        ("slack:T1:C1", Principal("slack", "C1", "U1")),
        ("lark:oc_1", Principal("lark", "oc_1", "U1")),
        ("terminal:a1b2c3", Principal("terminal", "", "U1")),
        ("terminal:slack:C1", Principal("terminal", "", "U1")),
        ("t1", Principal("terminal", "", "U1")),
    ],
)
def test_a_thread_names_the_surface_and_the_channel(thread: str, principal: Principal) -> None:
    assert caller_in(thread, "U1").principal == principal
    assert caller_in(thread, "U1").thread == thread


def test_a_bare_channel_is_one_of_the_platform_whose_id_it_is() -> None:
    assert reader_in("C1", "U1") == reader_in("slack:T1:C1", "U1") == Principal("slack", "C1", "U1")
    assert reader_in("oc_1", "ou_1") == reader_in("lark:cli_1:oc_1:om_1", "ou_1") == Principal("lark", "oc_1", "ou_1")


def test_what_travels_with_a_call_is_read_at_the_door_as_it_was_meant() -> None:
    for caller in (PATROL, caller_in("slack:T1:C1:1.2", "U1"), caller_in("t1", "")):
        assert caller_named({META_KEY: told(caller)}) == caller
