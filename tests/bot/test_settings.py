"""Settings: read once, strict about names and values, and every complaint names its key."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.settings import Settings, environment_names, load

ROOT = Path(__file__).parents[2]


def test_nothing_is_required(tmp_path: Path) -> None:
    settings = load({}, tmp_path)
    assert settings.starrocks_host is None
    assert not settings.uses_claude


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STARWATCH_MODEL=from-file\nSTARWATCH_EFFORT=low\n")
    settings = load({"STARWATCH_MODEL": "from-environment"}, tmp_path)
    assert (settings.model, settings.effort) == ("from-environment", "low")


def test_a_named_file_is_read_instead_of_the_default_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STARWATCH_MODEL=default-file\n")
    (tmp_path / "other.env").write_text("STARWATCH_MODEL=named-file\n")
    environ = {"STARWATCH_ENV_FILE": str(tmp_path / "other.env")}
    assert load(environ, tmp_path).model == "named-file"


def test_keys_of_other_programs_may_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AWS_REGION=us-east-1\n")
    assert load({}, tmp_path) == load({}, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("environ", "key", "fix"),
    [
        ({"STARWATCH_STARROCKS_PORT": "abc"}, "STARWATCH_STARROCKS_PORT", "integer"),
        ({"STARWATCH_STARROCKS_PORT": "70000"}, "STARWATCH_STARROCKS_PORT", "65535"),
        ({"STARWATCH_STAROCKS_HOST": "x"}, "STARWATCH_STAROCKS_HOST", "did you mean STARWATCH_STARROCKS_HOST?"),
        ({"STARWATCH_QQ_9": "x"}, "STARWATCH_QQ_9", ".env.example"),
        ({"STARWATCH_STARROCKS_HOST": "sr1"}, "STARWATCH_STARROCKS_USER", "missing"),
        ({"ANTHROPIC_BASE_URL": "http://models.example"}, "ANTHROPIC_BASE_URL", "https://"),
        ({"SLACK_API_URL": "ftp://127.0.0.1/"}, "SLACK_API_URL", "https://"),
        ({"LARK_DOMAIN": "larksuite"}, "LARK_DOMAIN", "https://"),
        ({"LARK_APP_ID": "app 1"}, "LARK_APP_ID", "pattern"),
        ({"STARWATCH_PATROL_MORNING": "8 am"}, "STARWATCH_PATROL_MORNING", "morning"),
        ({"STARWATCH_TIMEZONE": "Mars/Olympus"}, "STARWATCH_TIMEZONE", "Europe/Berlin"),
        ({"STARWATCH_ANALYST": "gpt"}, "STARWATCH_ANALYST", "'rules'"),
        ({"STARWATCH_ENV_FILE": "/nowhere/at/all"}, "/nowhere/at/all", "cannot be read"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_the_key_and_the_fix(
    environ: dict[str, str], key: str, fix: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ, tmp_path)
    line = str(caught.value)
    assert line.startswith(key)
    assert fix in line
    assert "\n" not in line


def test_a_broken_line_in_the_file_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STARWATCH_MODEL=x\nthis is not = 'closed\n")
    with pytest.raises(SettingsError, match=r"\.env, line 2"):
        load({}, tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00STARWATCH")
    with pytest.raises(SettingsError, match="cannot be read as a settings file"):
        load({}, tmp_path)


def test_a_misspelt_key_in_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STARWATCH_MODELL=x\n")
    with pytest.raises(SettingsError, match=r"did you mean STARWATCH_MODEL\?"):
        load({}, tmp_path)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:11434", "http://[::1]:9", "https://a.example/x"]
)
def test_model_addresses_are_https_or_loopback(url: str, tmp_path: Path) -> None:
    assert load({"ANTHROPIC_BASE_URL": url}, tmp_path).anthropic_base_url == url


def test_secrets_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    environ = {
        name: f"hidden-{name}" for name in ("ANTHROPIC_API_KEY", "SLACK_BOT_TOKEN", "STARWATCH_STARROCKS_PASSWORD")
    }
    settings = load(environ, tmp_path)
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


def test_every_field_whose_name_sounds_secret_is_a_secret() -> None:
    sounding = re.compile("password|token$|secret|api_key")
    for name, field in Settings.model_fields.items():
        if sounding.search(name):
            assert "SecretStr" in str(field.annotation) or isinstance(field.default, SecretStr), name


def test_rules_switches_the_model_off_even_with_a_key(tmp_path: Path) -> None:
    key = {"ANTHROPIC_API_KEY": "k"}
    assert load(key, tmp_path).uses_claude
    assert not load({**key, "STARWATCH_ANALYST": "rules"}, tmp_path).uses_claude


def test_every_setting_stands_in_the_example_file_and_nothing_else() -> None:
    text = (ROOT / ".env.example").read_text()
    assert re.findall(r"^#?([A-Z_]+)=", text, flags=re.M) == list(environment_names().values())


def test_the_page_of_settings_shows_every_setting_with_its_meaning_and_nothing_else() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \| [^|]* \|$", (ROOT / "docs" / "settings.md").read_text(), flags=re.M)
    wanted = {key: Settings.model_fields[name].description for name, key in environment_names().items()}
    assert dict(rows) == wanted
    assert [key for key, _ in rows] == list(wanted)


def test_what_the_readme_shows_of_the_settings_is_what_their_page_says() -> None:
    page = (ROOT / "docs" / "settings.md").read_text().splitlines()
    rows = re.findall(r"^\| `[A-Z_]+` \|.*$", (ROOT / "README.md").read_text(), flags=re.M)
    assert len(rows) >= 10
    assert [row for row in rows if row not in page] == []


def test_large_results_are_kept_longer_than_the_turns_that_name_them(tmp_path: Path) -> None:
    assert load({"STARWATCH_KEEP_TURNS_DAYS": "20"}, tmp_path).keep_blobs_days == 21
    with pytest.raises(SettingsError, match="STARWATCH_KEEP_BLOBS_DAYS: must be more than"):
        load({"STARWATCH_KEEP_TURNS_DAYS": "21"}, tmp_path)


@pytest.mark.parametrize("roles", ["admin", "member,bots", ",", "member,,guest"])
def test_a_role_that_does_not_exist_stops_the_start(tmp_path: Path, roles: str) -> None:
    with pytest.raises(SettingsError, match="STARWATCH_ROLES: knows no role"):
        load({"STARWATCH_ROLES": roles}, tmp_path)
