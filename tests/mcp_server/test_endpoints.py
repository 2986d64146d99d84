"""The file of front ends: read whole, and every complaint names the cluster and the fix but no secret."""

from pathlib import Path

import pytest

from mcp_server.endpoints import LiveEndpoint, load_endpoints
from mcp_server.errors import EndpointsInvalid
from mcp_server.live import STATEMENTS

CLUSTER = "3f0c1a52-7a51-4a0e-9a3e-5d2b8f0e6c11"
OTHER = "9d2f8f3c-0c52-4e7f-b2b1-6b0a4bb9c001"


def file(folder: Path, text: str) -> Path:
    path = folder / "live.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(EndpointsInvalid) as caught:
        load_endpoints(file(folder, text), environ or {})
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_each_cluster_has_an_address_and_an_account_whose_password_stands_in_the_environment(tmp_path: Path) -> None:
    text = f"""
{CLUSTER.upper()}: {{host: fe.example.com, port: 19030, user: starwatch, password_env: FE_PASSWORD}}
{OTHER}: {{host: 10.1.2.3, user: root}}
"""
    found = load_endpoints(file(tmp_path, text), {"FE_PASSWORD": "s3cret"})
    assert found[OTHER] == LiveEndpoint(host="10.1.2.3", port=9030, user="root")
    assert (found[CLUSTER].port, found[CLUSTER].password.get_secret_value()) == (19030, "s3cret")
    assert "s3cret" not in repr(found)


def test_the_page_shows_a_file_that_can_be_used(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    (found,) = load_endpoints(file(tmp_path, shown), {"CUSTOMER_A_FE": "s3cret"}).values()
    assert (found.port, found.password.get_secret_value()) == (9030, "s3cret")
    assert all(f"`{statement}`" in page for statement in STATEMENTS)


def test_an_empty_file_names_no_front_end(tmp_path: Path) -> None:
    assert load_endpoints(file(tmp_path, "# none yet\n"), {}) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "its UUID as the key"),
        ("prod: {host: h, user: u}\n", "'prod' is no cluster UUID"),
        ("1: {host: h, user: u}\n", "'1' is no cluster UUID"),
        (f"{CLUSTER}: {{user: u}}\n", "host: Field required"),
        (f"{CLUSTER}: {{host: h, user: u, prot: 9030}}\n", "prot: no such key; did you mean port?"),
        (f"{CLUSTER}: {{host: h, user: u, password: hunter2}}\n", "password: no such key; did you mean password_env?"),
        (f"{CLUSTER}: {{host: h, user: u, port: 99999}}\n", "port: "),
        (f"{CLUSTER}: {{host: h, user: u, port: '9030'}}\n", "port: "),
        (f"{CLUSTER}: {{host: 'a b', user: u}}\n", "host: "),
        (f"{CLUSTER}: {{host: h, user: u, password_env: 'X Y'}}\n", "password_env: "),
        (f"{CLUSTER}: {{host: h, user: u, password_env: UNSET}}\n", "the environment has no UNSET (password_env)"),
        (f"{CLUSTER}: 7\n", f"{CLUSTER}: entry: "),
        ("a: [1\n", "line 2: is no YAML"),
        (f"{CLUSTER}: !!python/object/apply:os.system ['true']\n", "is no YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_what_was_written_there(
    tmp_path: Path, text: str, words: str
) -> None:
    line = complaint(tmp_path, text, {"FE_PASSWORD": "s3cret"})
    assert words in line
    assert str(tmp_path / "live.yaml") in line
    assert "hunter2" not in line


def test_a_file_that_cannot_be_read_or_is_huge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EndpointsInvalid, match="FileNotFoundError"):
        load_endpoints(tmp_path / "nowhere.yaml", {})
    assert "larger than" in complaint(tmp_path, "#" * (1024 * 1024 + 1))
