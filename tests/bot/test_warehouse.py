"""Which warehouse the door is opened to, and which front ends it may ask."""

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import load
from bot.warehouse import door_config, live_endpoints, named

CLUSTER = "3f0c1a52-7a51-4a0e-9a3e-5d2b8f0e6c11"
WAREHOUSE = {"STARWATCH_STARROCKS_HOST": "fe.example.com", "STARWATCH_STARROCKS_USER": "starwatch"}


def test_front_ends_named_in_the_file_reach_the_doors_configuration(tmp_path: Path) -> None:
    path = tmp_path / "live.yaml"
    path.write_text(f"{CLUSTER}: {{host: fe.customer.example.com, user: live, password_env: FE}}\n")
    settings = load({**WAREHOUSE, "STARWATCH_LIVE_ENDPOINTS": str(path)}, tmp_path)
    place = named(settings)
    assert place is not None
    config = door_config(place, settings, live_endpoints(settings, {"FE": "s3cret"}))
    assert config.live[CLUSTER].host == "fe.customer.example.com"
    assert "s3cret" not in repr(config)


def test_without_a_file_no_front_end_is_asked(tmp_path: Path) -> None:
    settings = load(WAREHOUSE, tmp_path)
    place = named(settings)
    assert place is not None
    assert live_endpoints(settings, {}) == {}
    assert not door_config(place, settings).live


def test_a_file_that_cannot_be_used_stops_the_start_naming_setting_and_fix(tmp_path: Path) -> None:
    path = tmp_path / "live.yaml"
    path.write_text(f"{CLUSTER}: {{host: h, user: u, password_env: UNSET}}\n")
    settings = load({"STARWATCH_LIVE_ENDPOINTS": str(path)}, tmp_path)
    with pytest.raises(SettingsError, match=r"^STARWATCH_LIVE_ENDPOINTS: .*UNSET \(password_env\)$"):
        live_endpoints(settings, {})
